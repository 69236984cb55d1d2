"""What a step minimises: which rows it has, how many of them one pass bears, and the gradients of their losses.

A step depends on its number, the data and φ alone. What a head's losses must see together (`Head.together`) is seen together:
passes part no group; and where it is the whole step, and a large one, its outputs are computed without a graph first, and each
pass is computed again for the gradient of the loss by its own outputs (Gao et al. 2021, Scaling deep contrastive learning batch
size under memory limited setup), so that memory grows with a pass and not with the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from functory_sdk import NotSupported, TrainingOptions, plan
from functory_sdk.torch import Head, Shape, drawing, linear
from functory_torch.schedule import batches, grouped, step_seed
from functory_torch.sources import Source

GOLD_ROWS = 4096
"""Rows whose gold arrays are looked at together."""
KEPT_TOKENS = 2048
"""Tokens of a step whose passes all keep their graphs, where losses look at the whole step: to compute again costs a third."""


class Objective:
    """The losses of a head that looks at rows, or at the rows of a group.

    :param source: gives what the head reads of rows.
    :param lengths: of each row, in tokens.
    :param budget: tokens of one pass.
    :param rounded: what a forward pass is entered with.
    :raises NotSupported: where the options ask for what the head's losses cannot be.
    """

    def __init__(
        self,
        source: Source,
        lengths: Sequence[int],
        options: TrainingOptions,
        seed: int,
        budget: int,
        rounded: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self.source, self.lengths, self.options = source, lengths, options
        self.seed, self.budget, self.rounded = seed, budget, rounded
        self.groups = grouped(source.group)
        self.size = max(1, options.batch_rows * len(self.groups) // max(1, len(lengths)))
        self.shape = Shape.of(options, self.head, self._golds())
        self._check()

    @property
    def head(self) -> Head:
        """The model's head.

        :raises NotSupported: in a model that generates, which has none.
        """
        head = self.source.model.head
        if head is None:
            raise NotSupported("a model without a head has no losses.", do="name the head that its training minimises.")
        return head

    @property
    def per_epoch(self) -> int:
        """How many steps an epoch has."""
        return -(-len(self.groups) // self.size)

    def steps(self, epoch: int) -> list[list[int]]:
        """Return the rows of each step of an epoch, the rows of a group in one."""
        is_even = self.head.together == "batch"
        parts = batches(len(self.groups), self.size, self.seed, epoch, is_even=is_even)
        return [[row for group in part for row in self.groups[group]] for part in parts]

    def backward(self, rows: Sequence[int], step: int) -> tuple[float, float]:
        """Add the gradients of a step's losses to φ's; return the weighted sum of the losses, and of their weights."""
        loss, count = 0.0, 0.0
        with drawing(step_seed(self.seed, step)):
            for part, chosen in enumerate(self.passes(rows)):
                summed, weight = self._mixed(chosen, step, part) if self.options.mixup else self._summed(chosen)
                summed.backward()  # type: ignore[no-untyped-call]
                loss, count = loss + float(summed.detach()), count + float(weight)
        return loss, count

    def passes(self, rows: Sequence[int]) -> Iterator[list[int]]:
        """Cut a step's rows into passes of rows of like length, the rows of a group in one."""
        groups = [[rows[place] for place in part] for part in grouped(self.source.group[list(rows)])]
        longest = [max(self.lengths[row] for row in group) for group in groups]
        for part in plan(longest, self.budget, [len(group) for group in groups]):
            yield [row for group in part for row in groups[group]]

    def outputs(self, rows: Sequence[int]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the outputs of some rows in one pass, and the batch with its gold arrays; the head computes in float32."""
        features, batch = self._features(rows)
        return self.source.model.apply_head(features, batch), batch

    def _features(self, rows: Sequence[int]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return what the head reads of some rows, in float32, and the batch with its gold arrays."""
        with self.rounded():
            features, batch = self.source.features(rows)
        return features.float(), batch

    def _summed(self, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the weighted sum of the losses of a pass, and of their weights."""
        return self.shape.summed(self.head, *self.outputs(rows))

    def _mixed(self, rows: Sequence[int], step: int, part: int) -> tuple[Tensor, Tensor]:
        """Return the same where each row's features are mixed with another's of the pass, and their losses too."""
        generator = np.random.default_rng((self.seed, step, part))
        share, other = generator.beta(self.options.mixup, self.options.mixup), generator.permutation(len(rows))
        features, batch = self._features(rows)  # (rows, width)
        outputs = self.source.model.apply_head(share * features + (1 - share) * features[other], batch)
        swapped = {name: value[other] for name, value in batch.items()}
        both = [self.shape.summed(self.head, outputs, one) for one in (batch, swapped)]
        return (
            share * both[0][0] + (1 - share) * both[1][0],
            share * both[0][1] + (1 - share) * both[1][1],
        )

    def _check(self) -> None:
        """Refuse to mix what cannot be mixed.

        :raises NotSupported: where the head reads no vector of a row, or its losses look at more than one row.
        """
        if self.options.mixup and (self.head.reading.unit != "row" or self.head.together != "row"):
            name = type(self.head).__name__
            raise NotSupported(
                f"mixup mixes the features of two rows, and {name} reads the {self.head.reading.name} of a {self.head.together}.",
                do="leave mixup at 0.",
            )

    def _golds(self) -> Iterator[dict[str, Tensor]]:
        """Give the gold arrays of all rows, some at a time."""
        for first in range(0, len(self.lengths), GOLD_ROWS):
            yield self.source.gold(range(first, min(first + GOLD_ROWS, len(self.lengths))))


class WholeStep(Objective):
    """The losses of a head that looks at all rows of a step, with cached gradients where it is large: exact, however small a
    pass is.
    """

    kept = KEPT_TOKENS

    def backward(self, rows: Sequence[int], step: int) -> tuple[float, float]:
        passes = list(self.passes(rows))
        seeds = [step_seed(self.seed, step, part) for part in range(len(passes))]
        is_kept = len(passes) == 1 or sum(self.lengths[row] for row in rows) <= self.kept
        found = []
        for chosen, seed in zip(passes, seeds, strict=True):
            with torch.set_grad_enabled(is_kept), drawing(seed):
                found.append(self.outputs(chosen)[0])
        cached = self._joined(found)
        if not is_kept:
            cached = {name: value.requires_grad_(value.is_floating_point()) for name, value in cached.items()}
        batch = self.source.batch([row for chosen in passes for row in chosen])
        summed, weight = self.shape.summed(self.head, cached, batch)
        summed.backward()  # type: ignore[no-untyped-call]
        if not is_kept:
            self._again(passes, seeds, cached)
        return float(summed.detach()), float(weight)

    def _again(self, passes: Sequence[list[int]], seeds: Sequence[int], cached: Mapping[str, Tensor]) -> None:
        """Compute each pass once more, and send back through it the gradient that its outputs have."""
        first = 0
        for chosen, seed in zip(passes, seeds, strict=True):
            with drawing(seed):  # what was dropped is dropped again
                again, _ = self.outputs(chosen)
            self._go_back(again, cached, slice(first, first + len(chosen)))
            first += len(chosen)

    def _joined(self, parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """Return the outputs of all passes as one batch's, padded by their ports."""
        fills = {port.name: port.fill for port in self.source.model.outputs}
        return {name: linear.joined([part[name] for part in parts], fills.get(name, 0)) for name in parts[0]}

    def _go_back(self, again: Mapping[str, Tensor], cached: Mapping[str, Tensor], rows: slice) -> None:
        """Send the gradient by a pass's outputs back through the pass."""
        felt = [(again[name], whole.grad[rows]) for name, whole in cached.items() if whole.grad is not None]
        felt = [(output, grad[tuple(slice(0, size) for size in output.shape)]) for output, grad in felt if output.requires_grad]
        if felt:
            torch.autograd.backward([output for output, _ in felt], [grad for _, grad in felt])


def objective_of(
    source: Source,
    lengths: Sequence[int],
    options: TrainingOptions,
    seed: int,
    budget: int,
    rounded: Callable[[], AbstractContextManager[Any]],
) -> Objective:
    """Return the objective that goes with what the model's head must see together."""
    head = source.model.head
    kind = WholeStep if head is not None and head.together == "batch" else Objective
    return kind(source, lengths, options, seed, budget, rounded)


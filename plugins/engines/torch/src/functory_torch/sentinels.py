"""Finds training that silently did nothing, or broke: each finding says what to look at."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from functory_sdk import TrainingError
from functory_sdk.torch import Model

NOISE = 1e-7
"""Gradients below this are rounding (a key's bias shifts all scores of a softmax alike) and need not move anything."""


class Sentinels:
    """Watches one run.

    :param model: with φ as it is before the first step.
    :raises TrainingError: when there is nothing to train.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.initial = copied(model.phi())
        if not model.learned():
            raise TrainingError(
                "nothing is to be trained: no parameter requires a gradient.",
                do="let the adaptation's `attach` make its parameters trainable, or give the task a head.",
            )
        self._frozen = _frozen(model)
        self.largest = dict.fromkeys(model.learned(), 0.0)
        self.losses = (math.inf, -math.inf)

    def loss(self, value: float, step: int, rows: Sequence[int]) -> None:
        """Note a step's loss.

        :raises TrainingError: when it is not finite.
        """
        if not math.isfinite(value):
            named = ", ".join(map(str, sorted(rows)[:8])) + (" …" if len(rows) > 8 else "")
            raise TrainingError(
                f"the loss is {value} at step {step}.",
                where=f"rows {named} of the training data",
                do="lower learning_rate, lengthen warmup, or look at those rows.",
            )
        self.losses = (min(self.losses[0], value), max(self.losses[1], value))

    def gradients(self, step: int) -> None:
        """Note how large each gradient is; the first steps tell.

        :raises TrainingError: when one is not finite.
        """
        for name, parameter in self.model.learned().items():
            if parameter.grad is None or (step > 8 and self.largest[name] > NOISE):
                continue
            size = float(parameter.grad.abs().max())
            if not math.isfinite(size):
                raise TrainingError(
                    f"the gradient of {name} is {size} at step {step}.", do="lower learning_rate or lengthen warmup."
                )
            self.largest[name] = max(self.largest[name], size)

    def finish(self, last: Mapping[str, Tensor], steps: int) -> None:
        """Look at what training left.

        :param last: φ after the last step, whichever is kept as the best.
        :raises TrainingError: when a tensor was not reached, did not move, or moved though frozen; when the loss stayed.
        """
        unreached = [name for name, size in self.largest.items() if size == 0]
        if len(unreached) == len(self.largest) or (unreached and steps > 1):  # what a 0 multiplies is reached in the second
            raise TrainingError(
                f"no gradient reached {_named(unreached)}.",
                do="freeze what the forward pass does not use, or let it be used: it would be stored and do nothing.",
            )
        still = [n for n, size in self.largest.items() if size > NOISE and torch.equal(self.initial[n], last[n].cpu())]
        if still:
            raise TrainingError(
                f"{_named(still)} did not move.", do="raise learning_rate: its steps are below rounding."
            )
        moved = [name for name, value in _frozen(self.model).items() if value != self._frozen[name]]
        if moved:
            raise TrainingError(
                f"{_named(moved)} is frozen and was changed.",
                do="write into no tensor that came with the backbone; replace it in the copy first (own).",
            )
        if steps > 1 and self.losses[0] == self.losses[1]:
            raise TrainingError(
                f"the loss was {self.losses[0]} at every step.", do="look at the task's loss and its gold arrays."
            )

    def effect(self, batch: Mapping[str, Tensor]) -> None:
        """See that the outputs feel φ: the head's part and the network's, each put back to where it began.

        :param batch: a padded batch of rows.
        :raises TrainingError: when the outputs are the same with and without what was learned.
        """
        own = self.model.phi()
        trained = copied(own)
        after = self.outputs(batch)
        for part in ("network.", "head."):
            names = [name for name in own if name.startswith(part)]
            if not names:
                continue
            put(own, {name: self.initial[name] for name in names})
            before = self.outputs(batch)
            put(own, trained)
            if all(torch.equal(before[name], after[name]) for name in after):
                raise TrainingError(
                    f"what was learned in {part.rstrip('.')} has no effect on the outputs.",
                    do="see that the forward pass goes through what the adaptation injected.",
                )

    def outputs(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what the model gives for a padded batch of rows as it is now."""
        self.model.eval()
        with torch.inference_mode():
            return {name: value.clone() for name, value in self.model(batch).items()}


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies on the host."""
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}


def put(own: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """Write values into the tensors of those names."""
    with torch.no_grad():
        for name, value in values.items():
            own[name].copy_(value)


def _frozen(model: Model) -> dict[str, int]:
    """Return a checksum of every frozen tensor."""
    return {
        name: zlib.crc32(parameter.detach().cpu().contiguous().view(torch.uint8).numpy().data)
        for name, parameter in model.named_parameters()
        if not parameter.requires_grad and parameter.numel()
    }


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

"""A model with φ on a tiny backbone, the toy task's rows for it, and what a check does with both: run, move, compare.

Apart from the suites, because those of adaptations, engines and backbones all look at such models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from functory.contracts.adaptation import Adaptation
from functory.contracts.backbone import Backbone
from functory.contracts.batching import pad
from functory.contracts.rows import Array, Row, Taught
from functory.reading.reader import Reader
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.toy import ToyExample, ToyState, ToyTask
from functory_sdk.testing.toy import rows as toy_texts

PROBES = ("we saw the good film in the rain", "a", "bad and poor", "the day was very fine and it is night")
"""Texts of unequal lengths, one of them a single letter."""


@dataclass
class Fitted:
    """A model with φ, and what it was made from."""

    engine: Any  # Any: an engine component, whose models are torch modules
    backbone: Backbone[Any]
    adaptation: Adaptation[Any]
    model: Any  # Any: a functory_sdk.torch.Model

    @property
    def phi(self) -> dict[str, Array]:
        """φ as the engine stores it."""
        return {name: array.copy() for name, array in self.engine.phi(self.model).items()}

    def outputs(self, rows: Sequence[Row]) -> list[Row]:
        """Return the outputs of rows, each row run alone."""
        return [self.batch([row])[0] for row in rows]

    def batch(self, rows: Sequence[Row]) -> list[Row]:
        """Return the outputs of rows run as one batch."""
        import torch

        with torch.inference_mode():
            outputs = self.model(tensors(pad(rows, self.model.inputs)))
        return [{name: value[index].numpy() for name, value in outputs.items()} for index in range(len(rows))]


def toy_rows(backbone: Backbone[Any], count: int, adaptation: Adaptation[Any] | None = None) -> Taught:
    """Return the toy task's training rows for a backbone, with what the adaptation's head reads beside."""
    task, state = ToyTask(), ToyState(labels=("no", "yes"))
    examples = [ToyExample(**row) for row in toy_texts(count)]
    reader = Reader(backbone.tokenizer, backbone.spec, has_ngrams=adaptation is not None and bool(adaptation.beside))
    encoded = task.encode(examples, reader, state)
    gold = task.label(examples, encoded, state)
    made = [{**with_target(reader, row), **one} for row, one in zip(encoded.rows, gold, strict=True)]
    return Taught(made, encoded.owner)


def toy_groups(backbone: Backbone[Any], count: int, adaptation: Adaptation[Any] | None = None) -> Taught:
    """Return the toy task's training rows in groups of two to four, in each of which one row is the right one; rows of a group
    do not lie beside each other.
    """
    rows = toy_rows(backbone, count, adaptation)
    by_gold = [[row for row in rows.rows if int(row["gold"]) == gold] for gold in (0, 1)]
    made: list[tuple[int, dict[str, Array]]] = []
    while by_gold[1] and len(by_gold[0]) >= 3:
        number = made[-1][0] + 1 if made else 0
        size = 2 + number % 3
        of_group = [by_gold[1].pop(), *(by_gold[0].pop() for _ in range(size - 1))]
        made += [(number, {**row, "size": np.asarray(size, dtype=np.int64)}) for row in of_group]
    made.sort(key=lambda one: (len(one[1]["input_ids"]), one[0]))
    return Taught([row for _, row in made], list(range(len(made))), [number for number, _ in made])


def probes(backbone: Backbone[Any]) -> list[dict[str, Array]]:
    """Return rows of unequal lengths, one of them only special tokens or a single letter."""
    reader = Reader(backbone.tokenizer, backbone.spec, has_ngrams=True)
    return [with_target(reader, dict(row)) for row in reader.encode(PROBES).rows]


def with_target(reader: Reader, row: dict[str, Array]) -> dict[str, Array]:
    """Return a row for an encoder-decoder with a target of some tokens: a single one leaves half of the layers idle."""
    if reader.spec.architecture != "encoder-decoder":
        return row
    first, ids = row["decoder_input_ids"], row["input_ids"]
    return row | reader.row(ids, target=np.concatenate([first, ids[1 : 2 + len(ids) % 3]]))


def tensors(batch: Mapping[str, Array]) -> dict[str, Any]:  # Any: torch tensors
    """Return arrays as tensors."""
    import torch

    return {name: torch.from_numpy(array) for name, array in batch.items()}


def hidden(network: Any, rows: Sequence[Row]) -> list[Row]:
    """Return the last hidden states of each row, run alone."""
    import torch

    with torch.inference_mode():
        return [{"hidden": network.hidden(tensors(pad([row], network.spec.ports())))[0].numpy()} for row in rows]


def loss_of(fitted: Fitted) -> Any:  # Any: a torch scalar
    """Return the mean loss of the toy rows, with gradients."""
    rows, task = toy_rows(fitted.backbone, 16, fitted.adaptation).rows, ToyTask()
    gold = task.gold_ports(fitted.backbone.spec, ToyState(labels=("no", "yes")))
    fitted.model.eval()
    fitted.model.zero_grad()
    batch = tensors({**pad(rows, (*fitted.model.inputs, *gold)), "group": np.arange(len(rows))})
    losses, weights = fitted.model.head.losses(fitted.model(batch), batch)
    return (losses * weights).sum() / weights.sum()


def perturb(model: Any) -> None:
    """Move every tensor of φ away from where it starts: many methods start where φ does nothing."""
    for index, parameter in enumerate(model.phi().values()):
        perturb_tensor(parameter, seed=index)
    model.eval()


def perturb_tensor(parameter: Any, seed: int) -> None:
    """Add seeded noise to one tensor; whole numbers change places."""
    import torch

    noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        if parameter.is_floating_point():
            parameter.add_(0.2 * noise.to(parameter.dtype))
        else:  # numbers of places: one place further each, so that all are still there
            parameter.copy_(parameter.roll(1, 0))


def restore(parameter: Any, kept: Any) -> None:
    """Put a tensor's numbers back."""
    import torch

    with torch.no_grad():
        parameter.copy_(kept)


def cut_differences(fitted: Fitted, row: Row, cut: int) -> tuple[float, float]:
    """Return how far the trunk is from the bare network's, and the crown on it from the whole pass."""
    import torch

    batch = tensors(pad([row], fitted.model.inputs))
    network = fitted.backbone.network
    with torch.inference_mode():
        trunk = fitted.model.trunk(batch, cut)
        bare = network.run(0, cut, {}, network.prepare(batch))
        crown, whole = fitted.model.crown(trunk, batch, cut), fitted.model(batch)
    return difference([_numpy(trunk)], [_numpy(bare)]), difference([_numpy(crown)], [_numpy(whole)])


def _numpy(state: Mapping[str, Any]) -> Row:
    return {name: value.numpy() for name, value in state.items()}

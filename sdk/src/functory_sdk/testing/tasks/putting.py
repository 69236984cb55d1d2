"""A task as it is put to a tiny backbone: what its checks work with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from functory.contracts.adaptation import Adaptation
from functory.contracts.backbone import Backbone
from functory.contracts.component import NoOptions
from functory.contracts.engine import SessionOptions
from functory.contracts.formulation import Formulation, Target
from functory.contracts.rows import Encoded, Port, Row
from functory.contracts.task import Task
from functory.reading.reader import LongText, Reader
from functory.running.rounds import Writer, rounds


class Untrained(Adaptation[NoOptions]):
    """A head as it was drawn."""

    def cut(self, spec: Any) -> int:
        return int(spec.points)


class Everything(Adaptation[NoOptions]):
    """Every weight, so that a few examples can be learned by heart."""

    def attach(self, network: Any) -> None:
        from functory_sdk.torch import own

        own(network)


@dataclass
class Put:
    """A task as it is put to one backbone, with an untrained head."""

    name: str
    task: Task[Any]
    state: Any
    backbone: Backbone[Any]
    formulation: Formulation
    form: Any  # Any: a TorchForm

    def reader(self, long_text: LongText = "window") -> Reader:
        return Reader(self.backbone.tokenizer, self.backbone.spec, long_text)

    def encode(self, inputs: Sequence[Any], long_text: LongText = "window") -> Encoded:
        return self.formulation.encode(inputs, self.reader(long_text), self.state)

    def inputs_of(self, examples: Sequence[Any]) -> list[Any]:
        """Return the examples' inputs alone."""
        fields = list(self.task.Input.model_fields)
        return [self.task.Input(**{name: getattr(one, name) for name in fields}) for one in examples]

    def run(self, encoded: Encoded) -> list[list[Row]]:
        """Return, for each input, the outputs of its rows; of what is written in rounds, those of the last."""
        return [rows for _, rows in self.trace(encoded)]

    def trace(self, encoded: Encoded) -> list[tuple[Any, list[Row]]]:
        """Return, for each input, what its last round kept of it, and the outputs of its rows."""
        session = self.form.open(SessionOptions(budget=256))
        if self.formulation.program == "forward":
            return list(zip(encoded.side, encoded.rows_of(session.run(encoded.rows)), strict=True))
        found = rounds(self.formulation, encoded, self.reader(), self.state, Writer(session.generate, None))
        return [(some[-1].side, some[-1].rows) for some in found]

    def decode(self, encoded: Encoded, rows: Sequence[Sequence[Row]]) -> list[Any]:
        return [self.formulation.decode(side, one, self.state) for side, one in zip(encoded.side, rows, strict=True)]

    def compute(self, inputs: Sequence[Any]) -> list[Any]:
        return [self.formulation.decode(side, rows, self.state) for side, rows in self.trace(self.encode(inputs))]


@dataclass
class Told:
    """What an output says of a target."""

    output: Any
    value: float
    score: float | None


@dataclass
class Aim:
    """One target of an input's output, and the outputs of the input's rows."""

    put: Put
    value: Any
    side: Any
    rows: Sequence[Row]
    target: Target

    def told(self, rows: Sequence[Row]) -> Told:
        """Return the target's value, and the score that the output of some rows has under the target's name.

        That is its entry in the output's ``scores``, or the field of that name. Where a target names something else, a
        span say, it is 1 where the output still has a target at that place, and None where it has not.
        """
        formulation, state = self.put.formulation, self.put.state
        output, name = formulation.decode(self.side, rows, state), self.target.name
        value = formulation.value(self.target, self.side, rows, state)
        scores, field = getattr(output, "scores", None), getattr(output, name, None)
        if isinstance(scores, Mapping) and name in scores:
            return Told(output, value, float(scores[name]))
        if isinstance(field, float | int):
            return Told(output, value, float(field))
        places = [(one.row, one.port, one.index) for one in formulation.targets(output, self.side, state)]
        place = (self.target.row, self.target.port, self.target.index)
        return Told(output, value, 1.0 if place in places else None)


def fits_port(name: str, row: Row, port: Port, tokens: int | None = None) -> None:
    """Compare one array of a row with its port.

    :param tokens: the size of the axis ``tokens``; the row's own when None.
    """
    assert port.name in row, f"{name}: a row lacks {port.name!r}."
    array = np.asarray(row[port.name])
    assert array.ndim == len(port.axes), f"{name}: {port.name!r} has {array.ndim} axes, its port {len(port.axes)}."
    assert np.can_cast(array.dtype, port.dtype, "same_kind"), (
        f"{name}: {port.name!r} is {array.dtype}, not {port.dtype}."
    )
    expected = row["input_ids"].shape[-1] if tokens is None else tokens
    for size, axis in zip(array.shape, port.axes, strict=True):
        wanted = expected if axis == "tokens" else axis if isinstance(axis, int) else size
        assert size == wanted, (
            f"{name}: {port.name!r} has shape {array.shape}; its port says {port.axes}, {expected} tokens."
        )


def same(one: Any, other: Any) -> bool:
    """Whether two typed outputs agree; numbers within 1e-4."""
    return _same(one.model_dump(mode="json"), other.model_dump(mode="json"))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-4
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)

"""How two texts are put to a backbone: in one row, each by itself with a head on both vectors, or compared as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from functory_sdk import (
    Array,
    BackboneSpec,
    Encoded,
    Formulation,
    Port,
    Reader,
    Row,
    Target,
    both_orders,
    each_by_itself,
)
from functory_similarity.types import Likeness, Scale

FIELDS = ("first", "second")
DIGITS = 6


class Number(Formulation):
    """What gives a number for two texts. Of long texts it is the mean over the windows.

    :param is_symmetric: (a, b) and (b, a) have the same.
    """

    def __init__(self, *, is_symmetric: bool) -> None:
        self.is_symmetric = is_symmetric

    def outputs(self, spec: BackboneSpec, state: Scale) -> tuple[Port, ...]:
        return (Port("score", "float32"),)

    def decode(self, side: tuple[str, ...], outputs: Sequence[Row], state: Scale) -> Likeness:
        return Likeness(score=self.on_scale(_mean(outputs), state), notes=side)

    def on_scale(self, value: float, state: Scale) -> float:
        """Return the answer for what the head gives."""
        return _within(state.mean + state.deviation * value, state)

    def targets(self, output: Likeness, side: object, state: Scale) -> list[Target]:
        return [Target(name="score", port="score", index=())]


class Together(Number):
    """Both texts in one row, whose features are mapped to a number; where their order says nothing, in both orders."""

    head: ClassVar[str] = "functory_similarity.head:NumberHead"

    def gold_ports(self, spec: BackboneSpec, state: Scale) -> tuple[Port, ...]:
        return (Port("gold", "float32"),)

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Scale) -> Encoded:
        return (
            both_orders(_pairs(inputs), reader, FIELDS)
            if self.is_symmetric
            else reader.encode(_pairs(inputs), fields=FIELDS)
        )

    def label(self, examples: Sequence[Any], encoded: Encoded, state: Scale) -> list[dict[str, Array]]:
        golds = [np.asarray((example.score - state.mean) / state.deviation, dtype=np.float32) for example in examples]
        return [{"gold": golds[index]} for index in encoded.owner]


class Apart(Together):
    """Each text by itself: a map of both vectors, of how they differ, and of their cosine."""

    head: ClassVar[str] = "functory_similarity.head:PairedHead"
    texts = 2

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Scale) -> Encoded:
        return each_by_itself(_pairs(inputs), reader, FIELDS, is_symmetric=self.is_symmetric)


class ApartAlike(Apart):
    """As `Apart`, and the same whichever of the two texts comes first."""

    head: ClassVar[str] = "functory_similarity.head:SymmetricHead"


class Cosine(Number):
    """The cosine of both vectors as they are. Where there are examples, a line makes numbers on their scale of it."""

    head: ClassVar[str] = "functory_sdk.torch:CosineHead"
    texts = 2

    def __init__(self) -> None:
        super().__init__(is_symmetric=True)

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Scale) -> Encoded:
        return each_by_itself(_pairs(inputs), reader, FIELDS, is_symmetric=True)

    def tune(
        self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Scale
    ) -> Scale:
        """Fit the line by least squares; no line where all cosines, or all numbers, are the same."""
        values, wanted = (
            np.asarray([_mean(rows) for rows in outputs]),
            np.asarray([example.score for example in examples]),
        )
        if len(values) < 2 or np.ptp(values) == 0 or np.ptp(wanted) == 0:
            return state
        slope, offset = np.polyfit(values, wanted, 1)
        return state.model_copy(update={"slope": float(slope), "offset": float(offset)})

    def on_scale(self, value: float, state: Scale) -> float:
        if state.slope is None:
            return round(value, DIGITS)
        return _within(state.slope * value + state.offset, state)


def _pairs(inputs: Sequence[Any]) -> list[tuple[str, str]]:
    return [(value.first, value.second) for value in inputs]


def _mean(outputs: Sequence[Row]) -> float:
    return float(np.mean([output["score"] for output in outputs], dtype=np.float64))


def _within(number: float, state: Scale) -> float:
    return round(min(max(number, state.low), state.high), DIGITS)

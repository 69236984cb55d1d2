"""Spans scored whole: each stretch of a text is of one type or of none, so that entities may lie in one another and overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from functory_ner.types import NERLabels, NEROptions
from functory_sdk import Array, BackboneSpec, Encoded, Entities, Entity, Passage, Port, Reader, Row, Target
from functory_sdk.spans.alignment import Units, covered
from functory_sdk.spans.apart import Apart
from functory_sdk.spans.tagging import IGNORED, ReadText, SpanTagging

SCORES = "scores"


@dataclass(frozen=True, slots=True)
class ReadWindows(ReadText):
    """A text as read, with what each of its windows holds.

    :param start: (rows,) which token of the text is a window's first.
    :param stop: (rows,) the one after its last.
    :param first: (rows,) where in the row the first stands.
    """

    start: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    stop: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    first: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stretches of a text, and where each is scored.

    :param first: (stretches,) its first unit; `last` likewise.
    :param row: which row of the input scores it: the window that decides the unit in its middle.
    :param place: where its first token stands in that row.
    :param width: how many tokens its last one stands after its first.
    """

    first: Array
    last: Array
    row: Array
    place: Array
    width: Array

    def at(self, chosen: Array) -> Stretches:
        """Return some of them, by a mask or by their numbers."""
        return Stretches(*(getattr(self, part.name)[chosen] for part in fields(self)))


class SpanScoring(SpanTagging):
    """The log-probability that each stretch of at most so many tokens is of a type, or of none (Yu et al. 2020).

    A stretch that is likelier of a type than of none is an entity, the surest first; where entities may lie in one another
    alone, one that crosses a surer one's border is none.
    """

    head: ClassVar[str] = "functory_ner.head:SpanHead"

    def __init__(self, options: NEROptions) -> None:
        super().__init__(options)
        self.may_cross = options.spans == "overlapping"

    def inputs(self, spec: BackboneSpec, state: NERLabels) -> tuple[Port, ...]:
        return (Port("spoken", "int64", ("tokens",)),)

    def outputs(self, spec: BackboneSpec, state: NERLabels) -> tuple[Port, ...]:
        return (Port(SCORES, "float32", ("tokens", state.widest, len(state.kinds))),)

    def gold_ports(self, spec: BackboneSpec, state: NERLabels) -> tuple[Port, ...]:
        return (Port("gold", "int64", ("tokens", state.widest), IGNORED),)

    def _reading(self, value: Any, read: Apart, passage: Passage, state: Any, *, is_cut: bool) -> ReadWindows:
        side = super()._reading(value, read, passage, state, is_cut=is_cut)
        parts = passage.parts()
        held = (np.asarray([getattr(part, name) for part in parts]) for name in ("start", "stop", "first"))
        return ReadWindows(*(getattr(side, part.name) for part in fields(ReadText)), *held)

    def encode(self, inputs: Sequence[Any], reader: Reader, state: NERLabels) -> Encoded:
        """Rows that say which of their tokens speak for a unit: at no other a span may end."""
        encoded = super().encode(inputs, reader, state)
        first = np.searchsorted(encoded.owner, np.arange(len(inputs)))  # rows of one input lie together
        for number, (row, owner) in enumerate(zip(encoded.rows, encoded.owner, strict=True)):
            side, place = encoded.side[owner], number - first[owner]
            token = side.units.token
            held = token[(token >= side.start[place]) & (token < side.stop[place])]
            row["spoken"] = np.zeros(len(row["input_ids"]), dtype=np.int64)
            row["spoken"][held - side.start[place] + side.first[place]] = 1
        return encoded

    def label(self, examples: Sequence[Any], encoded: Encoded, state: NERLabels) -> list[dict[str, Array]]:
        golds = [np.full((len(row["input_ids"]), state.widest), IGNORED, dtype=np.int64) for row in encoded.rows]
        first = np.searchsorted(encoded.owner, np.arange(len(examples)))  # rows of one input lie together
        for index, (example, side) in enumerate(zip(examples, encoded.side, strict=True)):
            found = stretches(side, state.widest)
            kinds = kinds_of(found, side.units, example.entities, state)
            for row in np.unique(found.row):
                here = found.row == row
                golds[first[index] + row][found.place[here], found.width[here]] = kinds[here]
        return [{"gold": gold} for gold in golds]

    def decode(self, side: Any, outputs: Sequence[Row], state: Any) -> Entities:
        found, shares = self._scored(side, outputs, state)
        taken, _ = self._taken(found, shares)
        entities = [
            _entity(side, int(found.first[one]), int(found.last[one]), state.kinds[kind], float(shares[one, kind]))
            for one, kind in taken
        ]
        return Entities(entities=tuple(sorted(entities, key=lambda one: (one.start, one.end))), notes=side.notes)

    def lead(self, side: Any, outputs: Sequence[Row], state: Any) -> float | None:
        """How far a stretch's two likeliest types are apart, or two that cannot both be, where they are nearest."""
        found, shares = self._scored(side, outputs, state)
        if not len(shares):
            return None
        best = np.sort(shares, axis=1)
        return min(float((best[:, -1] - best[:, -2]).min()), self._taken(found, shares)[1])

    def _scored(self, side: Any, outputs: Sequence[Row], state: Any) -> tuple[Stretches, Array]:
        """Return the stretches of a text, and the probability of each kind, (stretches, kinds)."""
        found = stretches(side, state.widest) if outputs else stretches(side, 0)
        shares = np.zeros((len(found.row), len(state.kinds)))
        for row in np.unique(found.row):
            here = found.row == row
            shares[here] = np.exp(np.asarray(outputs[row][SCORES], dtype=np.float64)[found.place[here], found.width[here]])
        return found, shares

    def _taken(self, found: Stretches, shares: Array) -> tuple[list[tuple[int, int]], float]:
        """Return the stretches that are entities, by number and kind; and how little one led one that it keeps out."""
        kinds = shares.argmax(1)
        sure = shares[np.arange(len(kinds)), kinds]
        taken: list[tuple[int, int]] = []
        least = 1.0
        named = np.flatnonzero(kinds)
        for one in named[np.lexsort((found.last[named], found.first[named], -sure[named]))]:
            rivals = [other for other, _ in taken if self._excludes(found, int(one), other)]
            if rivals:
                least = min(least, float(max(sure[rivals]) - sure[one]))
            else:
                taken.append((int(one), int(kinds[one])))
        return taken, least

    def _excludes(self, found: Stretches, one: int, other: int) -> bool:
        """Whether two stretches cannot both be entities: they cross, where that is not allowed."""
        if self.may_cross:
            return False
        (a, b), (c, d) = ((int(found.first[place]), int(found.last[place])) for place in (one, other))
        return a < c <= b < d or c < a <= d < b

    def targets(self, output: Entities, side: Any, state: Any) -> list[Target]:
        """Each entity: the log-probability that this stretch is of its type, the surest first."""
        targets: dict[str, Target] = {}
        for entity in sorted(output.entities, key=lambda entity: (-entity.score, entity.start, entity.end)):
            name = f"{entity.label}:{entity.text}"
            name = name if name not in targets else f"{name}@{entity.start}"
            for row, place, width in _places(side, entity.start, entity.end, state.widest):
                targets[name] = Target(
                    name=name, port=SCORES, index=(place, width, state.kinds.index(entity.label)), row=row, at=entity.start,
                    until=entity.end, scale="log",
                )  # fmt: skip
        return list(targets.values())

    def places(self, target: Target, side: Any, outputs: Sequence[Row]) -> list[tuple[int, tuple[int, ...]]]:
        """The stretch from the target's first character to its last, wherever it is now; none where one of them is gone."""
        if not outputs or target.at is None or target.until is None:
            return []
        found = _places(side, target.at, target.until, np.asarray(outputs[0][SCORES]).shape[1])
        return [(row, (place, width, target.index[2])) for row, place, width in found]


def stretches(side: ReadWindows, widest: int) -> Stretches:
    """Return every stretch of at most so many tokens that the window in its middle holds whole, in the order of the text."""
    token = side.units.token
    count = np.searchsorted(token, token + widest) - np.arange(len(token))  # (units,) of those that begin at each
    first = np.repeat(np.arange(len(token)), count)
    last = first + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    return _held(side, first, last)


def _held(side: ReadWindows, first: Array, last: Array) -> Stretches:
    """Return those stretches, of which the units are given, that the window in their middle holds whole."""
    token = side.units.token
    row = side.row[(first + last) // 2]
    begin, end = token[first], token[last]
    found = Stretches(first, last, row, begin - side.start[row] + side.first[row], end - begin)
    return found.at((begin >= side.start[row]) & (end < side.stop[row]))


def kinds_of(found: Stretches, units: Units, entities: Sequence[Any], state: NERLabels) -> Array:
    """Return the kind of each stretch, (stretches,), 0 for none: of units of which an entity has at least half."""
    kinds = np.zeros(len(found.row), dtype=np.int64)
    for entity in entities:
        inside = list(covered(units, entity))
        if inside:
            is_it = (found.first == inside[0]) & (found.last == inside[-1]) & (kinds == 0)
            kinds[is_it] = state.kinds.index(entity.label)
    return kinds


def _places(side: ReadWindows, start: int, end: int, widest: int) -> Iterator[tuple[int, int, int]]:
    """Give row, place and width of the stretch between two characters; nothing where there is none now."""
    ends = [_unit_at(side.units, place) for place in (start, end - 1)]
    if min(ends) < 0:
        return
    found = _held(side, *(np.asarray([unit]) for unit in ends))
    if len(found.row) and found.width[0] < widest:
        yield int(found.row[0]), int(found.place[0]), int(found.width[0])


def _unit_at(units: Units, place: int) -> int:
    """Return which unit holds a character; -1 where none does."""
    unit = int(np.searchsorted(units.start, place, "right")) - 1
    return unit if unit >= 0 and place < units.end[unit] else -1


def _entity(side: ReadText, first: int, last: int, label: str, score: float) -> Entity:
    start, end = int(side.units.start[first]), int(side.units.end[last])
    return Entity(text=side.text[start:end], label=label, start=start, end=end, score=round(score, 6))

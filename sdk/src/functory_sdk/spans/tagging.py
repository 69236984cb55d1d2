"""Tagging: each token of a text gets a tag, and the tags name spans of characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from functory.contracts.backbone import BackboneSpec
from functory.contracts.rows import Array, Encoded, Port, Row
from functory.contracts.task import Formulation, Target
from functory.reading.reader import Passage, Reader
from functory_sdk.spans.alignment import Units, tags_of, units
from functory_sdk.spans.types import Entities, Entity, SpanLabels, SpanOptions
from functory_sdk.spans.viterbi import best_path, runs
from functory_sdk.tags import tag_runs

IGNORED = -100
"""The gold of places that teach nothing: special tokens, a prefix, padding, and what another window decides."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What decoding needs of one text.

    :param text: as it was given: offsets count its characters.
    :param units: what gets a tag each.
    :param row: (units,) which row of this input decides each unit.
    :param place: (units,) where in that row.
    """

    text: str
    units: Units
    row: Array
    place: Array
    notes: tuple[str, ...] = ()


class Tagging(Formulation):
    """A linear head on each token. A token in several windows is decided by the one in whose middle it is nearest.

    A text without any token has no row and no entities.
    """

    head: ClassVar[str] = "functory_sdk.torch:TaggingHead"

    def __init__(self, options: SpanOptions) -> None:
        self.options = options

    def outputs(self, spec: BackboneSpec, state: SpanLabels) -> tuple[Port, ...]:
        return (Port("scores", "float32", ("tokens", len(state.tags))),)

    def gold_ports(self, spec: BackboneSpec, state: SpanLabels) -> tuple[Port, ...]:
        return (Port("gold", "int64", ("tokens",), IGNORED),)

    def encode(self, inputs: Sequence[Any], reader: Reader, state: SpanLabels) -> Encoded:
        encoded = Encoded(rows=[], owner=[], side=[])
        passages = reader.read([value.text for value in inputs], overlap=self.options.overlap)
        for index, (value, passage) in enumerate(zip(inputs, passages, strict=True)):
            side = self._reading(value.text, passage, state)
            rows = [window.row for window in passage.windows] if len(side.units) else []
            encoded.rows += rows
            encoded.owner += [index] * len(rows)
            encoded.side.append(side)
        return encoded

    def _reading(self, text: str, passage: Passage, state: SpanLabels) -> Reading:
        """Return the units of a text, each with its place in the window that decides it."""
        pieces = list(stretches(passage))
        windows = passage.windows
        offsets = np.concatenate(
            [w.tokens.offsets[a - w.start : b - w.start] for w, (a, b) in zip(windows, pieces, strict=True)]
        )
        wanted = self.options.subwords
        subwords = wanted if wanted != "auto" else "first" if state.given else "all"
        found = units(text, offsets, subwords, is_announced=bool(state.given) and subwords == "first")
        row = np.searchsorted([stop for _, stop in pieces], found.token, side="right")
        shift = np.asarray([window.first - window.start for window in windows])
        return Reading(text, found, row, found.token + shift[row], passage.notes)

    def label(self, examples: Sequence[Any], encoded: Encoded, state: SpanLabels) -> list[dict[str, Array]]:
        golds = [np.full(len(row["input_ids"]), IGNORED, dtype=np.int64) for row in encoded.rows]
        first = np.searchsorted(encoded.owner, np.arange(len(examples)))  # rows of one input lie together
        for index, (example, side) in enumerate(zip(examples, encoded.side, strict=True)):
            tags = tags_of(side.units, example.entities, state.labels)
            for row, place, tag in zip(side.row, side.place, tags, strict=True):
                golds[first[index] + row][place] = tag
        return [{"gold": gold} for gold in golds]

    def decode(self, side: Reading, outputs: Sequence[Row], state: SpanLabels) -> Entities:
        if not len(side.units):
            return Entities(entities=(), notes=side.notes)
        scores = np.stack(
            [outputs[row]["scores"][place] for row, place in zip(side.row, side.place, strict=True)]
        )  # (units, tags)
        path, found = _given_runs(scores, state) if state.given else _own_runs(scores, state)
        sure = np.exp(scores[np.arange(len(path)), path].astype(np.float64))
        entities = tuple(_entity(side, start, stop, label, float(sure[start:stop].min())) for start, stop, label in found)
        return Entities(entities=entities, notes=side.notes)

    def lead(self, side: Reading, outputs: Sequence[Row], state: SpanLabels) -> float | None:
        """How far the two likeliest tags are apart, where they are nearest."""
        if not len(side.units):
            return None
        scores = np.stack([outputs[row]["scores"][place] for row, place in zip(side.row, side.place, strict=True)])
        shares = np.sort(np.exp(scores.astype(np.float64)), axis=1)  # (units, tags)
        return float((shares[:, -1] - shares[:, -2]).min())

    def targets(self, output: Entities, side: Reading, state: SpanLabels) -> list[Target]:
        """Each entity: the log-probability that it begins where it does, the surest first."""
        targets: dict[str, Target] = {}
        for entity in sorted(output.entities, key=lambda entity: (-entity.score, entity.start)):
            unit = int(np.searchsorted(side.units.start, entity.start))
            name = f"{entity.label}:{entity.text}"
            name = name if name not in targets else f"{name}@{entity.start}"
            is_one = int(side.units.end[unit]) >= entity.end
            index = (int(side.place[unit]), state.begins(entity.label, is_one=is_one))
            targets[name] = Target(
                name=name, port="scores", index=index, row=int(side.row[unit]), at=entity.start, scale="log"
            )
        return list(targets.values())

    def places(self, target: Target, side: Reading, outputs: Sequence[Row]) -> list[tuple[int, tuple[int, ...]]]:
        """The token at the target's character, wherever it is now; none where no token is left there."""
        units = [u for u in range(len(side.units)) if side.units.start[u] <= (target.at or 0) < side.units.end[u]]
        return [(int(side.row[u]), (int(side.place[u]), target.index[1])) for u in units[:1]]


def stretches(passage: Passage) -> Iterator[tuple[int, int]]:
    """Give, for each window, the tokens of the whole text that it decides: borders lie in the middle of what two share."""
    windows = passage.windows
    borders = [(one.start + len(one.tokens) + other.start + 1) // 2 for one, other in pairwise(windows)]
    yield from pairwise([0, *borders, windows[-1].start + len(windows[-1].tokens)])


def _own_runs(scores: Array, state: SpanLabels) -> tuple[Array, list[tuple[int, int, str]]]:
    """Return the likeliest tags that fit one another, (units,), and the entities that they name."""
    path = best_path(scores)
    return path, [(start, stop, state.labels[label]) for start, stop, label in runs(path)]


def _given_runs(scores: Array, state: SpanLabels) -> tuple[Array, list[tuple[int, int, str]]]:
    """Return the likeliest tag of each unit, (units,), and the entities that they name, as a tagger made elsewhere is read.

    Its tags need not fit one another: what was trained on IOB1 begins most entities with I.
    """
    path: Array = scores.argmax(1)
    return path, list(tag_runs([state.given[tag] for tag in path]))


def _entity(side: Reading, start: int, stop: int, label: str, score: float) -> Entity:
    """Return the entity of units `start` up to `stop`."""
    first, last = int(side.units.start[start]), int(side.units.end[stop - 1])
    return Entity(text=side.text[first:last], label=label, start=first, end=last, score=round(score, 6))

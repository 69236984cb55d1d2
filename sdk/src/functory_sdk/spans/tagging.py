"""Tagging: each token of a text gets a tag; the tags of a scheme name spans of characters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from functory.contracts.backbone import BackboneSpec
from functory.contracts.formulation import Formulation, Target
from functory.contracts.rows import Array, Encoded, Port, Row
from functory.errors import NotSupported
from functory.reading.passages import Part, Passage
from functory.reading.reader import Reader
from functory_sdk.spans.alignment import Units, tags_of, units
from functory_sdk.spans.apart import Apart, apart, character_borders
from functory_sdk.spans.schemes import SCHEMES
from functory_sdk.spans.types import Entities, Entity, SpanLabels, SpanOptions
from functory_sdk.spans.viterbi import best_path, runs
from functory_sdk.tags import tag_runs

IGNORED = -100
"""The gold of places that teach nothing: special tokens, a prefix, padding, and what another window decides."""


@dataclass(frozen=True, slots=True)
class ReadText:
    """What decoding needs of one text.

    :param text: as it was given: offsets count its characters.
    :param units: what gets a tag each.
    :param row: (units,) which row of this input decides each unit.
    :param place: (units,) where in that row; -1 where no token speaks for the unit.
    :param given: the words that came with the text, where some did: first character and the one after the last.
    :param is_cut: whether only the beginning of the text was read.
    """

    text: str
    units: Units
    row: Array
    place: Array
    notes: tuple[str, ...] = ()
    given: tuple[tuple[int, int], ...] = ()
    is_cut: bool = False

    @property
    def spoken(self) -> Array:
        """The units that a token speaks for, by their numbers."""
        return np.flatnonzero(self.place >= 0)


class Tagging(Formulation):
    """A linear head on each token. A token in several windows is decided by the one in whose middle it is nearest.

    What gets a tag each are *units*; a subclass says which they are, how a text is read and which tags are right. A text
    without any token has no row.

    :param overlap: tokens that the windows of a long text share.
    """

    head: ClassVar[str] = "functory_sdk.torch:TaggingHead"

    def __init__(self, overlap: int) -> None:
        self.overlap = overlap

    @abstractmethod
    def units(self, value: Any, offsets: Array, state: Any) -> Units:
        """Return what gets a tag each, in the order of the text; a unit that no token speaks for has the token -1.

        :param offsets: (tokens, 2) as the tokenizer tells them, in the text as it was given.
        """

    @abstractmethod
    def tags(self, example: Any, found: Units, state: Any) -> Array:
        """Return the right tag of each unit, (units,), by its number; -1 where there is none to be taught."""

    def as_read(self, value: Any, state: Any) -> Apart:
        """Return the text of an input as it is read; as it was given, by default."""
        return Apart(value.text)

    def weighed(self, scores: Array, state: Any) -> Array:
        """Return the log-probabilities by which units are decided, (units, tags); those of the head, by default."""
        return scores

    def outputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (Port("scores", "float32", ("tokens", len(state.tags))),)

    def gold_ports(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (Port("gold", "int64", ("tokens",), IGNORED),)

    def encode(self, inputs: Sequence[Any], reader: Reader, state: Any) -> Encoded:
        encoded = Encoded(rows=[], owner=[], side=[])
        read = [self.as_read(value, state) for value in inputs]
        passages = reader.read([one.text for one in read], fields=("text",), overlap=self.overlap)
        for index, (value, one, passage) in enumerate(zip(inputs, read, passages, strict=True)):
            side = self._reading(value, one, passage, state, is_cut=reader.long_text == "cut" and bool(passage.notes))
            rows = [window.row for window in passage.windows] if len(side.spoken) else []
            encoded.rows += rows
            encoded.owner += [index] * len(rows)
            encoded.side.append(side)
        return encoded

    def _reading(self, value: Any, read: Apart, passage: Passage, state: Any, *, is_cut: bool) -> ReadText:
        """Return the units of a text, each with its place in the window that decides it."""
        parts = passage.parts()
        pieces = list(stretches(parts))
        told = [p.tokens.offsets[a - p.start : b - p.start] for p, (a, b) in zip(parts, pieces, strict=True)]
        found = self.units(value, read.offsets(np.concatenate(told)), state)
        row = np.searchsorted([stop for _, stop in pieces], found.token, side="right")
        shift = np.asarray([part.first - part.start for part in parts])
        place = np.where(found.token < 0, -1, found.token + shift[row])
        return ReadText(value.text, found, row, place, passage.notes, tuple(getattr(value, "offsets", ())), is_cut)

    def label(self, examples: Sequence[Any], encoded: Encoded, state: Any) -> list[dict[str, Array]]:
        golds = [np.full(len(row["input_ids"]), IGNORED, dtype=np.int64) for row in encoded.rows]
        first = np.searchsorted(encoded.owner, np.arange(len(examples)))  # rows of one input lie together
        for index, (example, side) in enumerate(zip(examples, encoded.side, strict=True)):
            tags = self.tags(example, side.units, state)
            for row, place, tag in zip(side.row, side.place, tags, strict=True):
                if place >= 0 and tag >= 0:
                    golds[first[index] + row][place] = tag
        return [{"gold": gold} for gold in golds]

    def lead(self, side: ReadText, outputs: Sequence[Row], state: Any) -> float | None:
        """How far the two likeliest tags are apart, where they are nearest."""
        if not len(side.spoken):
            return None
        shares = np.sort(np.exp(self.weighed(scores_of(side, outputs), state)), axis=1)  # (units, tags)
        return float((shares[:, -1] - shares[:, -2]).min()) if shares.shape[1] > 1 else 1.0

    def places(self, target: Target, side: ReadText, outputs: Sequence[Row]) -> list[tuple[int, tuple[int, ...]]]:
        """The token at the target's character, wherever it is now; none where no token is left there."""
        at = target.at or 0
        units = [u for u in range(len(side.units)) if side.units.start[u] <= at < side.units.end[u] and side.place[u] >= 0]
        return [(int(side.row[u]), (int(side.place[u]), target.index[1])) for u in units[:1]]


def check_states(spec: BackboneSpec) -> None:
    """Refuse a backbone that gives no hidden state for each token of a text.

    :raises NotSupported: for an encoder-decoder.
    """
    if spec.architecture == "encoder-decoder":
        raise NotSupported(
            f"tagging wants one hidden state per token of the text; {spec.reference!r} is an encoder-decoder, which "
            "gives those of its output.",
            do="choose an encoder, such as minilm or e5.",
        )


def scores_of(side: ReadText, outputs: Sequence[Row]) -> Array:
    """Return the log-probabilities of the tags of each unit that is spoken for, (units, tags)."""
    found = [outputs[side.row[unit]]["scores"][side.place[unit]] for unit in side.spoken]
    return np.stack(found).astype(np.float64)


class SpanTagging(Tagging):
    """The tags of a scheme name spans of characters, each with its type."""

    def __init__(self, options: SpanOptions) -> None:
        super().__init__(options.overlap)
        self.options = options

    def as_read(self, value: Any, state: SpanLabels) -> Apart:
        return Apart(value.text) if self.options.characters == "together" else apart(value.text, character_borders(value.text))

    def units(self, value: Any, offsets: Array, state: SpanLabels) -> Units:
        wanted = self.options.subwords
        subwords = wanted if wanted != "auto" else "first" if state.given else "all"
        return units(value.text, offsets, subwords, is_announced=bool(state.given) and subwords == "first")

    def tags(self, example: Any, found: Units, state: SpanLabels) -> Array:
        return tags_of(found, example.entities, state.labels, SCHEMES[state.scheme])

    def decode(self, side: ReadText, outputs: Sequence[Row], state: SpanLabels) -> Entities:
        if not len(side.units):
            return Entities(entities=(), notes=side.notes)
        scores = scores_of(side, outputs)  # (units, tags)
        path, found = _given_runs(scores, state) if state.given else own_runs(scores, state)
        sure = np.exp(scores[np.arange(len(path)), path])
        entities = tuple(_entity(side, start, stop, label, float(sure[start:stop].min())) for start, stop, label in found)
        return Entities(entities=entities, notes=side.notes)

    def targets(self, output: Entities, side: ReadText, state: SpanLabels) -> list[Target]:
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


def stretches(parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
    """Give, for each window of a text, the tokens of the whole text that it decides: borders lie in the middle of what two
    share.
    """
    borders = [(one.stop + other.start + 1) // 2 for one, other in pairwise(parts)]
    yield from pairwise([0, *borders, parts[-1].stop])


def own_runs(scores: Array, state: SpanLabels) -> tuple[Array, list[tuple[int, int, str]]]:
    """Return the likeliest tags that fit one another, (units,), and the spans that they name, as units and label."""
    scheme = SCHEMES[state.scheme]
    path = best_path(scores, scheme)
    return path, [(start, stop, state.labels[label]) for start, stop, label in runs(path, scheme)]


def _given_runs(scores: Array, state: SpanLabels) -> tuple[Array, list[tuple[int, int, str]]]:
    """Return the likeliest tag of each unit, (units,), and the entities that they name, as a tagger made elsewhere is read.

    Its tags need not fit one another: what was trained on IOB1 begins most entities with I.
    """
    path: Array = scores.argmax(1)
    return path, list(tag_runs([state.given[tag] for tag in path]))


def _entity(side: ReadText, start: int, stop: int, label: str, score: float) -> Entity:
    """Return the entity of units `start` up to `stop`."""
    first, last = int(side.units.start[start]), int(side.units.end[stop - 1])
    return Entity(text=side.text[first:last], label=label, start=first, end=last, score=round(score, 6))

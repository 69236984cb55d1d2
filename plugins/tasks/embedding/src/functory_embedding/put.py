"""How texts are put to a backbone: each by itself, its vector as the backbone pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from functory_embedding.types import Embedded, EmbeddingOptions, Text
from functory_sdk import Array, BackboneSpec, Encoded, Formulation, Passage, Port, Reader, Row, State

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Read:
    """What is kept of an input.

    :param tokens: of each row, how many of the texts' own it holds.
    :param first: how many of the rows are the text's; those of the other one follow.
    """

    tokens: tuple[int, ...]
    first: int
    notes: tuple[str, ...]


class Plain(Formulation):
    """Vectors as they are. That of a long text is the mean over its windows, each weighing by its tokens."""

    head: ClassVar[str] = "functory_embedding.head:PlainHead"

    def __init__(self, options: EmbeddingOptions) -> None:
        self.options = options

    def outputs(self, spec: BackboneSpec, state: State) -> tuple[Port, ...]:
        return (Port("vector", "float32", (spec.width,)),)

    def encode(self, inputs: Sequence[Text], reader: Reader, state: State) -> Encoded:
        encoded = Encoded([], [], [])
        for index, passages in enumerate(self._passages(inputs, reader)):
            windows = [window for passage in passages for window in passage.windows]
            encoded.rows += [window.row for window in windows]
            encoded.owner += [index] * len(windows)
            tokens = tuple(len(window.parts[0].tokens) for window in windows)
            encoded.side.append(Read(tokens, len(passages[0].windows), _notes(passages)))
        return encoded

    def decode(self, side: Read, outputs: Sequence[Row], state: State) -> Embedded:
        found = np.asarray([row["vector"] for row in outputs], dtype=np.float64)  # (rows, width)
        vector = self._vector(found[: side.first], side.tokens[: side.first])
        if len(found) == side.first:
            return Embedded(vector=_plain(vector), notes=side.notes)
        other = self._vector(found[side.first :], side.tokens[side.first :])
        return Embedded(vector=_plain(vector), other=_plain(other), cosine=_cosine(vector, other), notes=side.notes)

    def _passages(self, inputs: Sequence[Text], reader: Reader) -> list[list[Passage]]:
        """Return each input's text as read, and the other one where there is one."""
        own = [self.options.role if one.role is None else one.role for one in inputs]
        found = [[passage] for passage in _read([one.text for one in inputs], own, "text", reader)]
        others = {index: one.other for index, one in enumerate(inputs) if one.other is not None}
        said = self.options.other_role
        read = _read([*others.values()], [own[index] if said is None else said for index in others], "other", reader)
        for index, passage in zip(others, read, strict=True):
            found[index].append(passage)
        return found

    def _vector(self, rows: Array, tokens: Sequence[int]) -> Array:
        """Return the vector of a text from those of its windows, (rows, width) → (dimension,)."""
        mean = np.average(rows, axis=0, weights=np.maximum(tokens, 1))
        kept = mean[: self.options.dimension or None]
        return _unit(kept) if self.options.normalise else kept


def _read(texts: Sequence[str], roles: Sequence[str], field: str, reader: Reader) -> list[Passage]:
    """Return each text as read, those of a role together."""
    found: dict[int, Passage] = {}
    for role in dict.fromkeys(roles):
        places = [place for place, one in enumerate(roles) if one == role]
        read = reader.read([texts[place] for place in places], fields=(field,), roles=role)
        found |= dict(zip(places, read, strict=True))
    return [found[place] for place in range(len(texts))]


def _notes(passages: Sequence[Passage]) -> tuple[str, ...]:
    """Return the notes on the text, and those on the other one, named so."""
    named = zip(("", "other "), passages, strict=False)
    return tuple(f"{name}{note}" for name, passage in named for note in passage.notes)


def _cosine(one: Array, other: Array) -> float:
    return round(float(_unit(one) @ _unit(other)), DIGITS)


def _unit(vector: Array) -> Array:
    """Return a vector at length 1; one of zeros as it is."""
    return vector / (float(np.linalg.norm(vector)) or 1.0)


def _plain(vector: Array) -> tuple[float, ...]:
    return tuple((np.round(vector, DIGITS) + 0.0).tolist())  # no −0.0

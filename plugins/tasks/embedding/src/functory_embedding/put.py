"""How texts are put to a backbone: each by itself, its vector as the backbone pools, or as it was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import ClassVar

import numpy as np

from functory_embedding.types import Compared, Embedded, EmbeddingOptions, Measures, Text
from functory_sdk import Array, BackboneSpec, Encoded, Formulation, Likened, Passage, Port, Reader, Row, Target, Taught

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


@dataclass(frozen=True)
class Part:
    """The windows of one of two texts.

    :param rows: (windows, dimension), before they are brought to length 1.
    :param shares: (windows,) of each in the text's vector.
    :param first: which row of the input the first of them is.
    """

    rows: Array
    shares: Array
    first: int

    @property
    def vector(self) -> Array:
        """The text's vector, (dimension,)."""
        found: Array = self.shares @ self.rows
        return found


class Plain(Formulation):
    """Vectors as they are. That of a long text is the mean over its windows, each weighing by its tokens."""

    head: ClassVar[str] = "functory_embedding.head:PlainHead"

    def __init__(self, options: EmbeddingOptions) -> None:
        self.options = options

    def outputs(self, spec: BackboneSpec, state: Measures) -> tuple[Port, ...]:
        return (Port("vector", "float32", (spec.width,)),)

    def encode(self, inputs: Sequence[Text], reader: Reader, state: Measures) -> Encoded:
        encoded = Encoded([], [], [])
        for index, passages in enumerate(self._passages(inputs, reader)):
            windows = [window for passage in passages for window in passage.windows]
            encoded.rows += [window.row for window in windows]
            encoded.owner += [index] * len(windows)
            tokens = tuple(len(window.parts[0].tokens) for window in windows)
            encoded.side.append(Read(tokens, len(passages[0].windows), _notes(passages)))
        return encoded

    def decode(self, side: Read, outputs: Sequence[Row], state: Measures) -> Embedded:
        found = np.asarray([row["vector"] for row in outputs], dtype=np.float64)  # (rows, width)
        vector = self._vector(found[: side.first], side.tokens[: side.first])
        if len(found) == side.first:
            return Embedded(vector=_plain(vector), notes=side.notes)
        other = self._vector(found[side.first :], side.tokens[side.first :])
        return Embedded(vector=_plain(vector), other=_plain(other), cosine=_cosine(vector, other), notes=side.notes)

    def targets(self, output: Embedded, side: Read, state: Measures) -> list[Target]:
        """How alike the two texts are, where there are two: the numbers of a vector mean nothing by themselves."""
        return [] if output.cosine is None else [Target(name="cosine", port="vector", index=())]

    def value(self, target: Target, side: Read, outputs: Sequence[Row], state: Measures) -> float:
        one, other = (self._part(side, outputs, place) for place in range(2))
        return float(_unit(one.vector) @ _unit(other.vector))

    def likened(self, target: Target, side: Read, outputs: Sequence[Row]) -> list[Likened]:
        """Each window of each text, beside its text's others, held against the other text."""
        both = [self._part(side, outputs, place) for place in range(2)]
        return [
            Likened(one.first + place, one.vector - share * row, share, other.vector)
            for one, other in (both, both[::-1])
            for place, (row, share) in enumerate(zip(one.rows, one.shares.tolist(), strict=True))
        ]

    def _part(self, side: Read, outputs: Sequence[Row], place: int) -> Part:
        """Return the windows of the text, or of the other one."""
        rows = slice(0, side.first) if place == 0 else slice(side.first, None)
        found = np.asarray([row["vector"] for row in outputs[rows]], dtype=np.float64)  # (rows, width)
        tokens = np.maximum(side.tokens[rows], 1)
        return Part(found[:, : self.options.dimension or None], tokens / tokens.sum(), rows.start)

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


class Learned(Plain):
    """Vectors that learn which texts belong together. A long text teaches by its first window."""

    head: ClassVar[str] = "functory_embedding.head:ContrastiveHead"

    def gold_ports(self, spec: BackboneSpec, state: Measures) -> tuple[Port, ...]:
        return (Port("said", "int64"), Port("side", "int64"), Port("worth", "float32"))

    def teach(
        self, examples: Sequence[Compared], inputs: Sequence[Text], reader: Reader, state: Measures
    ) -> Taught:
        taught = Taught([], [])
        for index, (example, passages) in enumerate(zip(examples, self._passages(inputs, reader), strict=True)):
            negatives = (example.negatives,) if isinstance(example.negatives, str) else example.negatives
            for negative in negatives:
                passages += self._passages([Text(text=example.text, other=negative, role=example.role)], reader)[0][1:]
            texts = (example.text, str(example.other), *negatives)
            for side, (text, passage) in enumerate(zip(texts, passages, strict=True)):
                golds = {"said": _named(text), "side": np.int64(side), "worth": np.float32(example.score or 0)}
                taught.rows.append({**passage.windows[0].row, **{name: np.asarray(one) for name, one in golds.items()}})
                taught.owner.append(index)
        return Taught(taught.rows, taught.owner, list(taught.owner))


def _named(text: str) -> np.int64:
    """Return a number that a text has and no other."""
    return np.int64(int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=7).digest(), "big"))


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

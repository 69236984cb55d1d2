"""How a query and a candidate are put to a backbone: in one row, each by itself with a head, or as their vectors are; beside
vectors stand the words that both hold, because vectors blur names and numbers.

In all of them a candidate is a row, or more where it is long: of its windows the best counts (Dai and Callan 2019, MaxP).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from functory_ranking.types import Item, Query, Ranked, RankedQuery, RankingOptions
from functory_sdk import Array, BackboneSpec, Encoded, Formulation, Port, Reader, Row, Target, Taught
from functory_sdk.lexicon import Words

FIELDS = ("query", "candidate")
ROLES = ("query", "passage")
WORDS = Port("words", "float32")
"""What the words that a query and a candidate share add to the cosine of their vectors."""
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Side:
    """What is kept of a query.

    :param candidates: as they were given.
    :param distinct: which different text each candidate is; what stands there twice is read once.
    :param of_row: which different text each row is of; the rows of the first come first.
    :param notes: of the output.
    """

    candidates: tuple[str, ...]
    distinct: tuple[int, ...]
    of_row: tuple[int, ...]
    notes: tuple[str, ...]

    def rows_of(self, candidate: int) -> list[int]:
        """Return the rows that a candidate is read in."""
        return [row for row, place in enumerate(self.of_row) if place == self.distinct[candidate]]


class Scored(Formulation):
    """Each candidate has a number, and the largest goes first."""

    port: ClassVar[str] = "score"
    """The output that a candidate is scored by."""

    def outputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (Port(self.port, "float32"),)

    @abstractmethod
    def pairs(self, pairs: Sequence[tuple[str, str]], reader: Reader) -> Encoded:
        """Read a query with each of some candidates; the sides are notes."""

    def encode(self, inputs: Sequence[Query], reader: Reader, state: Any) -> Encoded:
        texts = [tuple(dict.fromkeys(value.candidates)) for value in inputs]
        read = self.pairs([(value.query, text) for value, own in zip(inputs, texts, strict=True) for text in own], reader)
        whose = [(index, place) for index, own in enumerate(texts) for place in range(len(own))]
        notes: list[dict[str, None]] = [{} for _ in inputs]
        rows: list[list[int]] = [[] for _ in inputs]
        for (index, _), said in zip(whose, read.side, strict=True):
            notes[index] |= dict.fromkeys(said)
        for pair in read.owner:
            index, place = whose[pair]
            rows[index].append(place)
        sides = [
            Side(value.candidates, tuple(map(own.index, value.candidates)), tuple(of_row), tuple(said))
            for value, own, of_row, said in zip(inputs, texts, rows, notes, strict=True)
        ]
        return Encoded(read.rows, [whose[pair][0] for pair in read.owner], sides)

    def decode(self, side: Side, outputs: Sequence[Row], state: Any) -> Ranked:
        scores = self._scores(side, outputs)
        items = [Item(index=place, text=side.candidates[place], score=round(scores[place], DIGITS)) for place in _order(scores)]
        return Ranked(items=tuple(items), notes=side.notes)

    def lead(self, side: Side, outputs: Sequence[Row], state: Any) -> float:
        """The least of what any two neighbours are apart: by how much it is likelier that the first goes before the second."""
        found = self._scores(side, outputs)
        scores = sorted(found[place] for place in {kind: place for place, kind in enumerate(side.distinct)}.values())
        return float(np.tanh(np.diff(scores).min() / 2)) if len(scores) > 1 else 1.0

    def targets(self, output: Ranked, side: Side, state: Any) -> list[Target]:
        """The candidates, the first first; each stands in the first of its rows, and counts by the best."""
        return [
            Target(name=f"candidates.{item.index}", port=self.port, index=(), row=side.rows_of(item.index)[0])
            for item in output.items
        ]

    def places(self, target: Target, side: Side, outputs: Sequence[Row]) -> list[tuple[int, tuple[int, ...]]]:
        rows = side.rows_of(int(target.name.rpartition(".")[2]))
        return [(max(rows, key=lambda row: float(outputs[row][self.port])), ())]

    def _scores(self, side: Side, outputs: Sequence[Row]) -> list[float]:
        """Return each candidate's number: that of the best of its windows."""
        best: dict[int, float] = {}
        for place, output in zip(side.of_row, outputs, strict=True):
            best[place] = max(float(output[self.port]), best.get(place, -np.inf))
        return [best[place] for place in side.distinct]


class Together(Scored):
    """Query and candidate in one row, a cross-encoder."""

    def __init__(self, options: RankingOptions) -> None:
        self.head = f"functory_ranking.head:{options.loss.title()}Head"  # type: ignore[misc]

    def pairs(self, pairs: Sequence[tuple[str, str]], reader: Reader) -> Encoded:
        passages = reader.read(pairs, fields=FIELDS, windowed=("candidate",))
        rows = [(index, window.row) for index, passage in enumerate(passages) for window in passage.windows]
        return Encoded([row for _, row in rows], [index for index, _ in rows], [passage.notes for passage in passages])

    def gold_ports(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return Port("candidate", "int64"), Port("grade", "float32")

    def label(self, examples: Sequence[RankedQuery], encoded: Encoded, state: Any) -> list[dict[str, Array]]:
        """Which candidate of its query a row is of, and that one's grade."""
        grades = [
            dict(zip(side.distinct, example.relevance, strict=True))
            for side, example in zip(encoded.side, examples, strict=True)
        ]
        places = (place for side in encoded.side for place in side.of_row)
        return [
            {"candidate": np.asarray(place, dtype=np.int64), "grade": np.asarray(grades[owner][place], dtype=np.float32)}
            for owner, place in zip(encoded.owner, places, strict=True)
        ]

    def teach(self, examples: Sequence[RankedQuery], inputs: Sequence[Query], reader: Reader, state: Any) -> Taught:
        """The candidates of a query are learned together."""
        taught = super().teach(examples, inputs, reader, state)
        return replace(taught, group=taught.owner)


class ByVectors(Scored):
    """Query and candidate each by itself, beside the words that both hold; a text that stands in many rows is computed once.

    How rare a word is, is counted in the query's candidates.

    :param options: of which `lexical` says how much words count.
    """

    texts = 2

    def __init__(self, options: RankingOptions) -> None:
        self.lexical = options.lexical

    def inputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (WORDS,) if self.lexical else ()

    def pairs(self, pairs: Sequence[tuple[str, str]], reader: Reader) -> Encoded:
        return reader.each_by_itself(pairs, fields=FIELDS, roles=ROLES)

    def encode(self, inputs: Sequence[Query], reader: Reader, state: Any) -> Encoded:
        encoded = super().encode(inputs, reader, state)
        if not self.lexical:
            return encoded
        said = self._said(inputs)
        places = (place for side in encoded.side for place in side.of_row)
        rows = [
            {**row, WORDS.name: said[owner][place]}
            for row, owner, place in zip(encoded.rows, encoded.owner, places, strict=True)
        ]
        return replace(encoded, rows=rows)

    def _said(self, inputs: Sequence[Query]) -> list[Array]:
        """Return what its words add to each different candidate of each query."""
        known: dict[tuple[str, ...], Words] = {}
        found = []
        for value in inputs:
            texts = tuple(dict.fromkeys(value.candidates))
            if texts not in known:
                known[texts] = Words.of(texts)
            found.append(np.float32(self.lexical) * known[texts].shares([value.query])[0])
        return found


class Apart(ByVectors, Together):
    """A head on both vectors and on the words, which begins as what is taken without any training."""

    def __init__(self, options: RankingOptions) -> None:
        super().__init__(options)
        self.head = f"functory_ranking.head:Apart{options.loss.title()}Head"  # type: ignore[misc]


class Cosine(ByVectors):
    """The cosine of both vectors as they are, and what the words add."""

    head: ClassVar[str] = "functory_ranking.head:WordedCosineHead"


def _order(scores: Sequence[float]) -> list[int]:
    """Return the candidates from the best to the last, equal ones in the order given."""
    return sorted(range(len(scores)), key=lambda place: -scores[place])

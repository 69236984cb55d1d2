"""Choice by a head: each option is read beside the question and the context, and a softmax over the options is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from functory_multiple_choice.choosing import Choosing, Side, numbers, texts_of
from functory_multiple_choice.types import AnsweredQuestion, Question
from functory_sdk import Array, BackboneSpec, Encoded, Port, Reader, Row, Taught

FIELDS = ("context", "question", "option")


class Scoring(Choosing):
    """A row for each option, and more where the context is long: then its windows stand beside question and option."""

    head: ClassVar[str] = "functory_multiple_choice.head:ChoiceHead"
    port: ClassVar[str] = "score"

    def outputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (Port("score", "float32"),)

    def gold_ports(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return Port("option", "int64"), Port("gold", "int64")

    def encode(self, inputs: Sequence[Question], reader: Reader, state: Any) -> Encoded:
        """The first rows of a question are one of each option; the further windows follow."""
        encoded = Encoded(rows=[], owner=[], side=[])
        for index, value in enumerate(inputs):
            texts = [texts_of(value, option) for option in value.options]
            count = len(texts[0])
            windowed = ("context",) if count == len(FIELDS) else ()
            passages = reader.read(texts, fields=FIELDS[-count:], windowed=windowed)
            placed = [(turn, place) for place, one in enumerate(passages) for turn in range(len(one.windows))]
            placed.sort()
            encoded.rows += [passages[place].windows[turn].row for turn, place in placed]
            encoded.owner += [index] * len(placed)
            notes = tuple(dict.fromkeys(note for passage in passages for note in passage.notes))
            encoded.side.append(Side(value.options, tuple(place for _, place in placed), notes=notes))
        return encoded

    def label(self, examples: Sequence[AnsweredQuestion], encoded: Encoded, state: Any) -> list[dict[str, Array]]:
        """Which option a row is of, and whether that is the right one."""
        places = iter(place for side in encoded.side for place in side.of_row)
        golds = [(next(places), examples[owner].place) for owner in encoded.owner]
        return [
            {"option": np.asarray(option, dtype=np.int64), "gold": np.asarray(option == right, dtype=np.int64)}
            for option, right in golds
        ]

    def teach(
        self, examples: Sequence[AnsweredQuestion], inputs: Sequence[Question], reader: Reader, state: Any
    ) -> Taught:
        """The options of a question are learned together."""
        taught = super().teach(examples, inputs, reader, state)
        return replace(taught, group=taught.owner)

    def scores(self, side: Side, outputs: Sequence[Row]) -> Array:
        """The logarithm of the mean odds over an option's windows, (options,)."""
        given, of_row = numbers(outputs, "score"), np.asarray(side.of_row)
        own = [given[of_row == place] for place in range(len(side.options))]
        return np.asarray([np.logaddexp.reduce(one) - np.log(len(one)) for one in own])

"""Choice by a head: each option is read beside the question and the context, and a softmax over the options is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from functory_multiple_choice.choosing import Choosing, Side, among, numbers, texts_of
from functory_multiple_choice.types import AnsweredQuestion, ChoiceState, Question
from functory_sdk import Array, BackboneSpec, Encoded, Port, Reader, Row, Taught, sentence_spans
from functory_sdk.lexicon import Words

FIELDS = ("context", "question", "option")
PLACES = (1, 2)
"""Of how many sentences the places of a context are, in which words meet."""
MET = Port("met", "float32")
"""How much of an option's words, and of the question's, one place of the context holds."""
SCALES = (1.0, 2.0, 4.0, 8.0, 16.0)
ENOUGH, MOST, SURE = 16, 1000, 2.0
"""Questions with a context that are enough to learn from how much words count, as many as are looked at, and by how many standard
errors the right options must be likelier by them."""


class Scoring(Choosing):
    """A row for each option, and more where the context is long: then its windows stand beside question and option."""

    head: ClassVar[str] = "functory_multiple_choice.head:ChoiceHead"
    port: ClassVar[str] = "score"

    def inputs(self, spec: BackboneSpec, state: ChoiceState) -> tuple[Port, ...]:
        return (MET,) if state.lexical else ()

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
            beside = [{MET.name: one} for one in met(value)] if state.lexical else [{}] * len(passages)
            encoded.rows += [{**passages[place].windows[turn].row, **beside[place]} for turn, place in placed]
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


def met(value: Question) -> Array:
    """Return how much of each option's words some sentence of the context holds, and some two, the more the more of the
    question's stand there too, (options,) from 0 to 4; zeros without a context.

    What a sliding window looks for (Richardson et al. 2013, section 3), with rare words counting more.
    """
    spans, found = sentence_spans(value.context), np.zeros(len(value.options), dtype=np.float32)
    for count in PLACES if spans else ():
        last = spans[count - 1 :] or spans[-1:]  # a short context is one place
        texts = [value.context[start:end] for (start, _), (_, end) in zip(spans, last, strict=False)]
        shares = Words.of(texts).shares([value.question, *value.options])
        found += (shares[1:] * (1 + shares[:1])).max(1)  # (options, places) → (options,)
    return found


def worth(examples: Sequence[AnsweredQuestion]) -> float:
    """Return how much it counts, in log-odds, where an option's words meet the context's; 0 where the right options are not
    surely likelier by it.
    """
    asked = [one for one in examples if one.context.strip() and one.place is not None][:MOST]
    if len(asked) < ENOUGH:
        return 0.0
    own_numbers = [met(one) for one in asked]
    likely = np.asarray([
        [among(scale * own)[one.place or 0] + np.log(len(own)) for one, own in zip(asked, own_numbers, strict=True)]
        for scale in SCALES
    ])  # (scales, questions): beyond what chance gives
    best = int(likely.mean(1).argmax())
    error = likely[best].std(ddof=1) / np.sqrt(len(asked))
    return SCALES[best] if likely[best].mean() > SURE * error else 0.0

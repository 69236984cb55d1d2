"""How marks are put after words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from functory_sdk import Array, Row, Target
from functory_sdk.spans.alignment import Units
from functory_sdk.spans.apart import Apart, apart
from functory_sdk.spans.tagging import ReadText, scores_of
from functory_tagging.deciding import OneEach, Place, named, token_of, units_at
from functory_tagging.marks import Punctuated, punctuated
from functory_tagging.types import Line, Tagged, TaggedLine, TaggingOptions, TagLabels, Token


class Punctuating(OneEach):
    """The mark that follows each word. Marks that the text has are not read; a word's last token speaks for it.

    A text is read as it is written: apart, characters of Chinese were none that the backbone knew, and marks were found at
    a twentieth. Those of one token are one unit, and a mark follows the last of them.
    """

    def __init__(self, options: TaggingOptions) -> None:
        super().__init__(options.overlap)
        self.options = options

    def as_read(self, value: Line, state: TagLabels) -> Apart:
        bare = self._punctuated(value.text, value.offsets).bare
        if self.options.case == "lower":  # letter by letter: the places stay
            bare = "".join(small if len(small := letter.lower()) == 1 else letter for letter in bare)
        return apart(bare, [border for place in value.offsets for border in place])

    def weighed(self, scores: Array, state: TagLabels) -> Array:
        """Marks are rare: most places of one are likelier to have none, so they are favoured by what dev has taught."""
        if not state.favour:
            return scores
        shifted = scores.copy()
        shifted[:, 1:] += state.favour
        weighed: Array = shifted - np.logaddexp.reduce(shifted, axis=1, keepdims=True)
        return weighed

    def tune(
        self, sides: Sequence[ReadText], outputs: Sequence[Sequence[Row]], examples: Sequence[TaggedLine], state: TagLabels
    ) -> TagLabels:
        """Favour marks as far as their F1 on held-out examples is best."""
        read = [(side, rows, example) for side, rows, example in zip(sides, outputs, examples, strict=True) if len(side.spoken)]
        scores = [scores_of(side, rows) for side, rows, _ in read]
        golds = [self.tags(example, side.units, state)[side.spoken] for side, _, example in read]
        if not any(gold.any() for gold in golds):
            return state
        return state.model_copy(update={"favour": best_favour(np.concatenate(scores), np.concatenate(golds))})

    def _punctuated(self, text: str, given: Sequence[Place]) -> Punctuated:
        return punctuated(text, self.options.marks, given)

    def units(self, value: Line, offsets: Array, state: TagLabels) -> Units:
        found = units_at(self._punctuated(value.text, value.offsets).words, value.text, offsets, speaker="last")
        goes_on = (found.token[1:] == found.token[:-1]) & (found.token[1:] >= 0)
        begins, ends = np.flatnonzero(np.append(True, ~goes_on)), np.flatnonzero(np.append(~goes_on, True))
        if not len(found):
            return found
        return Units(found.token[ends], found.start[begins], found.end[ends])

    def tags(self, example: TaggedLine, found: Units, state: TagLabels) -> Array:
        told = self._punctuated(example.text, example.offsets)
        tags = np.zeros(len(found), dtype=np.int64)
        for (start, _), mark in zip(told.words, told.after, strict=True):
            if mark in state.labels:
                tags[np.searchsorted(found.end, start, side="right")] = state.tags.index(mark)
        return tags

    def decode(self, side: ReadText, outputs: Sequence[Row], state: TagLabels) -> Tagged:
        found, notes = self._tagged(side, outputs, state, "")
        told = self._punctuated(side.text, side.given)
        tokens = [token_of(side.text, place, unit.tag if place[1] == unit.end else "", unit.score)
                  for place, unit in _units_of(told.words, found)]  # fmt: skip
        after = [*(token.tag for token in tokens), *[""] * (len(told.words) - len(tokens))]
        return Tagged(tokens=tuple(tokens), text=told.restored(after), notes=(*side.notes, *notes))

    def targets(self, output: Tagged, side: ReadText, state: TagLabels) -> list[Target]:
        """Each mark that was put in, the surest first."""
        put = sorted((token for token in output.tokens if token.tag), key=lambda token: (-token.score, token.start))
        return named(put, side, state.tags)


def best_favour(scores: Array, golds: Array) -> float:
    """Return by how much marks are to be favoured over none, so that their F1 is best.

    :param scores: (units, tags) log-probabilities, the first tag being none.
    :param golds: (units,) the right tags.
    """
    mark = scores[:, 1:].argmax(1) + 1
    lead = scores[:, 0] - scores[np.arange(len(scores)), mark]  # a mark is put in where it is favoured by more than that
    order = np.argsort(lead, kind="stable")
    hits = np.cumsum((mark == golds)[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + (golds > 0).sum())
    last = np.append(lead[order][1:] > lead[order][:-1], True)  # ties are put in together
    best = int(np.where(last, f1, -1).argmax())
    above = lead[order][best + 1] if best + 1 < len(order) else lead[order][best] + 1
    return float((lead[order][best] + above) / 2)


def _units_of(words: Sequence[Place], units: Sequence[Token]) -> Iterator[tuple[Place, Token]]:
    """Give each word with the unit that it is in, as far as there are units."""
    number = 0
    for place in words:
        while number < len(units) and units[number].end <= place[0]:
            number += 1
        if number == len(units):
            return
        yield place, units[number]

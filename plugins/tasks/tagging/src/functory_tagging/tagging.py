"""How words are tagged; and how they are found, or marks put after them, as a state was learned for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory_sdk import Array, Row, Target
from functory_sdk.spans.alignment import Units
from functory_sdk.spans.apart import Apart, apart
from functory_sdk.spans.scripts import is_unspaced
from functory_sdk.spans.tagging import ReadText, Tagging
from functory_tagging.deciding import OneEach, named, units_at, words_of
from functory_tagging.punctuating import Punctuating
from functory_tagging.segmenting import Segmenting
from functory_tagging.types import Line, Tagged, TaggedLine, TaggingOptions, TagLabels

SINGLE = "characters were tagged one by one: give this function words, or build it with mode = 'words'"


class WordTagging(OneEach):
    """A tag for each word: those that are given, or those that the text shows. The first token of a word speaks for it.

    Words are read with spaces between them, so that no token belongs to two.
    """

    def __init__(self, options: TaggingOptions) -> None:
        super().__init__(options.overlap)

    def as_read(self, value: Line, state: TagLabels) -> Apart:
        return apart(value.text, [border for place in words_of(value) for border in place])

    def units(self, value: Line, offsets: Array, state: TagLabels) -> Units:
        return units_at(words_of(value), value.text, offsets)

    def tags(self, example: TaggedLine, found: Units, state: TagLabels) -> Array:
        number = {label: place for place, label in enumerate(state.labels)}
        return np.asarray([number[tag] for tag in example.tags], dtype=np.int64)

    def decode(self, side: ReadText, outputs: Sequence[Row], state: TagLabels) -> Tagged:
        tokens, notes = self._tagged(side, outputs, state, state.commonest)
        if state.is_given and not side.given and any(is_unspaced(token.text[0]) for token in tokens):
            notes.append(SINGLE)
        return Tagged(tokens=tuple(tokens), notes=(*side.notes, *notes))

    def targets(self, output: Tagged, side: ReadText, state: TagLabels) -> list[Target]:
        """Each word's tag, in the order of the text."""
        return named(output.tokens, side, state.tags)


class ByMode(Tagging):
    """The one of the three that a state was learned for."""

    def __init__(self, options: TaggingOptions) -> None:
        super().__init__(options.overlap)
        self._modes: dict[str, WordTagging | Segmenting | Punctuating] = {
            "tags": WordTagging(options), "words": Segmenting(options), "punctuation": Punctuating(options),
        }  # fmt: skip

    def as_read(self, value: Line, state: TagLabels) -> Apart:
        return self._modes[state.mode].as_read(value, state)

    def weighed(self, scores: Array, state: TagLabels) -> Array:
        return self._modes[state.mode].weighed(scores, state)

    def tune(
        self, sides: Sequence[ReadText], outputs: Sequence[Sequence[Row]], examples: Sequence[TaggedLine], state: TagLabels
    ) -> TagLabels:
        tuned: TagLabels = self._modes[state.mode].tune(sides, outputs, examples, state)
        return tuned

    def units(self, value: Line, offsets: Array, state: TagLabels) -> Units:
        return self._modes[state.mode].units(value, offsets, state)

    def tags(self, example: TaggedLine, found: Units, state: TagLabels) -> Array:
        return self._modes[state.mode].tags(example, found, state)

    def decode(self, side: ReadText, outputs: Sequence[Row], state: TagLabels) -> Tagged:
        return self._modes[state.mode].decode(side, outputs, state)

    def targets(self, output: Tagged, side: ReadText, state: TagLabels) -> list[Target]:
        return self._modes[state.mode].targets(output, side, state)

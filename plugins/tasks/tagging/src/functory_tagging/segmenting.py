"""How words are found, and how words that are given get their labels, by the tags of characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from functory_sdk import Array, Row, Target
from functory_sdk.spans.alignment import Units, tags_of, units
from functory_sdk.spans.apart import Apart, apart, character_borders
from functory_sdk.spans.schemes import SCHEMES
from functory_sdk.spans.tagging import ReadText, Tagging, own_runs, scores_of
from functory_tagging.deciding import Place, add, token_of
from functory_tagging.types import Line, Tagged, TaggedLine, TaggingOptions, TagLabels, Token


class Segmenting(Tagging):
    """Where words begin and end, by the tags of characters; with labels, each word's tag too.

    Characters are read with spaces between them where their script has none: a tokenizer's pieces would cross the borders
    of words. A word never goes across white space. Words that are given get the likeliest label each.
    """

    def __init__(self, options: TaggingOptions) -> None:
        super().__init__(options.overlap)

    def as_read(self, value: Line, state: TagLabels) -> Apart:
        return apart(value.text, _borders(value))

    def units(self, value: Line, offsets: Array, state: TagLabels) -> Units:
        return units(value.text, offsets, "all")

    def tags(self, example: TaggedLine, found: Units, state: TagLabels) -> Array:
        return tags_of(found, example.spans, state.labels, SCHEMES[state.scheme])

    def decode(self, side: ReadText, outputs: Sequence[Row], state: TagLabels) -> Tagged:
        if not len(side.units):
            return Tagged(tokens=tuple(_untold(side, state)), notes=side.notes)
        scores = scores_of(side, outputs)
        found = _given_words(side, scores, state) if side.given else _found_words(side, scores, state)
        return Tagged(tokens=tuple(found), notes=side.notes)

    def targets(self, output: Tagged, side: ReadText, state: TagLabels) -> list[Target]:
        """Each word: the log-probability that it begins where it does, in the order of the text."""
        targets: dict[str, Target] = {}
        number = {tag: place for place, tag in enumerate(state.tags)}
        for token in output.tokens:
            unit = int(np.searchsorted(side.units.end, token.start, side="right"))
            if unit == len(side.units) or side.units.start[unit] >= token.end:
                continue
            index = number[_first_tag(token, side, unit, state)]
            add(targets, f"{token.tag}:{token.text}", side, unit, index, int(side.units.start[unit]))
        return list(targets.values())


def _borders(value: Line) -> list[int]:
    """Return the borders of the words that are given, and of characters whose script has no spaces."""
    return sorted({*character_borders(value.text), *(border for place in value.offsets for border in place)})


def _found_words(side: ReadText, scores: Array, state: TagLabels) -> Iterator[Token]:
    """Give the words that the likeliest tags name, cut at white space; characters without a token go with those before."""
    path, found = own_runs(scores, state)
    sure = np.exp(scores[np.arange(len(path)), path])
    read = int(side.units.end[-1]) if side.is_cut else len(side.text)
    parts = [(*part, label) for start, stop, label in found for part in _unspaced(side, start, stop)]
    for number, (start, stop, label) in enumerate(parts):
        first = 0 if number == 0 else int(side.units.start[start])
        last = int(side.units.start[stop]) if stop < len(side.units) else read
        places = _stretches(side.text, first, last)
        share = float(sure[start:stop].min())
        yield from (token_of(side.text, place, label, share) for place in places)


def _unspaced(side: ReadText, start: int, stop: int) -> Iterator[Place]:
    """Give the parts of a run of units that have no white space within."""
    begun = start
    for unit in range(start + 1, stop):
        between = side.text[int(side.units.end[unit - 1]) : int(side.units.start[unit])]
        if any(map(str.isspace, between)):
            yield begun, unit
            begun = unit
    yield begun, stop


def _stretches(text: str, start: int, end: int) -> Iterator[Place]:
    """Give the stretches of a part of a text between white space."""
    begun = -1
    for place in range(start, end):
        if text[place].isspace():
            if begun >= 0:
                yield begun, place
            begun = -1
        elif begun < 0:
            begun = place
    if begun >= 0:
        yield begun, end


def _given_words(side: ReadText, scores: Array, state: TagLabels) -> Iterator[Token]:
    """Give the words that came with the text, each with the label whose tags are likeliest together."""
    scheme = SCHEMES[state.scheme]
    for start, end in side.given:
        first = int(np.searchsorted(side.units.end, start, side="right"))
        stop = int(np.searchsorted(side.units.start, end))
        if side.is_cut and first >= len(side.units):
            return
        if first >= stop:
            yield token_of(side.text, (start, end), state.commonest, 0.0)
            continue
        own = scores[first:stop]
        paths = np.asarray([scheme.written(stop - first, label) for label in range(len(state.labels))])  # (labels, units)
        together = own[np.arange(stop - first), paths].sum(1)
        shares = np.exp(together - np.logaddexp.reduce(together))
        yield token_of(side.text, (start, end), state.labels[int(shares.argmax())], float(shares.max()))


def _untold(side: ReadText, state: TagLabels) -> Iterator[Token]:
    """Give the words of a text that the tokenizer leaves nothing of: those that were given, or those between its spaces."""
    for place in side.given or _stretches(side.text, 0, len(side.text)):
        yield token_of(side.text, place, state.commonest, 0.0)


def _first_tag(token: Token, side: ReadText, unit: int, state: TagLabels) -> str:
    """Return the tag with which a word begins."""
    scheme = SCHEMES[state.scheme]
    is_one = unit + 1 == len(side.units) or int(side.units.start[unit + 1]) >= token.end
    return f"{scheme.alone if is_one else scheme.first}-{token.tag}"

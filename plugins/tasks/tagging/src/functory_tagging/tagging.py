"""How words are tagged, how they are found, and how marks are put after them: three sorts of units for one head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from functory_sdk import Array, Row, Target
from functory_sdk.spans.alignment import Units, tags_of, token_spans, units
from functory_sdk.spans.apart import Apart, apart, character_borders
from functory_sdk.spans.schemes import SCHEMES
from functory_sdk.spans.scripts import is_unspaced, plain_words
from functory_sdk.spans.tagging import ReadText, Tagging, own_runs, scores_of
from functory_tagging.marks import Punctuated, punctuated
from functory_tagging.types import Line, Tagged, TaggedLine, TaggingOptions, TagLabels, Token

Place = tuple[int, int]
SINGLE = "characters were tagged one by one: give this function words, or build it with mode = 'words'"


class _OneEach(Tagging):
    """Units that are decided one by one."""

    def _tagged(
        self, side: ReadText, outputs: Sequence[Row], state: TagLabels, otherwise: str
    ) -> tuple[list[Token], list[str]]:
        """Return each unit with its likeliest tag, and what is to be said of those without any token.

        :param otherwise: the tag of a unit that no token speaks for.
        """
        tags = [otherwise] * len(side.units)
        sure = np.zeros(len(side.units))
        if len(side.spoken):
            scores = self.weighed(scores_of(side, outputs), state)
            sure[side.spoken] = np.exp(scores.max(1))
            names = state.tags
            for unit, tag in zip(side.spoken, scores.argmax(1), strict=True):
                tags[unit] = names[tag]
        read = int(side.spoken.max(initial=-1)) + 1 if side.is_cut else len(side.units)
        untold = np.flatnonzero(side.place[:read] < 0)
        lost = sum(bool(otherwise) or any(map(str.isalnum, side.text[a:b])) for a, b in _places(side.units, untold))
        notes = [f"{lost:,} of {read:,} words have no token of this backbone: each got the tag {otherwise!r}"] if lost else []
        told = zip(_places(side.units, np.arange(read)), tags, sure, strict=False)
        return [_token(side.text, place, tag, float(share)) for place, tag, share in told], notes


class WordTagging(_OneEach):
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
        return _named(output.tokens, side, state.tags)


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
            _add(targets, f"{token.tag}:{token.text}", side, unit, index, int(side.units.start[unit]))
        return list(targets.values())


class Punctuating(_OneEach):
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
        tokens = [_token(side.text, place, unit.tag if place[1] == unit.end else "", unit.score)
                  for place, unit in _units_of(told.words, found)]  # fmt: skip
        after = [*(token.tag for token in tokens), *[""] * (len(told.words) - len(tokens))]
        return Tagged(tokens=tuple(tokens), text=told.restored(after), notes=(*side.notes, *notes))

    def targets(self, output: Tagged, side: ReadText, state: TagLabels) -> list[Target]:
        """Each mark that was put in, the surest first."""
        put = sorted((token for token in output.tokens if token.tag), key=lambda token: (-token.score, token.start))
        return _named(put, side, state.tags)


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


def words_of(value: Line) -> list[Place]:
    """Return the words of an input: those that are given, or those that its spaces and signs show."""
    return list(value.offsets) or plain_words(value.text)


def _borders(value: Line) -> list[int]:
    """Return the borders of the words that are given, and of characters whose script has no spaces."""
    return sorted({*character_borders(value.text), *(border for place in value.offsets for border in place)})


def units_at(places: Sequence[Place], text: str, offsets: Array, *, speaker: str = "first") -> Units:
    """Return words as units, each with the token that speaks for it; -1 where the tokenizer leaves none of it.

    :param offsets: (tokens, 2) as the tokenizer tells them.
    :param speaker: ``first`` or ``last`` of the word's tokens.
    """
    spans = np.asarray(token_spans(text, offsets), dtype=np.int64).reshape(-1, 2)
    told = np.flatnonzero(spans[:, 0] < spans[:, 1])  # tokens that have characters
    starts, ends = spans[told, 0], spans[told, 1]
    table = np.asarray(places, dtype=np.int64).reshape(-1, 2)
    first = np.searchsorted(ends, table[:, 0], side="right")  # the first token that ends within the word or beyond
    last = np.searchsorted(starts, table[:, 1]) - 1  # the last that begins before the word ends
    chosen = first if speaker == "first" else last
    token = np.full(len(table), -1, dtype=np.int64)
    has_one = first <= last
    token[has_one] = told[chosen[has_one]]
    return Units(token, table[:, 0], table[:, 1])


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


def _places(units: Units, numbers: Array) -> list[Place]:
    """Return where some units lie."""
    return list(zip(units.start[numbers].tolist(), units.end[numbers].tolist(), strict=True))


def _units_of(words: Sequence[Place], units: Sequence[Token]) -> Iterator[tuple[Place, Token]]:
    """Give each word with the unit that it is in, as far as there are units."""
    number = 0
    for place in words:
        while number < len(units) and units[number].end <= place[0]:
            number += 1
        if number == len(units):
            return
        yield place, units[number]


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
        yield from (_token(side.text, place, label, share) for place in places)


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
            yield _token(side.text, (start, end), state.commonest, 0.0)
            continue
        own = scores[first:stop]
        paths = np.asarray([scheme.written(stop - first, label) for label in range(len(state.labels))])  # (labels, units)
        together = own[np.arange(stop - first), paths].sum(1)
        shares = np.exp(together - np.logaddexp.reduce(together))
        yield _token(side.text, (start, end), state.labels[int(shares.argmax())], float(shares.max()))


def _untold(side: ReadText, state: TagLabels) -> Iterator[Token]:
    """Give the words of a text that the tokenizer leaves nothing of: those that were given, or those between its spaces."""
    for place in side.given or _stretches(side.text, 0, len(side.text)):
        yield _token(side.text, place, state.commonest, 0.0)


def _first_tag(token: Token, side: ReadText, unit: int, state: TagLabels) -> str:
    """Return the tag with which a word begins."""
    scheme = SCHEMES[state.scheme]
    is_one = unit + 1 == len(side.units) or int(side.units.start[unit + 1]) >= token.end
    return f"{scheme.alone if is_one else scheme.first}-{token.tag}"


def _named(tokens: Sequence[Token], side: ReadText, tags: Sequence[str]) -> list[Target]:
    """Return words' tags as targets."""
    targets: dict[str, Target] = {}
    for token in tokens:
        unit = int(np.searchsorted(side.units.end, token.start, side="right"))
        if side.place[unit] >= 0:
            _add(targets, f"{token.tag}:{token.text}", side, unit, tags.index(token.tag), token.start)
    return list(targets.values())


def _add(targets: dict[str, Target], name: str, side: ReadText, unit: int, tag: int, at: int) -> None:
    """Add a target; one whose name is taken is told by its place too."""
    name = name if name not in targets else f"{name}@{at}"
    index = (int(side.place[unit]), tag)
    targets[name] = Target(name=name, port="scores", index=index, row=int(side.row[unit]), at=at, scale="log")


def _token(text: str, place: Place, tag: str, score: float) -> Token:
    start, end = place
    return Token(text=text[start:end], start=start, end=end, tag=tag, score=round(score, 6))

"""What the three sorts of tagging share: words as units, units that are decided one by one, tokens and their targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory_sdk import Array, Row, Target
from functory_sdk.spans.alignment import Units, token_spans
from functory_sdk.spans.scripts import plain_words
from functory_sdk.spans.tagging import ReadText, Tagging, scores_of
from functory_tagging.types import Line, TagLabels, Token

Place = tuple[int, int]


class OneEach(Tagging):
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
        return [token_of(side.text, place, tag, float(share)) for place, tag, share in told], notes


def words_of(value: Line) -> list[Place]:
    """Return the words of an input: those that are given, or those that its spaces and signs show."""
    return list(value.offsets) or plain_words(value.text)


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


def named(tokens: Sequence[Token], side: ReadText, tags: Sequence[str]) -> list[Target]:
    """Return words' tags as targets."""
    targets: dict[str, Target] = {}
    for token in tokens:
        unit = int(np.searchsorted(side.units.end, token.start, side="right"))
        if side.place[unit] >= 0:
            add(targets, f"{token.tag}:{token.text}", side, unit, tags.index(token.tag), token.start)
    return list(targets.values())


def add(targets: dict[str, Target], name: str, side: ReadText, unit: int, tag: int, at: int) -> None:
    """Add a target; one whose name is taken is told by its place too."""
    name = name if name not in targets else f"{name}@{at}"
    index = (int(side.place[unit]), tag)
    targets[name] = Target(name=name, port="scores", index=index, row=int(side.row[unit]), at=at, scale="log")


def token_of(text: str, place: Place, tag: str, score: float) -> Token:
    """Return a stretch of a text as a word with its tag."""
    start, end = place
    return Token(text=text[start:end], start=start, end=end, tag=tag, score=round(score, 6))


def _places(units: Units, numbers: Array) -> list[Place]:
    """Return where some units lie."""
    return list(zip(units.start[numbers].tolist(), units.end[numbers].tolist(), strict=True))

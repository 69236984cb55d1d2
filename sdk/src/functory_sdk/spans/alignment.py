"""Which characters a token covers, which tokens learn and decide, which tag each gets.

Tokenizers tell offsets for people to look at, and they overlap and leave gaps. Here every token gets characters of
its own, and what decides is a *unit*: a token, or the tokens of a word of which the first speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from functory.contracts.rows import Array
from functory_sdk.spans.graphemes import grapheme_borders
from functory_sdk.spans.schemes import Scheme
from functory_sdk.spans.scripts import is_clinging, is_inside_word
from functory_sdk.spans.types import Span


@dataclass(frozen=True, slots=True)
class Units:
    """What gets a tag each, in the order of the text.

    :param token: (units,) which token of the text speaks for it.
    :param start: (units,) first character.
    :param end: (units,) the character after the last.
    """

    token: Array
    start: Array
    end: Array

    def __len__(self) -> int:
        return len(self.token)


def units(text: str, offsets: Array, subwords: Literal["first", "all"], *, is_announced: bool = False) -> Units:
    """Return the units of a text. None begins within a character as people see it: a flag, a family of emoji, a pile of marks.

    :param offsets: (tokens, 2) as the tokenizer tells them.
    :param subwords: ``first`` joins the tokens of a word of a script that is written with spaces.
    :param is_announced: the first token that has to do with a unit speaks, if it has no character to itself: a lone ``▁``, a
        character's first byte. So taggers learn whose words were tokenised one by one.
    """
    found: list[list[int]] = []
    spans = token_spans(text, offsets)
    borders = grapheme_borders(text)
    for token, (start, end) in enumerate(spans):
        if start == end:
            continue
        is_one_word = subwords == "first" and bool(found) and found[-1][2] == start and is_inside_word(text, start)
        if is_one_word or (found and not borders[start]):
            found[-1][2] = end
        else:
            speaker = token
            while is_announced and speaker and spans[speaker - 1] == (start, start):
                speaker -= 1
            found.append([speaker, start, end])
    table = np.asarray(found, dtype=np.int64).reshape(-1, 3)
    return Units(table[:, 0], table[:, 1], table[:, 2])


def token_spans(text: str, offsets: Array) -> list[tuple[int, int]]:
    """Return the characters that each token has to itself; none (start = end) for a token that only announces others.

    Of tokens that tell the same character the last has it: a lone ``▁`` names the first character of the next piece,
    and the last byte of a character is the one that has seen it whole. White space belongs to no token. A combining mark
    or an invisible sign that no token tells belongs to the token before it.
    """
    spans: list[tuple[int, int]] = []
    later = len(text)  # where the next token begins
    for start, end in reversed(offsets.tolist()):
        end = min(end, later)
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start >= end:
            spans.append((start, start))
            continue
        while end < later and is_clinging(text[end]):
            end += 1
        spans.append((start, end))
        later = start
    return spans[::-1]


def tags_of(found: Units, entities: Sequence[Span], labels: Sequence[str], scheme: Scheme) -> Array:
    """Return the tag of each unit, (units,), by its number; outside of all entities 0, or -1 where the scheme has no O.

    A unit across the border of an entity belongs to the entity where at least half of its characters do; where two have
    half each, to the first. An entity that has no such unit cannot be told to the head.

    :param entities: in the order of the text, none overlapping another.
    """
    tags = np.full(len(found), scheme.outside - 1, dtype=np.int64)
    taken, before = 0, -1  # the units up to here are an entity's, the last of them of that label
    for entity in entities:
        label = labels.index(entity.label)
        places = [place for place in covered(found, entity) if place >= taken]
        if not places:
            continue
        tags[places] = scheme.written(len(places), label, is_beside=before == label and places[0] == taken)
        taken, before = places[-1] + 1, label
    return tags


def covered(found: Units, entity: Span) -> Iterator[int]:
    """Give the units of which an entity holds at least half."""
    first = int(np.searchsorted(found.end, entity.start, side="right"))
    for place in range(first, len(found)):
        start, end = int(found.start[place]), int(found.end[place])
        if start >= entity.end:
            return
        if 2 * (min(end, entity.end) - max(start, entity.start)) >= end - start:
            yield place

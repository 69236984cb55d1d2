"""Parts a long text, so that each part fits into a prompt: at the ends of sentences, or between words where one is too long."""

from __future__ import annotations

from bisect import bisect_right

from functory.reading.sentences import sentence_spans
from functory.reading.tokenizer import Tokenizer

SLACK = 4
"""Tokens by which a part may have more, read by itself, than in the text."""


def parted(text: str, tokenizer: Tokenizer, room: int) -> list[str]:
    """Return a text in parts of at most so many tokens, of about one length; whole where it fits.

    :param room: at least 1.
    :raises InputError: for a text that cannot be tokenised.
    """
    [tokens] = tokenizer.tokens([text])
    if len(tokens) <= room:
        return [text]
    room = max(1, room - SLACK)
    starts = tokens.offsets[:, 0].tolist()
    ends = [end for _, end in sentence_spans(text)]
    count = -(-len(tokens) // room)
    aim = -(-len(tokens) // count)  # tokens of a part
    parts: list[str] = []
    first = 0
    while first < len(tokens):
        last = _border(starts, ends, first, min(first + room, len(tokens)), first + aim)
        parts.append(text[starts[first] if parts else 0 : starts[last] if last < len(tokens) else len(text)])
        first = last
    return [part for part in map(str.strip, parts) if part]


def located(text: str, tokenizer: Tokenizer, room: int) -> list[tuple[int, int]]:
    """Return where the parts of a text stand in it, as `parted` makes them: first characters, and ends."""
    found, cursor = [], 0
    for part in parted(text, tokenizer, room):
        start = text.index(part, cursor)
        cursor = start + len(part)
        found.append((start, cursor))
    return found


def _border(starts: list[int], ends: list[int], first: int, most: int, aim: int) -> int:
    """Return the token before which a part ends: at a sentence's end near the aim, or where there is no more room.

    :param most: the last such token.
    """
    if most == len(starts):
        return most
    borders = [bisect_right(starts, end - 1) for end in ends]
    within = [border for border in borders if first < border <= most]
    if not within:
        return _word(starts, first, most)
    return min(within, key=lambda border: abs(border - aim))


def _word(starts: list[int], first: int, most: int) -> int:
    """Return the last token up to a place that begins at a character of its own: half a character is none."""
    while most > first + 1 and starts[most] == starts[most - 1]:
        most -= 1
    return most

"""What is read at once: pieces of passages, so many as fit into a prompt, each under its passage's number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from functory_sdk import Reader, Tokenizer, parted


@dataclass(frozen=True)
class Piece:
    """A passage, or a part of one that is too long.

    :param passage: which passage it is, counted from 0.
    :param start: its first character there.
    """

    passage: int
    start: int
    text: str


@dataclass(frozen=True)
class Lot:
    """A question with the pieces that are read at once; of an example with what is right.

    :param sources: the passages that say it.
    """

    question: str
    pieces: tuple[Piece, ...]
    answers: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()


def whole(value: Any) -> Lot:  # Any: an input, or an example
    """Return a question with all its passages."""
    pieces = tuple(Piece(place, 0, text) for place, text in enumerate(value.passages))
    return Lot(value.question, pieces, getattr(value, "answers", ()), getattr(value, "sources", ()))


def lots(value: Lot, room: int, reader: Reader) -> list[Lot]:
    """Return the same question with as many of its pieces at once as there is room for, in their order; a piece that is too long
    by itself in parts.

    :param room: tokens of question and pieces, with what stands before each.
    """
    read = reader.tokenizer.tokens([value.question])[0]
    left = max(1, room - len(read))
    sized = [(piece, size) for one in value.pieces for piece, size in _parts(one, left, reader.tokenizer)]
    return [Lot(value.question, tuple(some), value.answers, value.sources) for some in _filled(sized, left)]


def _parts(piece: Piece, room: int, tokenizer: Tokenizer) -> Iterator[tuple[Piece, int]]:
    """Give the parts of a piece, each with its tokens."""
    around = len(tokenizer.tokens(["[10] \n"])[0])
    cursor = 0
    for part in parted(piece.text, tokenizer, max(1, room - around)):
        cursor = piece.text.find(part, cursor)
        yield Piece(piece.passage, piece.start + cursor, part), len(tokenizer.tokens([part])[0]) + around


def _filled(sized: Sequence[tuple[Piece, int]], room: int) -> Iterator[list[Piece]]:
    """Give pieces in lots, each as full as it may be."""
    numbers, taken, number = [], 0, 0
    for _, size in sized:
        if taken and taken + size > room:
            number, taken = number + 1, 0
        taken += size
        numbers.append(number)
    for _, some in groupby(zip(sized, numbers, strict=True), key=lambda one: one[1]):
        yield [piece for (piece, _), _ in some]

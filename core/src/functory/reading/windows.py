"""The rule for texts that are too long for a row: how much of each one gets, and where it is parted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from functory.reading.tokenizer import Ids


def shares(lengths: Sequence[int], room: int) -> tuple[int, ...]:
    """Return how many tokens of each of several texts a row holds: the shorter keep their length, the longer share alike.

    :param lengths: tokens of each text.
    :param room: tokens of all of them that fit.
    """
    sizes, left = [0] * len(lengths), room
    order = sorted(range(len(lengths)), key=lambda place: lengths[place])
    for done, place in enumerate(order):
        sizes[place] = min(lengths[place], left // (len(lengths) - done))
        left -= sizes[place]
    return tuple(sizes)


def windows(words: Ids, size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Cut a long text into windows, at word borders where there is one.

    Each goes on by a quarter of its size at least, so that all of them together hold at most four times the text.

    :param words: (tokens,) the word of each token.
    :param size: tokens of one window.
    :param overlap: tokens that neighbours share, at most half of one.
    :return: first token and the one after the last; together they cover every token.
    """
    start, overlap = 0, min(overlap, size // 2)
    while start + size < len(words):
        stop = start + size
        least = start + overlap + (size - overlap) // 2
        border = stop
        while border > least and words[border] == words[border - 1] and words[border] >= 0:
            border -= 1
        stop = border if border > least else stop
        yield start, stop
        start = stop - overlap
    yield start, len(words)

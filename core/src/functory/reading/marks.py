"""Marks around spans of a text: where they stand among its tokens, and which tokens are kept where not all fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from functory.contracts.rows import Array
from functory.reading.segmentation import Ends
from functory.reading.tokenizer import Ids, Tokens, as_ids


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with marks around spans of it, as one row.

    :param row: the arrays the network reads.
    :param opened: (spans,) where the mark before each span stands in the row.
    :param closed: (spans,) where the mark after it stands.
    :param notes: what the output should say: "cut to 200 tokens around the spans".
    """

    row: dict[str, Array]
    opened: Ids
    closed: Ids
    notes: tuple[str, ...] = ()


def touched(tokens: Tokens, span: Ends) -> Ends:
    """Return the tokens that hold some of a span's characters; none, at the place of the span, where it has no tokens."""
    start, end = span
    found = np.flatnonzero((tokens.offsets[:, 1] > start) & (tokens.offsets[:, 0] < end))
    if len(found):
        return int(found[0]), int(found[-1]) + 1
    place = int((tokens.offsets[:, 1] <= start).sum())
    return place, place


def nearest(count: int, spans: Sequence[Ends], room: int) -> Ids:
    """Return which tokens of a text are kept where not all fit: the spans' from their first on, then those around them.

    :param count: tokens of the text.
    :param spans: in tokens.
    :param room: how many fit.
    """
    places = np.arange(count)
    inside = np.full(count, count)  # a token's place in its span
    around = np.full(count, count)  # how far it is from the nearest span
    for start, end in spans:
        inside[start:end] = np.minimum(inside[start:end], places[: end - start])
        around = np.minimum(around, np.where(places < start, start - places, np.maximum(places - end + 1, 0)))
    order = np.lexsort((places, around, inside))
    return as_ids(np.sort(order[:room]).tolist())


def interleaved(tokens: Tokens, kept: Ids, spans: Sequence[Ends], marks: Sequence[Ids]) -> tuple[Ids, Ids, Ids]:
    """Return the tokens that are kept with a mark before and after each span, and where the marks stand.

    A mark stands outside every token of its span: one that holds more than the span does is in it.

    :param spans: in tokens; two may share one.
    :param marks: one for each span.
    :return: (tokens,) the ids, (spans,) where each first mark stands, (spans,) where each second.
    """
    pieces: list[tuple[Ids, int, str]] = []
    chosen = np.zeros(len(tokens), dtype=bool)
    chosen[kept] = True
    for place in range(len(tokens) + 1):
        ending = [index for index, (start, end) in enumerate(spans) if start < end == place]
        pieces += [(marks[index], index, "closed") for index in reversed(ending)]
        for index, (start, end) in enumerate(spans):
            if start == place:
                pieces.append((marks[index], index, "opened"))
                pieces += [(marks[index], index, "closed")] if start == end else []
        if place < len(tokens) and chosen[place]:
            pieces.append((tokens.ids[place : place + 1], -1, ""))
    found = {"opened": as_ids([0] * len(spans)), "closed": as_ids([0] * len(spans))}
    length = 0
    for ids, index, which in pieces:
        if which:
            found[which][index] = length
        length += len(ids)
    return np.concatenate([ids for ids, _, _ in pieces]), found["opened"], found["closed"]

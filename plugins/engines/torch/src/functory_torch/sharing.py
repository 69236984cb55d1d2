"""Finds rows that begin alike, and lays them into rows that branch: what they share is computed once.

A hundred and fifty labels after one prompt are a tree: the prompt, then each label's tokens, those that several labels begin
with once too. It stands in one row, a token before what follows it, so that the tokens that see one are those up to its end;
positions are those of a row of its own. Nothing is copied for each label, and no keys or values are kept. Apart from the
session, because nothing here is torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from functory_sdk import Array, BackboneSpec, Port, Row

LEAST, SHARE = 8, 0.2
"""Rows that share fewer tokens, or a smaller part of what one adds to another, are not put together for them."""
BRANCHED = 512
"""So many tokens stand in one row after those of its first, or as many as these: attention's cost is quadratic in them."""
GAIN = 0.75
"""Rows are shared where that leaves at most this part of their tokens."""


@dataclass(frozen=True)
class Shared:
    """Rows that begin alike, as one row that branches.

    :param row: the network's arrays, with ``positions`` and ``ends`` (see `Network.has_branches`).
    :param members: which rows they are.
    :param places: for each of them, where its written tokens lie in `row`, (tokens,).
    """

    row: dict[str, Array]
    members: tuple[int, ...]
    places: tuple[Array, ...]

    @property
    def tokens(self) -> int:
        """What the row costs."""
        return _cost(self.row)


def branch_ports(spec: BackboneSpec) -> tuple[Port, ...]:
    """Return the ports of rows that branch: the network's own, and the two that say how."""
    axes = ("target",) if spec.architecture == "encoder-decoder" else ("tokens",)
    return (*spec.ports(), Port("positions", "int64", axes, 0), Port("ends", "int64", axes, 0))


def shared(rows: Sequence[Row], spec: BackboneSpec, *, reads_last: bool = True) -> list[Shared] | None:
    """Return rows as few that branch; None where they do not begin alike, or hold what cannot be shared.

    Rows of an encoder-decoder are put together where they have one source; it is what they write that branches.

    :param reads_last: whether the state of a row's last written token is read; its place is any where it is not.
    """
    if len(rows) < 2 or any(_is_odd(row, spec) for row in rows):
        return None
    written = "decoder_input_ids" if spec.architecture == "encoder-decoder" else "input_ids"
    texts = [row[written] if reads_last else row[written][: max(1, len(row[written]) - 1)] for row in rows]
    sources = [row["input_ids"] if written != "input_ids" else texts[0][:0] for row in rows]
    found = [_laid(rows, texts, group, written) for group in _groups(texts, sources)]
    return found if sum(one.tokens for one in found) <= GAIN * sum(map(_cost, rows)) else None


def _cost(row: Row) -> int:
    """Return the tokens of a row, read and written."""
    return sum(row[name].size for name in ("input_ids", "decoder_input_ids") if name in row)


def _is_odd(row: Row, spec: BackboneSpec) -> bool:
    """Whether a row is no plain one of tokens that all count."""
    arrays = {port.name: row.get(port.name) for port in spec.ports()}
    return any(
        array is None or array.ndim != 1 or not array.size or (name.endswith("attention_mask") and not array.all())
        for name, array in arrays.items()
    )


def _groups(texts: Sequence[Array], sources: Sequence[Array]) -> Iterator[list[int]]:
    """Give the rows that stand together, in an order in which those that begin alike are neighbours."""
    keys = [(source.tobytes(), text.astype(">u8").tobytes()) for source, text in zip(sources, texts, strict=True)]
    order = sorted(range(len(texts)), key=keys.__getitem__)
    group, added = [order[0]], 0
    for before, index in pairwise(order):
        alike = _alike(texts[before], texts[index])
        new, saved = len(texts[index]) - alike, alike + len(sources[index])
        has_room = added + new <= max(BRANCHED, len(texts[group[0]]))
        if keys[index][0] == keys[before][0] and saved >= max(LEAST, SHARE * new) and has_room:
            group.append(index)
            added += new
        else:
            yield group
            group, added = [index], 0
    yield group


def _alike(one: Array, other: Array) -> int:
    """Return how many tokens two rows begin with alike."""
    size = min(len(one), len(other))
    differing = np.flatnonzero(one[:size] != other[:size])
    return int(differing[0]) if len(differing) else size


def _laid(rows: Sequence[Row], texts: Sequence[Array], members: Sequence[int], written: str) -> Shared:
    """Return rows as the tree that they are: each token once, its followers after it."""
    ids: list[int] = []
    positions: list[int] = []
    ends: list[int] = []
    path: list[int] = []  # where the tokens of the last row lie
    before, places = texts[members[0]][:0], []
    for index in members:
        text, alike = texts[index], _alike(before, texts[index])
        for place in path[alike:]:
            ends[place] = len(ids)
        path = [*path[:alike], *range(len(ids), len(ids) + len(text) - alike)]
        ids += text[alike:].tolist()
        positions += range(alike, len(text))
        ends += [0] * (len(text) - alike)
        unread = len(rows[index][written]) - len(text)
        places.append(np.asarray([*path, *path[-1:] * unread], dtype=np.int64))
        before = text
    for place in path:
        ends[place] = len(ids)
    first, laid = rows[members[0]], np.asarray(ids, dtype=np.int64)
    mask = written.replace("input_ids", "attention_mask")
    row = {name: first[name] for name in ("input_ids", "attention_mask") if written != "input_ids"}
    row |= {written: laid, mask: np.ones_like(laid), "positions": np.asarray(positions), "ends": np.asarray(ends)}
    return Shared(row, tuple(members), tuple(places))

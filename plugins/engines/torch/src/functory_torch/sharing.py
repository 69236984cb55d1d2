"""Finds rows that begin alike, and lays them into rows that branch: what they share is computed once.

A hundred and fifty labels after one prompt are a tree: the prompt, then each label's tokens, those that several labels begin
with once too. It stands in one row, a token before what follows it, so that the tokens that see one are those up to its end;
positions are those of a row of its own. Nothing is copied for each label. What all rows begin with, as with a chat template's
first words or with demonstrations, is computed before them, and its keys and values are kept for the trees, a tree a text: so
they stay small, and attention, whose cost is quadratic in them, cheap. Apart from the session, because nothing here is torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from functory_sdk import Array, BackboneSpec, Port, Row, plan
from functory_torch.beginnings import LEAST, in_common

SHARE = 0.2
"""Rows that share a smaller part of what one adds to another, or fewer tokens than `LEAST`, are not put together for them."""
BRANCHED = 512
"""So many tokens stand in one row after those of its first, or as many as these: attention's cost is quadratic in them."""
ATTENTION, NARROW_ATTENTION = 4, 1
"""Attention to so many tokens as this times the network's width costs about what all its maps do, and maps that are narrow."""
GAIN = 0.75
"""Rows are shared where that leaves at most this part of their tokens."""


@dataclass(frozen=True)
class Shared:
    """Rows that begin alike, as one row that branches.

    :param row: the network's arrays, with ``positions`` and ``ends`` (see `Network.has_branches`).
    :param members: which rows they are.
    :param places: for each of them, where its written tokens lie in the beginning with `row` after it, (tokens,).
    """

    row: dict[str, Array]
    members: tuple[int, ...]
    places: tuple[Array, ...]

    @property
    def tokens(self) -> int:
        """What the row costs."""
        return _cost(self.row)


@dataclass(frozen=True)
class Sharing:
    """Rows as few that branch.

    :param beginning: the tokens that all of them begin with and that stand in none of `rows`, (tokens,); empty where there are
        none, and with one row that branches, which has them itself but for those that are known.
    :param common: what all of them begin with, wherever it stands, (tokens,).
    """

    beginning: Array
    rows: tuple[Shared, ...]
    common: Array

    @property
    def tokens(self) -> int:
        """What all of it costs."""
        return len(self.beginning) + sum(one.tokens for one in self.rows)

    def batches(self, budget: int, reach: int) -> Iterator[list[Shared]]:
        """Give the rows batch by batch, trees that are shorter than others together in one row, so that little is padded.

        :param budget: tokens of a batch; what is longer runs alone.
        :param reach: attention to so many tokens costs what all maps do.
        """
        if any("decoder_input_ids" in one.row for one in self.rows):  # what has a source of its own stays alone
            yield from ([self.rows[index] for index in own] for own in plan([one.tokens for one in self.rows], budget))
            return
        batch: list[Shared] = []
        for one in self.rows:
            if batch and sum(each.tokens for each in batch) + one.tokens > budget:
                yield _packed(batch, len(self.beginning), reach)
                batch = []
            batch.append(one)
        yield _packed(batch, len(self.beginning), reach)


def branch_ports(spec: BackboneSpec) -> tuple[Port, ...]:
    """Return the ports of rows that branch: the network's own, and the two that say how."""
    axes = ("target",) if spec.architecture == "encoder-decoder" else ("tokens",)
    return (*spec.ports(), Port("positions", "int64", axes, 0), Port("ends", "int64", axes, 0))


def shared(
    rows: Sequence[Row], spec: BackboneSpec, *, reads_last: bool = True, known: Callable[[Array], int] = lambda ids: 0
) -> Sharing | None:
    """Return rows as few that branch; None where they do not begin alike, or hold what cannot be shared.

    Rows of an encoder-decoder are put together where they have one source; it is what they write that branches.

    :param reads_last: whether the state of a row's last written token is read; its place is any where it is not.
    :param known: how many tokens of what all rows begin with have states by now.
    """
    if len(rows) < 2 or any(_is_odd(row, spec) for row in rows):
        return None
    written = "decoder_input_ids" if spec.architecture == "encoder-decoder" else "input_ids"
    texts = [row[written] if reads_last else row[written][: max(1, len(row[written]) - 1)] for row in rows]
    sources = [row["input_ids"] if written != "input_ids" else texts[0][:0] for row in rows]
    common = _beginning(texts) if written == "input_ids" else 0
    found = _shared(rows, texts, sources, written, common, known(texts[0][:common]))
    return found if found.tokens <= GAIN * sum(map(_cost, rows)) else None


def laid(texts: Sequence[Array], known: int) -> Sharing:
    """Return texts of a decoder as rows that branch, however little they share, after what all begin with.

    :param texts: (tokens,) each, no two alike.
    :param known: how many tokens all begin with and have states by now; each text has one more at least.
    """
    rows = [{"input_ids": text} for text in texts]
    common = max(known, _beginning(texts)) if len(texts) > 1 else known
    return _shared(rows, texts, [text[:0] for text in texts], "input_ids", common, known)


def _shared(
    rows: Sequence[Row], texts: Sequence[Array], sources: Sequence[Array], written: str, common: int, known: int = 0
) -> Sharing:
    """Return rows as few that branch after the tokens that are common to all; where it is one row, after those that are known."""
    groups, all_of = list(_groups([text[common:] for text in texts], sources)), common
    if common > known and len(groups) == 1:
        groups, common = list(_groups([text[known:] for text in texts], sources)), known
    trees = tuple(_laid(rows, texts, group, written, common) for group in groups)
    return Sharing(texts[0][:common], trees, texts[0][:all_of])


def _beginning(texts: Sequence[Array]) -> int:
    """Return how many tokens all texts begin with; each has one more at least. 0 where they are too few to be kept."""
    size = min(in_common(texts[0], text) for text in texts)
    size = min(size, *(len(text) - 1 for text in texts))
    return size if size >= LEAST else 0


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
        alike = in_common(texts[before], texts[index])
        new, saved = len(texts[index]) - alike, alike + len(sources[index])
        has_room = added + new <= max(BRANCHED, len(texts[group[0]]))
        if keys[index][0] == keys[before][0] and saved >= max(LEAST, SHARE * new) and has_room:
            group.append(index)
            added += new
        else:
            yield group
            group, added = [index], 0
    yield group


def _laid(rows: Sequence[Row], texts: Sequence[Array], members: Sequence[int], written: str, common: int) -> Shared:
    """Return rows as the tree that they are after their common tokens: each token once, its followers after it."""
    ids: list[int] = []
    ends: list[int] = []
    positions: list[int] = []
    path: list[int] = [*range(common)]  # where the tokens of the last row lie
    before, places = texts[members[0]][:common], []
    for index in members:
        text, alike = texts[index], in_common(before, texts[index])
        for place in path[alike:]:
            ends[place - common] = common + len(ids)
        path = [*path[:alike], *range(common + len(ids), common + len(ids) + len(text) - alike)]
        ids += text[alike:].tolist()
        positions += range(alike, len(text))
        ends += [0] * (len(text) - alike)
        unread = len(rows[index][written]) - len(text)
        places.append(np.asarray([*path, *path[-1:] * unread], dtype=np.int64))
        before = text
    for place in path[common:]:
        ends[place - common] = common + len(ids)
    first, laid = rows[members[0]], np.asarray(ids, dtype=np.int64)
    mask = written.replace("input_ids", "attention_mask")
    row = {name: first[name] for name in ("input_ids", "attention_mask") if written != "input_ids"}
    row |= {written: laid, mask: np.ones_like(laid), "positions": np.asarray(positions), "ends": np.asarray(ends)}
    return Shared(row, tuple(members), tuple(places))


def _packed(trees: Sequence[Shared], common: int, reach: int) -> list[Shared]:
    """Return trees laid into as many rows as cost least: few rows are padded little, and many have short attention."""
    tried = [_parted(trees, count) for count in range(1, len(trees) + 1)]

    def cost(parts: Sequence[Sequence[Shared]]) -> float:
        longest = max(sum(tree.tokens for tree in part) for part in parts)
        return len(parts) * longest * (1 + (common + longest) / reach)

    return [_together(part, common) for part in min(tried, key=cost)]


def _parted(trees: Sequence[Shared], count: int) -> list[list[Shared]]:
    """Return trees in so many parts, about equally long: the longest first, each to the part that is shortest so far."""
    parts: list[list[Shared]] = [[] for _ in range(count)]
    sizes = [0] * count
    for tree in sorted(trees, key=lambda tree: -tree.tokens):
        shortest = sizes.index(min(sizes))
        parts[shortest].append(tree)
        sizes[shortest] += tree.tokens
    return parts


def _together(trees: Sequence[Shared], common: int) -> Shared:
    """Return trees as one row, one after the other; no token of one is seen from another."""
    offsets = np.cumsum([0, *(tree.tokens for tree in trees)])[:-1]
    row = {name: np.concatenate([tree.row[name] for tree in trees]) for name in trees[0].row}
    row["ends"] = np.concatenate([tree.row["ends"] + offset for tree, offset in zip(trees, offsets, strict=True)])
    places = (
        np.where(own < common, own, own + offset)
        for tree, offset in zip(trees, offsets, strict=True) for own in tree.places
    )  # fmt: skip
    return Shared(row, tuple(member for tree in trees for member in tree.members), tuple(places))

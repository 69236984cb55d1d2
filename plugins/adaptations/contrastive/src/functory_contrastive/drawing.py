"""Draws which rows are seen together: steps in which each row has one of its own kind, and others of all kinds. No torch.

Pairs are drawn as they are needed, and are never all made: a step of k rows holds k · (k − 1) / 2 of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from functory_sdk import Row, Taught


def kinds_of(rows: Sequence[Row], golds: Sequence[str]) -> list[int]:
    """Return a number for each row, the same for rows whose golds are.

    :param golds: the names of the gold arrays.
    """
    known: dict[tuple[bytes, ...], int] = {}
    return [known.setdefault(tuple(row[name].tobytes() for name in golds), len(known)) for row in rows]


def has_pairs(kinds: Sequence[int]) -> bool:
    """Whether any two rows are of a kind."""
    return len(set(kinds)) < len(kinds)


def drawn(taught: Taught, kinds: Sequence[int], size: int, passes: int, most: int, seed: int) -> Taught:
    """Return the rows of all steps, those of a step as one group.

    :param kinds: of each row, some of which are the same.
    :param size: how many rows a step has, about.
    :param passes: how often each row is seen.
    :param most: how many steps there are at most.
    """
    generator = np.random.default_rng(seed)
    steps: list[list[int]] = []
    for _ in range(passes):
        steps += _steps(kinds, size, generator)
        if len(steps) >= most:
            break
    places = [(row, step) for step, rows in enumerate(steps[:most]) for row in rows]
    return Taught(
        [taught.rows[row] for row, _ in places], [taught.owner[row] for row, _ in places], [step for _, step in places]
    )


def _steps(kinds: Sequence[int], size: int, generator: np.random.Generator) -> list[list[int]]:
    """Return the steps of one pass; none of them is without two rows of a kind."""
    blocks = list(_blocks(kinds, generator))
    count = max(1, round(len(kinds) / size))
    found: list[list[int]] = []
    kept: list[int] = []  # rows that wait for two of a kind
    for part in np.array_split(generator.permutation(len(blocks)), min(count, len(blocks))):
        kept += [row for block in part for row in blocks[block]]
        if has_pairs([kinds[row] for row in kept]):
            found.append(kept)
            kept = []
    found[-1] += kept
    return found


def _blocks(kinds: Sequence[int], generator: np.random.Generator) -> Iterator[list[int]]:
    """Give the rows of each kind by twos, three together where their number is odd; a row alone of its kind by itself."""
    of_kind: dict[int, list[int]] = {}
    for row, kind in enumerate(kinds):
        of_kind.setdefault(kind, []).append(row)
    for rows in of_kind.values():
        order = [rows[place] for place in generator.permutation(len(rows))]
        for part in np.array_split(order, max(1, len(order) // 2)):
            yield part.tolist()

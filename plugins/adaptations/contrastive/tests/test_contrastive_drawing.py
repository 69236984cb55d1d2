"""Which rows are seen together."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from functory_contrastive.drawing import drawn, has_pairs, kinds_of
from functory_sdk import Taught


def taught(count: int) -> Taught:
    return Taught([{"row": np.asarray(row)} for row in range(count)], list(range(count)))


def steps(kinds: list[int], size: int, passes: int = 3, most: int = 10_000, seed: int = 0) -> list[list[int]]:
    found = drawn(taught(len(kinds)), kinds, size, passes, most, seed)
    assert [int(row["row"]) for row in found.rows] == found.owner
    of_step: dict[int, list[int]] = {}
    for row, step in zip(found.owner, found.group, strict=True):
        of_step.setdefault(step, []).append(row)
    return list(of_step.values())


@pytest.mark.parametrize("kinds", [[0, 1] * 8, [*range(77)] * 8, [0] * 40 + [1] * 3 + [2], [0, 0, *range(1, 50)]])
def test_each_row_is_seen_once_a_pass_and_each_step_has_two_of_a_kind(kinds: list[int]) -> None:
    found = steps(kinds, 8)
    assert Counter(row for rows in found for row in rows) == dict.fromkeys(range(len(kinds)), 3)
    assert all(has_pairs([kinds[row] for row in rows]) for rows in found)
    often = Counter(kinds)
    for rows in found:
        here = Counter(kinds[row] for row in rows)
        assert all(count > 1 or often[kind] == 1 for kind, count in here.items()), "a row is without its like"


def test_pairs_are_drawn_anew_in_each_pass_and_the_same_by_one_seed() -> None:
    kinds = [0, 1, 2, 3] * 8
    first, second = steps(kinds, 8, passes=1), steps(kinds, 8, passes=2)
    assert second[: len(first)] == first
    assert {frozenset(rows) for rows in second[len(first) :]} != {frozenset(rows) for rows in first}
    assert steps(kinds, 8, seed=1) != steps(kinds, 8, seed=0)


def test_steps_have_about_the_size_and_the_number_that_is_asked_for() -> None:
    kinds = [row % 5 for row in range(1000)]
    found = steps(kinds, 32, passes=100, most=70)
    assert len(found) == 70
    assert all(28 <= len(rows) <= 36 for rows in found)


def test_rows_are_of_a_kind_where_all_their_golds_are_the_same() -> None:
    rows = [{"gold": np.asarray(one, dtype=np.float32), "text": np.arange(place)} for place, one in enumerate(
        [[1, 0], [0, 1], [1, 0], [1, 1]]
    )]  # fmt: skip
    assert kinds_of(rows, ["gold"]) == [0, 1, 0, 2]

"""What is usual where a function was measured: parts of about as many examples, and how far others are from them."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from functory.measuring.usual import Spread, Usual, top_score


def test_a_spread_has_ten_parts_of_as_many_and_fewer_where_many_are_alike() -> None:
    spread = Spread.of(range(1000))
    assert spread is not None
    assert len(spread.ends) == 9
    assert spread.shares == (0.1,) * 10
    assert [spread.part(value) for value in (-5, 99, 100, 999, 5000)] == [0, 0, 1, 9, 9]
    alike = Spread.of([1.0] * 50 + [2.0, 3.0])
    assert alike is not None
    assert (alike.ends, sum(alike.shares)) == ((1.0,), 1.0)
    same = Spread.of([7.0] * 5)
    assert same is not None
    assert (same.ends, same.shares, same.shift([100])) == ((), (1.0,), 0.0)
    assert Spread.of([]) is None
    assert Spread.of([math.nan, math.inf]) is None


def test_a_shift_is_the_population_stability_index() -> None:
    spread = Spread(examples=10**9, ends=(0.0,), shares=(0.5, 0.5))
    assert spread.shift([10**9, 10**9]) == pytest.approx(0, abs=1e-9)
    assert spread.shift([3 * 10**8, 7 * 10**8]) == pytest.approx(0.2 * math.log(0.7 / 0.5) - 0.2 * math.log(0.3 / 0.5), abs=1e-6)
    assert 5 < spread.shift([0, 10**6]) < 20  # an empty part is far away, and not infinitely
    assert spread.chance(100) == pytest.approx(1e-9 + 0.01)


def test_a_spread_that_is_none_is_refused() -> None:
    for wrong in ({"ends": (1.0,), "shares": (1.0,)}, {"ends": (2.0, 1.0), "shares": (0.2, 0.4, 0.4)}):
        with pytest.raises(ValidationError, match="ascending"):
            Spread(examples=10, **wrong)  # type: ignore[arg-type]


def test_the_best_score_is_the_largest_of_several_or_the_one_that_there_is() -> None:
    class Scored:
        scores = {"a": 0.2, "b": 0.7}

    class Single:
        score = 0.3

    class Listed:
        scores = ({"a": 1.0},)

    assert [top_score(one) for one in (Scored(), Single(), Listed(), object())] == [0.7, 0.3, None, None]
    assert Usual.of.__doc__

"""Scores that mean something: calibration error, what share can be answered at an error, promises over many draws of rows."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import pytest

from functory.contracts.certainty import Certainty
from functory.contracts.task import Output
from functory.contracts.trust import Abstaining, Sets, TrustState
from functory.measuring.conformal import fewest_rows, least_chance
from functory.measuring.promises import checked_promises
from functory.measuring.rates import at_most, highest_rate, lowest_rate
from functory.measuring.reliability import calibration
from functory.measuring.selective import POINTS, Curve, coverage, fewest


def certain(sure: Any, is_right: Any, **more: Any) -> Certainty:
    found = np.asarray(sure, dtype=float)
    return Certainty(found, np.asarray(is_right, dtype=bool), np.ones(len(found), dtype=bool), **more)


def drawn(count: int, seed: int, sharpness: float = 1.0) -> Certainty:
    """Return answers whose scores are how often they are right, or, sharpened, are not."""
    draw = np.random.default_rng(seed)
    chance = np.clip(draw.beta(2, 0.3, count), 1e-6, 1 - 1e-6)
    odds = np.log(chance / (1 - chance)) * sharpness
    return certain((1 / (1 + np.exp(-odds))).round(6), draw.random(count) < chance)


def test_bounds_of_a_rate_are_the_exact_binomial_ones() -> None:
    for failures, count, rate in ((0, 59, 0.05), (3, 50, 0.1), (12, 40, 0.4), (40, 40, 0.4)):
        exact = sum(comb(count, k) * rate**k * (1 - rate) ** (count - k) for k in range(failures + 1))
        assert at_most(failures, count, rate) == pytest.approx(exact)
    assert highest_rate(0, 59, 0.05) == pytest.approx(1 - 0.05 ** (1 / 59))
    high, low = highest_rate(7, 100, 0.025), lowest_rate(7, 100, 0.025)
    assert (round(low, 4), round(high, 4)) == (0.0286, 0.1389)  # as R's binom.test(7, 100) has them
    assert (highest_rate(5, 5, 0.05), lowest_rate(0, 5, 0.05)) == (1.0, 0.0)


def test_a_bound_for_a_hundred_thousand_rows_is_a_number() -> None:
    assert 0.05 < highest_rate(5000, 100_000, 0.05) < 0.052


def test_the_calibration_error_is_the_distance_of_probabilities_from_what_is_so() -> None:
    found = calibration(certain([0.9] * 10 + [0.6] * 10, [True] * 7 + [False] * 3 + [True] * 6 + [False] * 4))
    assert found is not None
    assert found.error == pytest.approx(0.1)
    assert [(one.count, round(one.sure, 3), one.right) for one in found.bins] == [(10, 0.6, 0.6), (10, 0.9, 0.7)]
    assert (found.before, found.count) == (None, 20)


def test_probabilities_that_mean_what_they_say_have_a_smaller_calibration_error_than_sharpened_ones() -> None:
    honest, sharp = drawn(4000, 1), drawn(4000, 1, sharpness=3)
    found = calibration(honest, before=sharp)
    assert found is not None
    assert found.before is not None
    assert found.error < 0.02 < 0.06 < found.before
    assert "before calibration" in found.line()


def test_yes_and_no_of_each_label_are_held_against_what_is_so_where_there_may_be_several() -> None:
    several = certain([0.8], [False], chances=np.asarray([0.0, 1.0, 0.5]), is_so=np.asarray([False, True, True]))
    found = calibration(several)
    assert found is not None
    assert (found.count, round(found.error, 4)) == (3, 0.1667)


def test_the_curve_tells_the_error_of_what_is_surer_than_each_limit() -> None:
    found = coverage(certain([0.9, 0.8, 0.8, 0.5], [True, True, False, False]))
    assert found is not None
    told = [(point.limit, point.share, round(point.error, 3)) for point in found.points]
    assert told == [(0.8, 0.25, 0.0), (0.5, 0.75, 0.333), (0.0, 1.0, 0.5)]  # answers as sure as each other go together
    assert found.area == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4)
    assert {one.error: one.share for one in found.answerable}[0.01] == 0.25


def test_what_is_taken_for_none_of_the_labels_is_never_answered() -> None:
    shut = Certainty(np.asarray([0.9, 0.8]), np.asarray([True, False]), np.asarray([True, False]))
    found = coverage(shut)
    assert found is not None
    assert [(point.share, point.error) for point in found.points] == [(0.5, 0.0)]
    assert coverage(certain([], [])) is None


def test_a_curve_of_many_answers_has_few_points_and_both_ends() -> None:
    found = coverage(drawn(5000, 2))
    assert found is not None
    assert 90 < len(found.points) <= POINTS
    assert found.points[0].share < 0.05
    assert found.points[-1].share == 1.0
    assert [point.share for point in found.points] == sorted(point.share for point in found.points)


def test_the_fewest_rows_that_can_promise_an_error_are_those_that_can() -> None:
    least = fewest(0.05, 0.95)
    enough, few = (certain(np.linspace(0.5, 1, rows), [True] * rows) for rows in (least, least - 1))
    found = Curve.of(enough).promising(0.05, 0.95)
    assert found is not None
    assert (found.limit, found.share) == (0.0, 1.0)
    assert Curve.of(few).promising(0.05, 0.95) is None


def test_rows_that_promise_nothing_tell_how_many_like_them_would() -> None:
    few = drawn(120, 3)
    assert Curve.of(few).promising(0.05, 0.95) is None
    wanted = Curve.of(few).wanted(0.05, 0.95)
    assert wanted is not None
    times = -(-wanted // len(few.sure))
    again = certain(np.tile(few.sure, times), np.tile(few.is_right, times))
    assert Curve.of(again).promising(0.05, 0.95) is not None
    hopeless = certain(np.linspace(0.5, 1, 300), np.arange(300) % 2)
    assert Curve.of(hopeless).wanted(0.05, 0.95) is None


@pytest.mark.parametrize(("rows", "error"), [(400, 0.1), (1000, 0.05)])
def test_over_200_draws_of_rows_the_promise_of_an_error_is_broken_in_at_most_5_percent(rows: int, error: float) -> None:
    world = drawn(200_000, 4)
    order = world.sure.argsort()
    sure, wrong = world.sure[order], (~world.is_right[order])[::-1].cumsum()[::-1]
    draw, broken, shares = np.random.default_rng(5), 0, []
    for _ in range(200):
        some = draw.integers(0, len(sure), rows)
        found = Curve.of(certain(world.sure[some], world.is_right[some])).promising(error, 0.95)
        start = len(sure) if found is None else int(np.searchsorted(sure, found.limit, "right"))
        answered = len(sure) - start
        broken += bool(answered) and wrong[start] > error * answered
        shares.append(answered / len(sure))
    assert broken <= 10
    assert np.median(shares) > 0.6  # a promise that answers nothing is none


@pytest.mark.parametrize(("at", "rows"), [(0.1, 9), (0.05, 19), (0.5, 1)])
def test_sets_are_promised_from_as_many_rows_as_leave_one_to_fail(at: float, rows: int) -> None:
    assert fewest_rows(at) == rows
    chances = np.linspace(0.2, 0.9, rows)
    assert least_chance(chances, at) == pytest.approx(chances[0])
    assert least_chance(chances[1:], at) is None


def test_sets_are_not_promised_where_too_many_right_labels_are_unknown() -> None:
    assert least_chance(np.asarray([-1.0] * 9 + [0.9] * 91), 0.1) == 0.9
    assert least_chance(np.asarray([-1.0] * 12 + [0.9] * 88), 0.1) is None


def test_over_200_draws_of_rows_the_coverage_of_sets_is_spread_as_the_theory_says() -> None:
    """It is distributed as Beta(k, n + 1 - k) (Vovk 2012): below what is promised in the share of a binomial tail."""
    world = np.sort(np.random.default_rng(6).beta(2, 0.5, 100_000))
    draw, rows, at = np.random.default_rng(7), 200, 0.1
    held = np.asarray([
        1 - np.searchsorted(world, least_chance(draw.choice(world, rows), at)) / len(world) for _ in range(200)
    ])  # fmt: skip
    below = 1 - at_most(int(np.ceil((rows + 1) * (1 - at))) - 1, rows, 1 - at)  # P(coverage < 0.9), as an order statistic
    assert held.mean() == pytest.approx(0.9, abs=0.01)
    assert (held < 1 - at).mean() <= below + 0.1
    assert (held < 0.85).mean() <= 0.05


def test_a_promise_is_checked_on_what_was_answered_and_on_every_set() -> None:
    found = certain(
        [0.9] * 90 + [0.5] * 10, [True] * 88 + [False] * 12,
        set_sizes=np.asarray([1] * 90 + [3] * 10), is_in_set=np.asarray([True] * 95 + [False] * 5),
    )  # fmt: skip
    outputs = [Output(abstained=n >= 90) for n in range(100)]
    state = TrustState(
        abstaining=Abstaining(at=0.05, confidence=0.95, limit=0.5, rows=300), sets=Sets(at=0.1, least=0.2, rows=300)
    )
    answers, sets = checked_promises(found, outputs, state)
    assert (answers.examples, answers.failures, answers.share, answers.kept) == (90, 2, 0.9, True)
    assert (sets.examples, sets.failures, sets.size, sets.kept) == (100, 5, 1.2, True)
    assert "90.0% are answered" in answers.line()
    assert checked_promises(found, outputs, TrustState()) == ()


def test_a_promise_that_examples_refute_is_called_broken_and_one_that_answers_nothing_is_not() -> None:
    found = certain([0.9] * 100, [True] * 80 + [False] * 20)
    state = TrustState(abstaining=Abstaining(at=0.05, confidence=0.95, limit=0.5, rows=300))
    [broken] = checked_promises(found, [Output()] * 100, state)
    assert not broken.kept
    assert "BROKEN" in broken.line()
    [silent] = checked_promises(found, [Output(abstained=True)] * 100, state)
    assert (silent.share, silent.rate, silent.kept) == (0.0, 0.0, True)

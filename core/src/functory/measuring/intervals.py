"""Confidence intervals of metrics, by the percentile bootstrap (Efron and Tibshirani 1993, chapter 13).

Any metric of a set of examples has one, also those that are no mean, such as F1. What is resampled is the
examples; the function's answers are computed once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from functory.errors import DataError, OptionError
from functory.measuring.report import Metric

Scorer = Callable[[NDArray[np.int64]], Mapping[str, float]]

FEWEST = 40  # resamples; with fewer, the ends of a 95% interval are but the extremes


@dataclass(frozen=True)
class Intervals:
    """Metrics with their intervals.

    :param metrics: by name, in the scorer's order.
    :param confidence: the share of such intervals that hold the true value.
    :param resamples: how many were made; 0 where the scorer was too slow for any interval.
    """

    metrics: dict[str, Metric]
    confidence: float
    resamples: int


def evaluate_with_intervals(
    scorer: Scorer,
    n: int,
    *,
    seed: int,
    baseline: Scorer | None = None,
    floor: Scorer | None = None,
    lower_is_better: Collection[str] = (),
    confidence: float = 0.95,
    resamples: int = 1000,
    budget_seconds: float = 5.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Intervals:
    """Score all examples, and resample them for an interval of each metric.

    Resampling ends early when its time is up; the first resamples are the same whatever the machine.

    :param scorer: indices of examples (any number,) → metrics on just those.
    :param n: the number of examples.
    :param baseline: likewise, of an answer that reads nothing.
    :param floor: likewise, of a simple method that learned from the same examples.
    :param lower_is_better: the metrics that are losses.
    :param confidence: between 0 and 1.
    :param resamples: the most to make.
    :param budget_seconds: the time for resampling, in seconds.
    :raises DataError: when there are no examples.
    :raises OptionError: when the confidence is out of range.
    """
    if n < 1:
        raise DataError("there is nothing to evaluate on.", do="give at least one example with its label.")
    if not 0 < confidence < 1:
        raise OptionError(
            f"confidence = {confidence!r} is not allowed.", do="it is between 0 and 1, such as 0.95."
        )
    everything = np.arange(n, dtype=np.int64)
    values = scorer(everything)
    compared = baseline(everything) if baseline else {}
    simple = floor(everything) if floor else {}
    drawn = _resample(
        scorer, list(values), n, seed, resamples, clock() + budget_seconds, clock
    )  # (resamples, metrics)
    metrics = {}
    for m, (name, value) in enumerate(values.items()):
        low, high = _percentiles(drawn[:, m], confidence)
        metrics[name] = Metric(
            value=float(value),
            low=low,
            high=high,
            baseline=float(compared[name]) if name in compared else None,
            floor=float(simple[name]) if name in simple else None,
            higher_is_better=name not in lower_is_better,
        )
    return Intervals(metrics, confidence, len(drawn))


def _resample(
    scorer: Scorer,
    names: list[str],
    n: int,
    seed: int,
    resamples: int,
    deadline: float,
    clock: Callable[[], float],
) -> NDArray[np.float64]:
    """Return the metrics of each resample (resamples, metrics); none, where time allowed too few."""
    generator = np.random.Generator(np.random.PCG64(seed))
    rows: list[list[float]] = []
    while len(rows) < resamples and clock() < deadline:
        scores = scorer(generator.integers(0, n, n))
        rows.append([scores.get(name, np.nan) for name in names])
    kept = rows if len(rows) >= min(FEWEST, resamples) else []
    return np.array(kept, dtype=np.float64).reshape(len(kept), len(names))


def _percentiles(scores: NDArray[np.float64], confidence: float) -> tuple[float | None, float | None]:
    """Return the ends of the interval; a resample in which the metric is undefined does not count."""
    defined = scores[~np.isnan(scores)]
    if not len(defined):
        return None, None
    tail = (1 - confidence) / 2 * 100
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)

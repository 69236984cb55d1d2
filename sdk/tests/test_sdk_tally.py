"""Rates of labels are what their definition says, and an interval holds its own value however rare the labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functory.measuring.intervals import evaluate_with_intervals
from functory_sdk import Entities, Entity, Scorer, Span, SpanLabels
from functory_sdk.labels.metrics import scorer as labels_scorer
from functory_sdk.labels.types import Classification, Labels
from functory_sdk.spans.metrics import scorer as spans_scorer
from functory_sdk.tally import Tally

unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
sets = st.lists(st.sets(st.integers(0, 3), max_size=3), min_size=1, max_size=8)


@unhurried
@given(sets, sets, st.data())
def test_rates_are_those_of_counts_by_hand(said: list[set[int]], true: list[set[int]], data: st.DataObject) -> None:
    count = min(len(said), len(true))
    said, true = said[:count], true[:count]
    tally = Tally([[*one & other] for one, other in zip(said, true, strict=True)], [*map(list, said)], [*map(list, true)], 4)
    drawn = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=8))

    def f1(label: int, among: Sequence[int], otherwise: float) -> float:
        right = sum(label in said[n] and label in true[n] for n in among)
        both = sum((label in said[n]) + (label in true[n]) for n in among)
        return 2 * right / both if both else otherwise

    whole = [f1(label, range(count), 0) for label in range(4)]
    assert tally.each().f1 == pytest.approx(whole)
    wanted = [f1(label, drawn, whole[label]) for label in range(4)]
    assert tally.each(np.asarray(drawn)).f1 == pytest.approx(wanted)
    seen = [label for label in range(4) if any(label in one | other for one, other in zip(said, true, strict=True))]
    assert tally.macro_f1(np.asarray(drawn)) == pytest.approx(np.mean([wanted[label] for label in seen]) if seen else 0)


def label_scorer(said: Sequence[int], true: Sequence[int], mode: str, count: int) -> Scorer:
    names = [str(label) for label in range(count)]
    state = Labels(labels=tuple(names), mode=mode)  # type: ignore[arg-type]
    outputs = [Classification(label=names[one], score=1, scores={}, labels=(names[one],)) for one in said]
    return labels_scorer(outputs, [(names[one],) for one in true], state)


def span_scorer(said: Sequence[int], true: Sequence[int], mode: str, count: int) -> Scorer:
    def output(label: int) -> Entities:
        return Entities(entities=(Entity(text="x", label=str(label), start=0, end=1, score=1),))

    class Example:
        def __init__(self, label: int) -> None:
            self.entities = (Span(start=0, end=1, label=str(label)),)

    state = SpanLabels(labels=tuple(map(str, range(count))))
    return spans_scorer([*map(output, said)], [*map(Example, true)], state)


RARE = np.arange(120)  # every label once: a third of them is in no resample
SKEWED = np.concatenate([np.zeros(96), np.arange(1, 25)]).astype(int)


@pytest.mark.parametrize("make", [label_scorer, span_scorer])
@pytest.mark.parametrize(
    ("said", "true", "mode"),
    [
        pytest.param(RARE, RARE, "single", id="all right"),
        pytest.param(np.where(RARE < 100, RARE, 0), RARE, "single", id="most right"),
        pytest.param(RARE % 6, RARE, "single", id="next to none right"),
        pytest.param(RARE % 6, RARE, "multi", id="several labels"),
        pytest.param(SKEWED * 0, SKEWED, "single", id="the majority"),
        pytest.param((RARE < 2).astype(int), (RARE < 2).astype(int), "binary", id="a rare label found"),
        pytest.param((RARE == 0).astype(int), (RARE < 2).astype(int), "binary", id="a rare label found half"),
    ],
)
def test_every_interval_holds_its_own_value(
    make: Callable[..., Scorer], said: np.ndarray, true: np.ndarray, mode: str
) -> None:
    labels = int(max(said.max(), true.max())) + 1
    scorer = make(said, true, mode, labels)
    found = evaluate_with_intervals(scorer, len(true), seed=0, resamples=200, budget_seconds=60)
    for name, metric in found.metrics.items():
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low - 1e-9 <= metric.value <= metric.high + 1e-9, f"{name}: {metric}"


def test_a_rare_label_that_is_found_every_time_has_no_interval_of_nothing() -> None:
    truth = (RARE < 2).astype(int)
    found = evaluate_with_intervals(label_scorer(truth, truth, "binary", 2), len(truth), seed=0, resamples=200)
    for name in ("precision", "recall", "f1"):
        assert (found.metrics[name].low, found.metrics[name].high) == (1.0, 1.0)

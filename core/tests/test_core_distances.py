"""Whether two outputs are the same: properties of the tolerance and of close calls."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from functory.running.distances import CLOSE, distance, margin, same

shares = st.floats(0, 1)
allowances = st.floats(1e-6, 100)


def answer(share: float) -> dict[str, Any]:
    """Return the output of a function with two labels."""
    label = "good" if share >= 0.5 else "bad"
    return {"label": label, "score": max(share, 1 - share), "scores": {"good": share, "bad": 1 - share}}


@given(shares, shares, allowances)
def test_another_label_passes_only_for_scores_within_the_margin(then: float, now: float, allowed: float) -> None:
    old, new = answer(then), answer(now)
    moved = abs(then - now) <= 2 * allowed
    if old["label"] == new["label"]:
        assert same(old, new, allowed) == (moved and abs(old["score"] - new["score"]) <= 2 * allowed)
    else:
        assert same(old, new, allowed) == (moved and abs(old["scores"]["good"] - old["scores"]["bad"]) <= margin(allowed))


@given(allowances)
def test_no_tolerance_makes_a_clear_answer_a_close_call(allowed: float) -> None:
    clear = answer(0.5 + CLOSE + 0.01)
    assert not same(clear, {**clear, "label": "bad"}, allowed)


def test_a_close_call_excuses_the_answer_and_not_its_scores() -> None:
    close = answer(0.5001)
    assert same(close, answer(0.4999), 0.01)
    assert not same(close, answer(0.1), 0.01)


@given(st.floats(0, 1), allowances)
def test_a_lead_that_is_known_decides_what_is_close(lead: float, allowed: float) -> None:
    spans = {"entities": [{"label": "person", "start": 0, "end": 4, "score": 0.5}], "notes": []}
    assert same(spans, {"entities": [], "notes": []}, allowed, lead) == (lead <= margin(allowed))
    assert same(answer(0.501), {**answer(0.501), "label": "bad"}, allowed, lead) == (lead <= margin(allowed))


def test_counts_are_no_measures() -> None:
    assert not same({"start": 3}, {"start": 4}, 1.0)
    assert same({"score": 0.3}, {"score": 0.4}, 1.0)
    assert not same(True, 1, 1.0)


def test_lists_lack_nothing_and_what_is_no_number_differs_infinitely() -> None:
    assert not same([1.0], [1.0, 2.0], 1.0)
    assert distance([{"scores": [1.0, 2.0]}], [{"scores": np.asarray([1.0, 2.5])}]) == 0.5
    assert distance([{"scores": [1.0]}], [{"scores": np.asarray([np.nan])}]) == float("inf")
    assert distance([{"scores": [1.0]}], [{"scores": np.asarray([1.0, 2.0])}]) == float("inf")
    assert distance([{"scores": [1.0]}], [{}]) == distance([{"scores": [1.0]}], []) == float("inf")


def test_of_several_questions_another_answer_passes_where_its_own_scores_are_close() -> None:
    def asked(share: float) -> dict[str, Any]:
        return {"mood": answer(share)["label"], "scores": {"mood": answer(share)["scores"], "sure": {"yes": 1.0, "no": 0.0}}}

    assert same(asked(0.5001), asked(0.4999), 1e-3)
    assert not same(asked(0.6), asked(0.4), 1e-3)
    assert not same({"label": "a", "scores": {"a": None, "b": "x"}}, {"label": "b", "scores": {"a": None, "b": "x"}}, 1e-3)

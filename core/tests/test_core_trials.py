"""Which candidate is preferred, and what is told of each."""

from __future__ import annotations

import numpy as np
import pytest

from functory.measuring.trials import Trial, drawn, ends, preferred


def scores(right: int, count: int = 100, shift: int = 0) -> np.ndarray:
    """Return what is drawn of a candidate that answers so many of the examples rightly, from a place on."""
    answers = np.roll(np.arange(count) < right, shift).astype(float)
    return drawn(lambda indices: {"accuracy": float(answers[indices].mean())}, count, "accuracy")


def test_a_later_candidate_is_preferred_where_it_is_surely_better() -> None:
    assert preferred([scores(60), scores(90)], 0.75) == 1
    assert preferred([scores(60), scores(70), scores(90)], 0.95) == 2


def test_an_earlier_candidate_is_preferred_where_a_later_one_is_better_by_chance() -> None:
    apart = scores(81, shift=50)
    assert preferred([scores(80), apart], 0.75) == 0
    assert preferred([scores(80), apart], 0.5) == 1


@pytest.mark.parametrize("count", [20, 200, 2000])
def test_one_example_alone_decides_nothing_however_many_there_are(count: int) -> None:
    assert preferred([scores(count - 2, count), scores(count - 1, count)], 0.75) == 0
    assert preferred([scores(count - 5, count), scores(count - 1, count)], 0.75) == 1


def test_of_equal_candidates_the_first_is_preferred() -> None:
    assert preferred([scores(80), scores(80)], 0.5001) == 0
    assert preferred([scores(90), scores(60)], 0.75) == 0


def test_a_metric_that_is_undefined_is_the_least() -> None:
    lacking = drawn(lambda indices: {}, 10, "accuracy")
    assert preferred([lacking, scores(1, 10)], 0.75) == 1
    assert ends(lacking) == (None, None)


def test_the_same_examples_are_drawn_for_every_candidate_and_every_time() -> None:
    assert (scores(50) == scores(50)).all()


def test_a_trial_tells_its_score_or_why_there_is_none() -> None:
    tried = Trial(adaptation="lora", options={"rank": 4}, metric="accuracy", score=0.5, low=0.25, high=0.75)
    assert str(tried) == "lora (rank = 4): accuracy 0.500 (0.250–0.750)"
    assert str(Trial(adaptation="lora", why_not="no map is named so.")) == "lora: no map is named so."
    assert Trial.model_validate_json(tried.model_dump_json()) == tried


@pytest.mark.parametrize("value", [-1, "no"])
def test_a_trial_is_data_that_is_checked(value: object) -> None:
    with pytest.raises(ValueError, match="steps"):
        Trial(adaptation="head", steps=value)  # type: ignore[arg-type]

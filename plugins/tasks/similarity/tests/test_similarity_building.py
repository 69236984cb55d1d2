"""What a number for two texts owes its users: a scale, an order that says nothing, an answer without any example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory_sdk import DataError, OptionError, ranks
from functory_similarity.metrics import scorer

pytestmark = pytest.mark.usefixtures("tiny_kit")

THINGS = ("film", "book", "day", "rain")
ROWS = [
    {
        "first": f"the {one} was {how}",
        "second": f"a {how} {other}",
        "score": 5.0 if one == other else 2.0 + (how == "good"),
    }
    for how in ("good", "bad", "fine", "poor")
    for one in THINGS
    for other in THINGS
]
LONG = "the rain was good and the sun was bad " * 12
PAIRS = [("the good film", "a bad day"), ("rain", "the rain was fine"), (LONG, "a poor book"), (LONG, LONG + "night")]


def built(train: Any = ROWS, task: Any = "similarity", **parts: Any) -> Any:
    given = {
        "backbone": "tiny-encoder",
        "adaptation": {"name": "head", "penalty": 0.001, "hidden": 0},
        "test_share": 0.25,
    }
    return functory.build(task=task, train=train, **{**given, **parts})


@pytest.fixture(scope="module")
def alike() -> Any:
    return built(dev_share=0.0)


def test_a_head_on_both_vectors_learns_the_scale_of_the_examples(alike: Any) -> None:
    assert alike.form.put == "vectors"
    assert (alike.state.low, alike.state.high) == (2.0, 5.0)
    metrics = alike.report.metrics
    assert metrics["pearson"].value > 0.5 > metrics["pearson"].baseline == 0
    assert metrics["mean_absolute_error"].value < metrics["mean_absolute_error"].baseline
    assert not metrics["mean_absolute_error"].higher_is_better
    assert all(2.0 <= one.score <= 5.0 for one in alike.map(PAIRS))


@pytest.mark.parametrize("put", ["vectors", "features", "plain"])
def test_the_order_of_two_texts_says_nothing_to_the_bit(put: str, alike: Any) -> None:
    function = alike
    if put != "vectors":
        adaptation = "zero-shot" if put == "plain" else {"name": "head", "penalty": 0.001, "hidden": 0}
        function = built(put=put, adaptation=adaptation, report=False)
    assert function.form.put == put
    for one, other in PAIRS:
        assert function(one, other) == function(other, one)


def test_where_the_order_says_something_it_is_read() -> None:
    function = built(task={"name": "similarity", "symmetric": False}, dev_share=0.0, report=False)
    one, other = function.trace([function.read("the good film", "a bad day"), function.read("a bad day", "the good film")])
    assert one[1][0]["score"] != other[1][0]["score"]


def test_without_examples_the_answer_is_the_cosine_and_with_some_a_line_puts_it_on_their_scale(tmp_path: Path) -> None:
    cosine = built(None, backbone="tiny-encoder", adaptation="zero-shot")
    same = cosine("a good film", "a good film").score
    assert same == pytest.approx(1, abs=1e-5)
    assert -1 <= cosine("a good film", "night").score < same
    scaled = built(adaptation="zero-shot", dev_share=0.5)
    assert scaled.state.slope is not None
    assert 2.0 <= scaled("a good film", "night").score <= 5.0
    cosine.save(tmp_path / "cosine")
    assert functory.load(tmp_path / "cosine")("a good film", "a film") == cosine("a good film", "a film")


def test_both_texts_are_explained_at_their_places(alike: Any) -> None:
    texts = {"first": "the good film", "second": "a bad day"}
    for method in ("occlusion", "integrated-gradients"):
        found = alike.explain(tuple(texts.values()), method=method)
        assert [(piece.field, piece.text) for piece in found.pieces] == [
            (field, word) for field, text in texts.items() for word in text.split()
        ]
        assert all(texts[piece.field][piece.start : piece.end] == piece.text for piece in found.pieces)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"first": "rain", "second": "sun"}, "score"),
        ({"first": "rain", "second": " ", "score": 3}, "second"),
        ({"first": "rain", "second": "sun", "score": "much"}, "score"),
        ({"first": "rain", "second": "sun", "score": float("nan")}, "score"),
    ],
)
def test_a_row_that_is_no_scored_pair_is_named_with_its_field(row: dict[str, Any], says: str, alike: Any) -> None:
    with pytest.raises(DataError, match=says):
        alike.evaluate([ROWS[0], row])


def test_a_scale_without_two_numbers_or_with_ends_out_of_order_is_refused_and_so_is_what_lies_outside() -> None:
    with pytest.raises(DataError, match="all scores are 3"):
        built([{**row, "score": 3} for row in ROWS])
    with pytest.raises(OptionError, match="not below"):
        built(task={"name": "similarity", "low": 5, "high": 1})
    with pytest.raises(DataError, match="outside of the scale"):
        built(task={"name": "similarity", "low": 0, "high": 4})


def test_metrics_are_those_of_the_textbook() -> None:
    assert ranks(np.asarray([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]
    score = scorer([1.0, 2.0, 3.0, 5.0], [1.0, 3.0, 2.0, 4.0])
    found = score(np.arange(4))
    assert found["spearman"] == pytest.approx(0.8)
    assert found["pearson"] == pytest.approx(0.8315218406)
    assert found["mean_absolute_error"] == pytest.approx(0.75)
    assert scorer([1.0, 1.0], [1.0, 2.0])(np.arange(2))["pearson"] == 0

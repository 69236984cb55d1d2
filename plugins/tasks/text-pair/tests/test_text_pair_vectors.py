"""Pairs whose texts are each read by themselves: the head sees two vectors, and everything else goes on as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk import Reader, load
from functory_sdk.testing import TinyEncoder, converted

pytestmark = pytest.mark.usefixtures("tiny_kit")

THINGS = ("film", "book", "day", "rain")
ROWS = [
    {"first": f"the {one} was {how}", "second": f"a {how} {other}", "label": "same" if one == other else "different"}
    for how in ("good", "bad", "fine", "poor")
    for one in THINGS
    for other in THINGS
]
LONG = "the rain was good and the sun was bad " * 12


def built(**options: Any) -> Any:
    return functory.build(
        task={"name": "text-pair", **options}, put="vectors", train=ROWS, backbone="tiny-encoder",
        adaptation={"name": "head", "penalty": 0.001, "hidden": 0}, dev_share=0.0, test_share=0.25,
    )  # fmt: skip


@pytest.fixture(scope="module")
def pair() -> Any:
    return built()


@pytest.fixture(scope="module")
def symmetric() -> Any:
    return built(symmetric=True)


def test_what_suits_pairs_is_a_head_that_sees_their_vectors_and_one_row_where_both_are_learned_together() -> None:

    task, spec = load("tasks", "text-pair").configure({}), TinyEncoder().spec
    suited = task.suits(has_examples=True)
    assert "vectors" in suited.why
    offered = task.formulations(spec)
    first = {name: next(put for put in load("adaptations", name)().puts if put in offered) for name in ("head", "lora", "full")}
    assert first == {"head": "vectors", "lora": "features", "full": "features"}
    assert suited.adaptation == "auto"


def test_a_head_is_fitted_to_what_two_vectors_say_together(pair: Any) -> None:
    """Which thing each text speaks of stands in one of them alone: nothing but both vectors together can tell."""
    assert pair.form.put == "vectors"
    assert pair.report.metrics["accuracy"].value > pair.report.metrics["accuracy"].baseline
    rows = pair.form.formulation.encode([pair.read("the film was good", "a day")], pair.reader, pair.state).rows
    assert rows[0]["input_ids"].shape[0] == 2


def test_a_symmetric_function_answers_both_orders_alike_to_the_bit_from_one_pass(symmetric: Any) -> None:
    pairs = [("the good film", "a bad day"), ("rain", "the rain was fine"), (LONG, "a poor book"), (LONG, LONG + "night")]
    for a, b in pairs:
        assert symmetric(a, b) == symmetric(b, a)
    assert len(symmetric.trace([symmetric.read("rain", "sun")])[0][1]) == 1
    together = list(symmetric.map([*pairs, *(pair[::-1] for pair in pairs)]))
    for one, other in zip(together[:4], together[4:], strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-4)


def test_long_texts_are_read_in_windows_side_by_side_or_cut_and_noted(pair: Any) -> None:
    assert pair(LONG, "a day").notes == ("read in 2 windows",)
    cut = Reader(pair.form.backbone.tokenizer, pair.form.spec, "cut")
    assert cut.each_by_itself([("a day", LONG), (LONG, "a")], fields=("one", "other")).side[0][0].startswith("other cut at ")
    [(_, rows)] = pair.trace([pair.read(LONG, LONG * 2)])
    assert len(rows) == 4


@pytest.mark.parametrize("method", ["gradient-x-input", "integrated-gradients", "occlusion"])
def test_each_word_of_both_texts_is_weighed_in_its_own_text(pair: Any, method: str) -> None:
    texts = {"first": "the film was good", "second": "a good film it was"}
    found = pair.explain(texts, method=method)
    told = [(piece.field, texts[piece.field][piece.start : piece.end]) for piece in found.pieces]
    assert told == [(field, word) for field, text in texts.items() for word in text.split()]
    assert all(piece.weight for piece in found.pieces)


@pytest.mark.parametrize("method", ["gradient-x-input", "occlusion"])
def test_each_word_keeps_its_weight_in_its_own_text_where_the_order_says_nothing(symmetric: Any, method: str) -> None:
    one, other = "the film was good", "a good film it was"
    found, turned = (symmetric.explain(pair, method=method, target="same") for pair in ((one, other), (other, one)))
    weights = {(piece.field, piece.start): piece.weight for piece in turned.pieces}
    for piece in found.pieces:
        elsewhere = {"first": "second", "second": "first"}[piece.field]
        assert piece.weight == pytest.approx(weights[elsewhere, piece.start], abs=1e-4)
    assert len({round(piece.weight, 5) for piece in found.pieces}) > len(found.pieces) / 2


def test_it_is_saved_and_loaded_and_converted_to_int8(pair: Any, tmp_path: Path) -> None:
    pair.save(tmp_path / "pair")
    pairs = [(row["first"], row["second"]) for row in ROWS[:8]]
    expected = [one.scores["same"] for one in pair.map(pairs)]
    assert [one.scores["same"] for one in functory.load(tmp_path / "pair").map(pairs)] == pytest.approx(expected, abs=1e-5)
    fast = converted(pair, tmp_path / "files", engine="openvino", inputs=pairs)
    assert [one.scores["same"] for one in fast.map(pairs)] == pytest.approx(expected, abs=0.25)

"""What a pair task owes its users: columns as they are found, the order where it says nothing, sides that are missing."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.cli import main
from functory_sdk import DataError, InputError

pytestmark = pytest.mark.usefixtures("tiny_kit")

ROWS = [
    {"first": f"the {one} was {how}", "second": f"a {how} {other}", "label": "same" if one == other else "different"}
    for how in ("good", "bad", "fine", "poor")
    for one in ("film", "book", "day", "rain")
    for other in ("film", "book", "day", "rain")
]
LONG = "the rain was good and the sun was bad " * 12


def built(train: Any, **options: Any) -> Any:
    parts = {"backbone": "tiny-encoder", "adaptation": "toy-head", "dev_share": 0.0, "test_share": 0.25, "name": "pair"}
    return functory.build(task={"name": "text-pair", **options}, train=train, **parts)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def pair() -> Any:
    return built(ROWS)


@pytest.fixture(scope="module")
def symmetric() -> Any:
    return built(ROWS, symmetric=True)


def test_the_order_of_two_texts_says_nothing_to_a_symmetric_function_to_the_bit(pair: Any, symmetric: Any) -> None:
    for a, b in [("the good film", "a bad day"), ("rain", "the rain was fine"), (LONG, "a poor book"), (LONG, LONG + "night")]:
        one, other = symmetric(a, b), symmetric(b, a)
        assert one == other
        assert pair(a, b).scores != pair(b, a).scores


def test_a_symmetric_function_answers_the_mean_of_both_orders(symmetric: Any) -> None:
    value = symmetric.read("the good film", "a bad day")
    [(_, rows)] = symmetric.trace([value])
    put = symmetric.form.formulation
    [one], [other] = ([put.decode((), [row], symmetric.state).scores["same"]] for row in rows)
    assert one != other
    assert symmetric("the good film", "a bad day").scores["same"] == pytest.approx((one + other) / 2, abs=1e-6)
    assert len(symmetric.trace([symmetric.read("rain", "rain")])[0][1]) == 1  # there is one order of two equal texts


def test_what_is_cut_is_told_of_the_texts_in_the_order_in_which_they_were_given() -> None:
    short = functory.build(
        task={"name": "text-pair", "symmetric": True}, train=ROWS, backbone="tiny-encoder", adaptation="toy-head",
        long_text="cut", dev_share=0.0, test_share=0.0, report=False,
    )  # fmt: skip
    assert short(LONG, "a day").notes[0].startswith("first cut at ")
    assert short("a day", LONG).notes[0].startswith("second cut at ")


@pytest.mark.parametrize(
    ("first", "second", "label"),
    [
        ("premise", "hypothesis", "label"), ("sentence1", "sentence2", "gold_label"), ("question", "passage", "answer"),
        ("text", "aspect", "polarity"), ("question1", "question2", "is_duplicate"), ("text_a", "text_b", "label"),
        ("sentence_A", "sentence_B", "entailment_judgment"), ("句子1", "句子2", "标签"), ("Premise", "Hypothesis", "Class"),
    ],
)  # fmt: skip
def test_the_columns_of_pairs_are_known_by_their_usual_names(
    first: str, second: str, label: str, pair: Any, tmp_path: Path
) -> None:
    with (tmp_path / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([["id", first, second, label], [1, "a good film", "a film", "same"], [2, "rain", "sun", "different"]])
    assert pair.evaluate(tmp_path / "pairs.csv").examples == 2
    assert [one.label for one in pair.map({first: ["rain"], second: ["sun"]})] == [pair("rain", "sun").label]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"premise": "rain", "hypothesis": "", "label": "same"}, r"'second' is empty"),
        ({"premise": "  ", "hypothesis": "rain", "label": "same"}, r"'first' is empty"),
        ({"premise": "rain", "hypothesis": None, "label": "same"}, r"'second' is missing"),
        ({"premise": "rain", "label": "same"}, r"'second' is missing"),
    ],
)
def test_a_pair_with_one_side_missing_is_named_with_row_and_field(
    row: dict[str, Any], says: str, pair: Any, tmp_path: Path
) -> None:
    good = {"premise": "the good film", "hypothesis": "a film", "label": "same"}
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in (good, row)), encoding="utf-8")
    with pytest.raises(DataError, match=says) as refused:
        pair.evaluate(file)
    assert "pairs.jsonl, line 2" in str(refused.value)


@pytest.mark.parametrize("value", [("rain",), ("rain", None), ("rain", ""), ("rain", " \n")])
def test_a_call_with_one_side_missing_names_the_field_and_a_map_the_item(value: Any, pair: Any) -> None:
    with pytest.raises(InputError, match="second"):
        pair(*value)
    with pytest.raises(InputError, match=r"(?s)second") as refused:
        list(pair.map([("rain", "sun"), value]))
    assert "2" in refused.value.where or "1" in refused.value.where


ODD = ("a\x00b", "مرحبا بالعالم", "abc مرحبا 你好", "👩‍🔬☕️", "e" + "\u0301" * 200, "\u202eevil", "word " * 3000, ".")


def test_odd_texts_have_the_answer_in_a_batch_that_they_have_alone(pair: Any, symmetric: Any) -> None:
    pairs = [(odd, "the good film") for odd in ODD] + [("a bad day", odd) for odd in ODD]
    for function in (pair, symmetric):
        for one, output in zip(pairs, function.map(pairs), strict=True):
            assert output.scores == pytest.approx(function(*one).scores, abs=1e-4)


@pytest.mark.parametrize("side", ["first", "second"])
def test_a_text_that_is_none_is_refused_by_its_field(side: str, pair: Any, symmetric: Any) -> None:
    texts = {"first": "rain", "second": "sun", side: "half of \ud800"}
    for function in (pair, symmetric):
        with pytest.raises(InputError) as refused:
            function(**texts)
        assert side in f"{refused.value.where} {refused.value.what}"


@pytest.mark.parametrize(
    ("labels", "says"), [(["same"] * 4, "there is one label: same"), ([None] * 4, "'label' is missing")]
)
def test_pairs_without_two_labels_are_refused(labels: list[Any], says: str) -> None:
    rows = [{"premise": f"rain {n}", "hypothesis": "sun", "label": label} for n, label in enumerate(labels)]
    with pytest.raises(DataError, match=says):
        built(rows)


def test_pairs_are_mapped_and_run_alike(pair: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [("the good film", "a film"), ("rain", "the sun was fine")]
    alone = [pair(*one) for one in pairs]
    assert [one.scores for one in pair.map(pairs)] == [pytest.approx(one.scores, abs=1e-5) for one in alone]
    assert [one.label for one in pair.map([{"first": a, "second": b} for a, b in pairs])] == [one.label for one in alone]
    pair.save(tmp_path / "pair")
    assert main(["run", str(tmp_path / "pair"), *pairs[0], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["label"] == alone[0].label
    rows = "".join(json.dumps({"premise": a, "hypothesis": b}) + "\n" for a, b in pairs)
    (tmp_path / "in.jsonl").write_text(rows, encoding="utf-8")
    assert main(["run", str(tmp_path / "pair"), "--input", str(tmp_path / "in.jsonl"), "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["label"] for one in told] == [one.label for one in alone]


def test_a_report_has_intervals_the_majority_each_label_and_what_was_taken_for_what(pair: Any) -> None:
    accuracy = pair.report.metrics["accuracy"]
    assert accuracy.low <= accuracy.value <= accuracy.high
    assert accuracy.baseline == pytest.approx(0.75)
    assert [row["label"] for row in pair.report.per_class] == ["different", "same"]
    assert sum(count for *_, count in pair.report.confusion.counts) == 16


def test_a_report_has_the_floor_of_what_the_function_learned_from(pair: Any, tmp_path: Path) -> None:
    report = pair.report
    assert report.metrics["accuracy"].floor is not None
    assert "regression on n-grams" in report.floor
    assert report.floor in report.footnote()
    assert "floor" in str(report)
    assert pair.evaluate(ROWS[:8]).metrics["accuracy"].floor is not None, "a function that was just built knows its examples"
    loaded = functory.load(pair.save(tmp_path / "pair"))
    assert loaded.report is not None
    assert loaded.report.metrics == report.metrics
    assert loaded.evaluate(ROWS[:8]).metrics["accuracy"].floor is None
    again = loaded.evaluate(ROWS[:8], train=ROWS)
    assert again.metrics["accuracy"].floor is not None
    rows = "\n".join(map(json.dumps, ROWS))
    (tmp_path / "rows.jsonl").write_text(rows, encoding="utf-8")
    arguments = ["--data", str(tmp_path / "rows.jsonl"), "--train", str(tmp_path / "rows.jsonl"), "--json"]
    assert main(["evaluate", str(tmp_path / "pair"), *arguments]) == 0


@pytest.mark.parametrize("texts", [("the good film", "a bad day"), ("rain", "rain"), ("the film was good", "a good 好 film")])
@pytest.mark.parametrize("method", ["occlusion", "integrated-gradients", "gradient-x-input"])
def test_both_texts_of_a_pair_are_explained_at_their_places(
    texts: tuple[str, str], method: str, pair: Any, symmetric: Any
) -> None:
    sides = dict(zip(("first", "second"), texts, strict=True))
    for function in (pair, symmetric):
        found = function.explain(texts, method=method, target="same")
        assert [(piece.field, piece.text) for piece in found.pieces] == [
            (side, word) for side, text in sides.items() for word in text.split()
        ]
        assert all(sides[piece.field][piece.start : piece.end] == piece.text for piece in found.pieces)
        assert all(piece.weight for piece in found.pieces)
        assert found.score == pytest.approx(function(*texts).scores["same"], abs=0.02)
    turned = symmetric.explain(texts[::-1], method=method, target="same")
    other = {"first": "second", "second": "first"}
    weights = {(other[piece.field], piece.start): piece.weight for piece in turned.pieces}
    if texts[0] != texts[1]:  # what speaks for it, and where, is the same whichever text came first
        assert {(piece.field, piece.start): piece.weight for piece in found.pieces} == pytest.approx(weights, abs=1e-4)

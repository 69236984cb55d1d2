"""The whole way on a tiny backbone: from a file to a function that is saved, explained, and kept in other forms."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory.cli import main
from functory.plugins.registry import entries
from functory.using.packaging import package
from functory_question_answering import QuestionAnswering
from functory_sdk import Function, InputError, NotSupported, TooLong
from functory_sdk.testing import converted

pytestmark = pytest.mark.usefixtures("tiny_kit")

THINGS, HOW = ("film", "book", "song", "day", "rain", "night"), ("good", "bad", "fine", "poor")
LONG = "we saw it in the house and the sun was there " * 8


def article(thing: str, how: str) -> dict[str, Any]:
    """Return a paragraph with a question that it answers, and one that it does not."""
    context = f"we saw the {thing} and it was {how}"
    right = [{"text": how, "answer_start": context.index(how, 20)}]
    none = {"id": "2", "question": "why", "answers": [], "is_impossible": True}
    qas = [{"id": "1", "question": "how was it", "answers": right}, none]
    return {"title": thing, "paragraphs": [{"context": context, "qas": qas}]}


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Function:
    file = tmp_path_factory.mktemp("squad") / "train-v2.0.json"
    file.write_text(json.dumps({"version": "v2.0", "data": [article(*pair) for pair in product(THINGS, HOW)]}))
    return functory.build(
        task="question-answering", train=file, backbone="tiny-encoder", dev_share=0.2, test_share=0.2, name="ask",
        adaptation={"name": "full", "learning_rate": 5e-3, "epochs": 30, "batch_rows": 8},
    )  # fmt: skip


def test_a_function_answers_says_where_and_says_when_there_is_no_answer(ask: Function) -> None:
    assert ask.report is not None
    assert {"f1", "exact_match", "answered_f1", "unanswered_accuracy"} <= ask.report.metrics.keys()
    assert ask.report.metrics["f1"].value > 0.9 > ask.report.metrics["f1"].baseline
    assert ask.report.metrics["f1"].low is not None
    text = "we saw the film and it was good"
    found = ask("how was it", text)
    assert (found.answer, text[found.start : found.end]) == ("good", "good")
    assert ask("why", text).answer is None
    assert ask(question="why", context="\n").notes == ("the context has nothing to read",)
    assert ask.state.may_lack


def test_answers_in_a_long_text_have_the_places_they_have_there(ask: Function) -> None:
    text = f"{LONG}we saw the film and it was good {LONG}"
    found = ask("how was it", text)
    assert found.notes[0].startswith("read in ")
    assert all(text[one.start : one.end] == one.text for one in found.answers)


def test_it_is_the_same_after_it_was_saved_and_in_every_engines_form(ask: Function, tmp_path: Path) -> None:
    loaded = functory.load(ask.save(tmp_path / "ask"))
    pairs = [("how was it", "we saw the film and it was good"), ("why", "the rain"), ("how was it", LONG)]
    assert list(loaded.map(pairs)) == list(ask.map(pairs))
    values = [ask.coerce(pair) for pair in pairs]
    wanted = [row["scores"] for _, some in ask.trace(values) for row in some]
    for name in sorted({entry.name for entry in entries("engines")} & {"onnxruntime", "openvino"}):
        made = converted(ask, tmp_path / name, engine=name, precision="fp32", inputs=pairs[:2])
        found = [row["scores"] for _, some in made.trace(values) for row in some]
        assert max(float(np.abs(a - b).max()) for a, b in zip(found, wanted, strict=True)) < 1e-3, name


def test_a_wheel_of_it_in_integers_needs_no_torch_and_types_its_answers(ask: Function, tmp_path: Path) -> None:
    pair = ("how was it", "we saw the film and it was good")
    saved = converted(ask, tmp_path / "files", inputs=[pair]).save(tmp_path / "ask")
    assert functory.load(saved)(*pair).answer == "good"
    package(saved, "my-ask", tmp_path / "wheels")
    [wheel] = (tmp_path / "wheels").rglob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [stub] = [archive.read(name).decode() for name in names if name.endswith(".pyi")]
        [needs] = [archive.read(name).decode() for name in names if name.endswith("METADATA")]
    assert "answer: str | None" in stub
    assert "answers: Sequence[Stretch]" in stub
    assert "functory-torch" not in needs


def test_int8_keeps_its_answers(ask: Function) -> None:
    if "onnxruntime" not in {entry.name for entry in entries("engines")}:
        pytest.skip("needs functory-onnxruntime")
    test = [{"question": "how was it", "context": f"we saw the {a} and it was {b}", "answer": b} for a in THINGS for b in HOW]
    small = ask.optimize(
        "int8", test, probe_inputs=16, rounds=1, engines=["onnxruntime"], precisions=["int8"], threads=[1], max_drop=0.1
    )
    assert small.optimization is not None
    assert small.optimization.tried[0].metric >= ask.evaluate(test).metrics["f1"].value - 0.1


@pytest.mark.parametrize("method", ["occlusion", "integrated-gradients"])
def test_both_ends_of_an_answer_are_explained_by_words_of_question_and_context(ask: Function, method: str) -> None:
    question, context = "how was it", "we saw the film and it was good"
    found = ask.explain((question, context), method=method)
    texts = {"question": question, "context": context}
    assert {piece.field for piece in found.pieces} == {"question", "context"}
    assert all(texts[piece.field][piece.start : piece.end] == piece.text for piece in found.pieces)
    assert found.target.name == "good"
    assert (found.target.at, found.target.until) == (27, 31)
    assert len(found.target.also) == 1
    assert found.faithfulness.comprehensiveness > 0


def test_a_long_text_is_explained_in_the_window_where_the_answer_stands(ask: Function) -> None:
    text = f"{LONG}we saw the film and it was good"
    found = ask.explain(("how was it", text), method="gradient-x-input", target=ask("how was it", text).answers[0].text)
    assert all(text[piece.start : piece.end] == piece.text for piece in found.pieces if piece.field == "context")


def test_texts_that_are_none_are_refused_by_their_field(ask: Function) -> None:
    with pytest.raises(InputError, match="context"):
        ask("how was it")
    with pytest.raises(InputError, match="question"):
        ask("", "we saw it")
    strict = ask.replaced(about=replace(ask.about, long_text="refuse"))
    with pytest.raises(TooLong, match=r"question and context have \d+ and \d+ tokens; \d+ fit"):
        strict("how was it", LONG)


def test_an_encoder_decoder_and_an_empty_shop_are_told_what_to_do() -> None:
    with pytest.raises(NotSupported, match="choose an encoder"):
        functory.build(
            task="question-answering", train=[{"question": "who", "context": "we saw it", "answer": "we"}] * 4,
            backbone="tiny-encoder-decoder", adaptation="full", dev_share=0, test_share=0,
        )  # fmt: skip
    assert QuestionAnswering().suits(has_examples=False).backbone == "smollm2"


def test_the_verb_runs_it_on_both_texts(ask: Function, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ask.save(tmp_path / "ask")
    assert main(["run", str(place), "how was it", "we saw the film and it was good"]) == 0
    assert capsys.readouterr().out.startswith("good ")

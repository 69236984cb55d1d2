"""A decision is answered alike whatever the order of options, in every form, and says how likely each answer is."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import BaseModel, Field

import functory
from functory.cli import main
from functory_decision import decide
from functory_decision.spelling import spelled
from functory_sdk import fitted, log_shares, mean_shares, silent_texts
from functory_sdk.testing import converted, kit

TOPICS = ("film", "rain in the night", "book", "day")


class Seen(BaseModel):
    """What somebody saw."""

    topic: Literal["film", "rain in the night", "book", "day"] = Field(description="what is it about?")
    good: bool = Field(description="was it good?")
    stars: int = Field(ge=1, le=3)


DATA = [
    {"text": f"{how} {what} was {good}", "topic": what, "good": good == "good", "stars": 1 + 2 * (good == "good")}
    for what in TOPICS for good in ("good", "bad") for how in ("the", "this", "that very")
]  # fmt: skip


@pytest.fixture(scope="module")
def seen() -> Iterator[Any]:
    with kit():
        yield functory.build(task="decision", questions=Seen, backbone="tiny-decoder", name="seen", test=DATA)


def asked(options: tuple[str, ...]) -> Any:
    """Return a function that is asked one choice."""
    return functory.build(
        task="decision", questions={"topic": {"ask": "what is it about?", "options": list(options)}}, backbone="tiny-decoder",
    )  # fmt: skip


def test_the_order_of_options_decides_nothing(seen: Any) -> None:
    texts = [row["text"] for row in DATA[::5]]
    wanted = None
    for options in [*permutations(TOPICS)][::7]:
        with kit():
            function = asked(options)
            found = [answer.scores["topic"] for answer in function.map(texts)]
        rows = {row["input_ids"].tobytes() for row in _rows(function, texts[0])}
        wanted = wanted or (found, rows)
        assert rows == wanted[1], "another order gives other rows"
        for scores, right in zip(found, wanted[0], strict=True):
            assert scores == pytest.approx(right, abs=1e-5)


def test_the_text_comes_first_and_no_row_holds_another_answer(seen: Any) -> None:
    rows = [row["input_ids"].tolist() for row in _rows(seen, "the film was good")]
    assert len(rows) == len(TOPICS) + 2 + 3
    shared = next(place for place, tokens in enumerate(zip(*rows, strict=False)) if len({*tokens}) > 1)
    text = seen.form.tokenizer.text(rows[0][:shared])
    assert text.startswith("the film was good")
    for row, topic in zip(rows, TOPICS, strict=False):
        told = seen.form.tokenizer.text(row)
        assert told.endswith(topic)
        assert not any(other in told.partition("about?")[2] for other in TOPICS if other != topic)


def test_what_is_answered_where_nothing_is_said_is_learned_once_and_subtracted(seen: Any) -> None:
    state = seen.state.calibrations["topic"]
    plain = functory_of(calibrate=False)
    assert plain.state.calibrations == {}
    assert state.silent == pytest.approx(mean_shares(_likely(plain, silent_texts(["what is it about?"]))).tolist(), abs=1e-3)
    text = "the film was good"
    expected = log_shares(_likely(plain, [text]))[0] - np.asarray(state.silent)
    assert list(seen(text).scores["topic"].values()) == pytest.approx(np.exp(log_shares(expected)).tolist(), abs=1e-4)
    assert len(_rows(seen, text)) == len(_rows(plain, text)), "nothing is read beside the text"


def functory_of(**options: Any) -> Any:
    """Return the function with other options."""
    with kit():
        return functory.build(task={"name": "decision", "questions": Seen, **options}, backbone="tiny-decoder")


def test_held_out_examples_calibrate_each_question(seen: Any) -> None:
    with kit():
        tuned = functory.build(
            task="decision", questions=Seen, backbone="tiny-decoder", dev=[row for row in DATA if row["topic"] == "film"],
        )  # fmt: skip
    state = tuned.state.calibrations["topic"]
    assert state.silent == seen.state.calibrations["topic"].silent
    assert int(np.argmax(state.biases)) == TOPICS.index("film")
    before, after = (np.mean([one("this book was bad").scores["topic"]["film"]]) for one in (seen, tuned))
    assert after > before


def test_a_fit_is_the_penalised_likelihoods_maximum_and_few_examples_move_little() -> None:
    scores = np.random.default_rng(0).normal(size=(40, 3)) * 2
    golds = np.asarray([0] * 30 + [1] * 8 + [2] * 2)
    slope, biases = fitted(scores, golds)

    def loss(weights: Any) -> float:
        shares = log_shares(weights[0] * (scores - scores.mean(1, keepdims=True)) + weights[1:])
        return float(-shares[np.arange(40), golds].sum() + (weights[0] - 1) ** 2 + (weights[1:] ** 2).sum())

    best = np.asarray([slope, *biases])
    assert slope < 0.2, "scores that say nothing are not believed"
    for place in range(4):
        for by in (-0.01, 0.01):
            moved = best + by * np.eye(4)[place]
            assert loss(moved) > loss(best) or (place == 0 and slope == 0)
    one = fitted(scores[:1], golds[:1])
    assert abs(one[0] - 1) < 1
    assert max(map(abs, one[1])) < 0.5


def test_it_is_measured_by_question_and_by_the_place_of_the_right_option(seen: Any) -> None:
    metrics = seen.report.metrics
    assert {"accuracy", "all_right", "topic_accuracy", "good_accuracy", "stars_accuracy", "stars_error"} <= {*metrics}
    outputs = [seen(row["text"]) for row in DATA]
    for metric, topics in (("first_accuracy", TOPICS[:1]), ("between_accuracy", TOPICS[1:3]), ("last_accuracy", TOPICS[3:])):
        right = [answer.topic == row["topic"] for answer, row in zip(outputs, DATA, strict=True) if row["topic"] in topics]
        assert metrics[metric].value == pytest.approx(np.mean(right))
    assert metrics["stars_error"].value == pytest.approx(
        np.mean([abs(answer.stars - row["stars"]) for answer, row in zip(outputs, DATA, strict=True)])
    )
    assert not metrics["stars_error"].higher_is_better
    assert {row["question"] for row in seen.report.per_class} == {"topic", "good", "stars"}


def test_rows_may_answer_some_of_the_questions(seen: Any) -> None:
    report = seen.evaluate([{"text": "the film was good", "topic": "film"}, {"text": "a bad day", "good": "no"}])
    assert report.examples == 2
    assert "stars_accuracy" not in report.metrics


def test_it_survives_saving_and_eight_bits_and_is_explained(seen: Any, tmp_path: Path) -> None:
    texts = [row["text"] for row in DATA]
    loaded = functory.load(seen.save(tmp_path / "seen"))
    assert [one.answers for one in loaded.map(texts)] == [one.answers for one in seen.map(texts)]
    assert loaded.info()["recipe"]["task"]["options"]["questions"]["properties"].keys() == {"topic", "good", "stars"}
    small = converted(seen, tmp_path / "files", inputs=texts)
    again = functory.load(small.save(tmp_path / "small"))
    same = [one.topic == other.topic for one, other in zip(again.map(texts), seen.map(texts), strict=True)]
    assert np.mean(same) >= 0.8
    for method in ("occlusion", "gradient-x-input"):
        found = seen.explain("the film was good", method=method, target="good true")
        assert {piece.text for piece in found.pieces} >= {"film", "good"}, method


def test_the_schema_names_the_answers(seen: Any) -> None:
    properties = seen.task.output_schema(seen.state)["properties"]
    assert properties["topic"]["enum"] == [*TOPICS]
    assert properties["good"]["type"] == "boolean"
    assert (properties["stars"]["minimum"], properties["stars"]["maximum"]) == (1, 3)


def test_a_long_text_is_cut_alike_for_all_questions(seen: Any) -> None:
    answer = seen("the film was good " * 200)
    assert [note for note in answer.notes if note.startswith("cut at")]
    rows = [row["input_ids"] for row in _rows(seen, "the film was good " * 200)]
    assert max(map(len, rows)) <= seen.form.spec.context
    shared = next(place for place, tokens in enumerate(zip(*(row.tolist() for row in rows), strict=False)) if len({*tokens}) > 1)
    assert shared > 0.5 * seen.form.spec.context


def test_the_verb_builds_once_and_answers_one_or_many() -> None:
    with kit():
        one = functory.decide("the film was good", Seen, backbone="tiny-decoder")
        many = decide(["the film was good", "a bad day"], Seen, backbone="tiny-decoder")
        other = decide("the film was good", {"mood": "good, bad"}, backbone="tiny-decoder")
        narrow = decide("the film was good", Seen, backbone="tiny-decoder", session={"precision": "bf16"})
    assert narrow.scores != one.scores
    assert narrow.scores["topic"] == pytest.approx(one.scores["topic"], abs=0.05)
    assert one.answers == many[0].answers
    assert one.scores["topic"] == pytest.approx(many[0].scores["topic"], abs=1e-5)
    assert {*other.answers} == {"mood"}
    from functory.asking.at_once import function_of

    with kit():
        fields: dict[str, Any] = {"backbone": "tiny-decoder", "golden": ("ok",)}
        assert function_of("decision", {"questions": Seen}, **fields) is function_of("decision", {"questions": Seen}, **fields)


def test_one_line_decides_in_english_and_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    with kit():
        line = ["decide", "the film was good", "mood=good, bad", "stars=how many? 1..3", "--backbone", "tiny-decoder"]
        assert main([*line, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["mood"] in ("good", "bad")
        assert found["stars"] in (1, 2, 3)
        assert main(["decide", "菜都凉了。", "评价=正面，负面", "退款=顾客想退款吗？", "--backbone", "tiny-decoder"]) == 0
        assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["评价", "退款"]
        assert main(["decide", "the film", "good, bad"]) == 2
        assert "names no question" in capsys.readouterr().err
        assert main(["decide", "the film", "mood=good, good"]) == 2
        assert "stands there twice" in capsys.readouterr().err


LINES = [
    shlex.split(line)
    for line in (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("functory decide ")
]  # fmt: skip


def test_the_lines_of_the_page_ask_for_the_same_five_things_in_english_and_chinese() -> None:
    names = [line[-1].partition("=")[0] for line in LINES]
    assert names[:5] == ["sentiment", "topic", "intent", "entailed", "choice"]
    assert names[5:] == ["情感", "主题", "意图", "蕴含", "选择"]


@pytest.mark.parametrize("line", LINES, ids=[line[-1].partition("=")[0] for line in LINES])
def test_each_line_of_the_page_is_answered(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with kit():
        assert main([*line[1:], "--backbone", "tiny-decoder"]) == 0
    [answer] = capsys.readouterr().out.splitlines()
    name, _, asked = line[-1].partition("=")
    known = [option["value"] for option in spelled(asked).get("options", ())] or ["yes", "no"]
    assert re.fullmatch(rf"{name}: ({'|'.join(map(re.escape, known))}) \([01]\.\d\d\)", answer)


def test_a_plain_import_of_the_task_brings_no_torch() -> None:
    code = "import sys, functory_decision; print('torch' in sys.modules, 'transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_prompt_may_ask_before_the_text_and_must_have_both(seen: Any) -> None:
    with kit():
        function = functory.build(
            task="decision", questions={"mood": ["good", "bad"]}, prompt="{question}\n{text}\n", backbone="tiny-decoder"
        )
        told = function.form.tokenizer.text(_rows(function, "the film")[0]["input_ids"].tolist())
        assert told.startswith("What is the mood?\nthe film\n")
        with pytest.raises(functory.errors.OptionError, match="question"):
            functory.build(task="decision", questions={"mood": ["good", "bad"]}, prompt="{text}", backbone="tiny-decoder")


def _likely(function: Any, texts: Sequence[str]) -> Any:
    """Return the log-likelihood of each topic, (texts, topics)."""
    traced = function.trace([function.read(text) for text in texts])
    return np.asarray([
        [float(row["log_probability"]) * tokens for row, tokens in zip(rows[:4], side.tokens, strict=False)]
        for side, rows in traced
    ])  # fmt: skip


def _rows(function: Any, text: str) -> list[Any]:
    """Return the rows of a text."""
    rows: list[Any] = function.form.formulation.encode([function.read(text)], function.reader, function.state).rows
    return rows

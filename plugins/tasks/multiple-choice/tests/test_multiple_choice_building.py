"""A choice is fitted over the options of each question, and answers alike in every form and company."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory.cli import main
from functory.measuring.evaluation import read_examples
from functory.running.golden import record
from functory.using.promising import Promises, promised
from functory_multiple_choice.choosing import Side
from functory_multiple_choice.head import ChoiceHead
from functory_multiple_choice.scoring import Scoring, met, worth
from functory_multiple_choice.types import AnsweredQuestion, Question
from functory_sdk import TrustState
from functory_sdk.lexicon import Words
from functory_sdk.testing import converted, kit
from functory_sdk.testing.toy import rows

torch = pytest.importorskip("torch")


def questions(count: int) -> list[dict[str, Any]]:
    """Return questions of two to four options, of which the good one is right."""
    good, bad = ([row["text"] for row in rows(8 * count) if row["label"] == label] for label in ("yes", "no"))
    made = []
    for number in range(count):
        wrong = list(dict.fromkeys(bad[3 * number : 3 * number + 1 + number % 3]))
        options = [*wrong[: number % 2], good[number], *wrong[number % 2 :]]
        made.append({"question": "we saw the", "options": options, "answer": options.index(good[number])})
    return made


@pytest.fixture(scope="module")
def choose() -> Iterator[Any]:
    with kit():
        data = questions(80)
        yield functory.build(
            task="multiple-choice", train=data, test=data, backbone="tiny-encoder", name="choose", seed=1, dev_share=0,
            adaptation={"name": "full", "epochs": 8, "learning_rate": 2e-3},
        )  # fmt: skip


def test_it_learns_which_option_is_right_whatever_their_number(choose: Any) -> None:
    metrics = choose.report.metrics
    assert metrics["accuracy"].value > 0.8
    assert metrics["mean_rank"].value < 1.3
    assert {len(choose(one["question"], one["options"]).scores) for one in questions(6)} == {2, 3, 4}


def test_how_words_meet_in_the_context_is_the_most_that_a_sentence_and_two_hold() -> None:
    text = "Ann bought a kite. Bo has a red drum. It is loud. Cleo sings."
    found = met(Question(question="What is loud?", options=("a red drum", "a kite", "a violin"), context=text))
    assert found[2] < min(found[:2])
    alone = ["Ann bought a kite.", "Bo has a red drum.", "It is loud.", "Cleo sings."]
    both = [*map(" ".join, pairwise(alone))]
    shares = [Words.of(texts).shares(["a red drum", "What is loud?"]) for texts in (alone, both)]
    assert found[0] == pytest.approx(sum(max(own * (1 + asked)) for own, asked in shares), abs=1e-6)
    chinese = met(Question(question="他买了什么？", options=("苹果", "牛奶"), context="女：超市里有牛奶。\n男：我买了苹果。"))
    assert chinese[0] > chinese[1] > 0
    for context in ("", " \n。"):
        assert met(Question(question="?", options=("a", "!"), context=context)).tolist() == [0, 0]


def test_words_count_as_much_as_they_tell_and_nothing_where_they_tell_nothing() -> None:
    def asked(count: int, told: int) -> list[AnsweredQuestion]:
        """Questions of which so many of ten are answered by the word that stands in the context."""
        return [
            AnsweredQuestion(question="who?", options=("ann", "bo"), context="ann went.", answer=int(n % 10 >= told))
            for n in range(count)
        ]

    assert worth(asked(40, 10)) > worth(asked(400, 7)) > 0
    assert worth(asked(40, 5)) == worth(asked(40, 2)) == worth(asked(10, 10)) == worth([]) == 0


@pytest.fixture(scope="module")
def told() -> Iterator[Any]:
    """A function for questions that only the words of their context answer, with its data."""
    draw = np.random.default_rng(0)
    data = []
    for _ in range(36):
        names = [f"name{n}" for n in draw.choice(900, 6, replace=False)]
        text = " ".join(f"The {thing} is with {name}." for thing, name in zip(("book", "film", "rain"), names, strict=False))
        options = [*names[:3], names[4]]
        draw.shuffle(options)
        data.append({"question": "With whom is the film?", "context": text, "options": options, "answer": names[1]})
    with kit():
        yield {
            lexical: functory.build(
                task={"name": "multiple-choice", "lexical": lexical}, train=data[:24], test=data[24:], backbone="tiny-encoder",
                name="told", seed=1, adaptation={"name": "head", "penalty": 0.1, "hidden": 0}, dev_share=0,
            ) for lexical in (True, False)
        }, data  # fmt: skip


def test_words_of_the_context_answer_where_vectors_do_not_tell(told: Any, tmp_path: Path) -> None:
    made, data = told
    right, blind = (made[lexical].report.metrics["accuracy"].value for lexical in (True, False))
    assert right > 0.9 > blind
    assert made[True].state.lexical > 0 == made[False].state.lexical
    asked = [{name: one[name] for name in ("question", "context", "options")} for one in data]
    again = functory.load(made[True].save(tmp_path / "told"))
    assert list(again.map(asked)) == list(made[True].map(asked))
    small = converted(made[True], tmp_path / "files", engine="onnxruntime", precision="fp32", inputs=asked[:8])
    for one, other in zip(small.map(asked[:8]), made[True].map(asked[:8]), strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-3)


def test_alone_and_among_others_and_in_another_order_the_answer_is_the_same(choose: Any) -> None:
    asked = [{"question": one["question"], "options": one["options"]} for one in questions(8)]
    together = list(choose.map(asked))
    for one, answer in zip(asked, together, strict=True):
        alone = choose(**one)
        backwards = choose(one["question"], one["options"][::-1])
        assert alone.choice == answer.choice == backwards.choice
        for option, share in answer.scores.items():
            assert share == pytest.approx(alone.scores[option], abs=1e-4)
            assert share == pytest.approx(backwards.scores[option], abs=1e-4)


def test_a_long_context_is_read_in_windows_beside_every_option(choose: Any) -> None:
    answer = choose("we saw the", ["good film", "bad night"], "it was in the rain and the night " * 60)
    assert [note for note in answer.notes if note.startswith("read in ")]
    assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-5)


def test_it_is_explained_in_the_question_and_in_each_option(choose: Any) -> None:
    for method in ("occlusion", "gradient-x-input"):
        found = choose.explain({"question": "we saw the", "options": ["good film", "bad night"]}, method=method)
        fields = {piece.field for piece in found.pieces}
        assert fields >= {"question", "options.0", "options.1"}, method
        texts = {"question": "we saw the", "options.0": "good film", "options.1": "bad night"}
        assert all(texts[piece.field][piece.start : piece.end] == piece.text for piece in found.pieces)


def test_it_survives_saving_and_eight_bits(choose: Any, tmp_path: Any) -> None:
    asked = [(one["question"], one["options"]) for one in questions(10)]
    expected = [answer.choice for answer in choose.map(asked)]
    loaded = functory.load(choose.save(tmp_path / "choose"))
    assert [answer.choice for answer in loaded.map(asked)] == expected
    small = converted(choose, tmp_path / "files", inputs=asked)
    assert small.form.name == "onnxruntime int8"
    again = functory.load(small.save(tmp_path / "small"))
    assert np.mean([a.choice == b for a, b in zip(again.map(asked), expected, strict=True)]) >= 0.8


def test_the_loss_is_a_softmax_over_the_options_of_a_question() -> None:
    from types import SimpleNamespace

    head = ChoiceHead(SimpleNamespace(width=4), None)
    assert head.linear.bias is None, "no gradient would reach it"
    scores = torch.tensor([1.0, 3.0, 2.0, 0.5, 1.0, 5.0])
    # two questions, rows mixed: three options, the second in two windows; and two options
    batch = {
        "group": torch.tensor([0, 0, 1, 0, 1, 0]),
        "option": torch.tensor([0, 1, 0, 2, 1, 1]),
        "gold": torch.tensor([0, 1, 0, 0, 1, 1]),
    }
    both = np.logaddexp(3.0, 5.0) - np.log(2)
    first = -(both - np.logaddexp.reduce([1.0, both, 0.5]))
    second = -(1.0 - np.logaddexp(2.0, 1.0))
    losses, weights = head.losses({"score": scores}, batch)
    np.testing.assert_allclose(losses.numpy(), [first, second], rtol=1e-5)
    assert weights.tolist() == [1, 1]
    even = head.evenly({"score": scores}, batch).numpy()
    shares = [np.asarray([1.0, both, 0.5]), np.asarray([2.0, 1.0])]
    np.testing.assert_allclose(even, [np.logaddexp.reduce(one) - one.mean() for one in shares], rtol=1e-5)


def test_without_examples_options_are_weighed_by_their_length() -> None:
    with kit():
        asked = {
            length: functory.build(task={"name": "multiple-choice", "length": length}, backbone="tiny-decoder")
            for length in ("tokens", "characters", "none")
        }
        options = ("good", "it was a very good film in the rain")
        found = {length: one("we saw", options).scores for length, one in asked.items()}
        side, outputs = next(iter(asked["none"].trace([asked["none"].read("we saw", options)])))
    means = np.asarray([float(row["log_probability"]) for row in outputs])
    count = np.asarray(side.units)
    for length, units in {"tokens": 1.0, "none": count, "characters": count / [len(one) for one in options]}.items():
        expected = np.exp(means * units - np.logaddexp.reduce(means * units))
        np.testing.assert_allclose(list(found[length].values()), expected, atol=1e-4)


def test_a_command_line_gives_options_as_json_and_info_says_so(
    choose: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(choose.save(tmp_path / "choose"))
    assert main(["run", folder, "we saw the", '["good film", "bad night"]', "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["choice"] == choose("we saw the", ["good film", "bad night"]).choice
    assert main(["run", folder, "we saw the"]) == 2
    assert """ "question" '["options", …]' "context" """ in capsys.readouterr().err
    assert main(["explain", folder, "we saw the", '["good film", "bad night"]', "--json"]) == 0
    assert "good film" in capsys.readouterr().out
    assert main(["info", folder]) == 0
    assert """ "…" '["…", "…"]'\n""" in capsys.readouterr().out


def test_it_promises_how_often_it_is_wrong_and_which_options_may_be_right(choose: Any, tmp_path: Path) -> None:
    untouched = read_examples(choose.task, choose.state, questions(180)[80:])
    careful = promised(choose, untouched, Promises(abstain_at=0.3, sets_at=0.2))
    asked = [{key: one[key] for key in ("question", "options")} for one in questions(80)]
    limit = float(np.median([one.score for one in choose.map(asked)]))
    higher = careful.state.abstaining.model_copy(update={"limit": limit})
    careful = careful.replaced(state=careful.state.model_copy(update={"abstaining": higher}))
    careful.golden = record(careful)
    careful = functory.load(careful.save(tmp_path / "careful"))
    report = careful.evaluate(questions(80))
    answers, sets = report.promises
    outputs = list(careful.map(asked))
    declined = [one for one in outputs if one.abstained]
    assert len(declined) == 80 - answers.examples > 0
    assert all((one.choice, one.index) == (None, None) and one.score <= limit for one in declined)
    assert all(max(one.scores, key=one.scores.__getitem__) in one.prediction_set for one in outputs)
    assert sets.size is not None
    assert report.metrics["accuracy"].value == choose.report.metrics["accuracy"].value  # as though it answered all
    assert report.wrong == choose.report.wrong


def test_scores_of_options_are_calibrated_whatever_their_number() -> None:
    draw, put = np.random.default_rng(0), Scoring()
    sides, outputs, examples = [], [], []
    for number in range(400):
        logits = draw.normal(0, 2, 2 + number % 3)
        options = tuple(f"option {n}" for n in range(len(logits)))
        right = draw.choice(len(logits), p=np.exp(logits) / np.exp(logits).sum())
        sides.append(Side(options, tuple(range(len(logits)))))
        outputs.append([{"score": np.asarray(3 * one)} for one in logits])  # three times too sure
        examples.append(AnsweredQuestion(question="which?", options=options, answer=int(right)))
    state = put.calibrate(sides, outputs, examples, TrustState())
    assert state.temperature == pytest.approx(3, rel=0.2)
    before, after = (put.decode(sides[0], outputs[0], one) for one in (TrustState(), state))
    assert (before.choice, before.score > after.score) == (after.choice, True)
    [target, *_] = put.targets(after, sides[0], state)
    assert np.exp(put.value(target, sides[0], outputs[0], state)) == pytest.approx(after.score, abs=1e-6)

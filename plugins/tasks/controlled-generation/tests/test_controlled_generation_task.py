"""What is asked of a text is told in its language, held while it is written, and measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functory_controlled_generation import Asked, Controlled, ControlledGeneration, ReferencedAsked
from functory_controlled_generation.telling import told
from functory_sdk import Control, InputError, OptionError, State, sentence_spans
from functory_sdk.testing import TaskSuite, kit


class TestControlledGeneration(TaskSuite):
    component = "controlled-generation"
    options = {"max_new_tokens": 16}
    backbones = ("tiny-decoder", "tiny-encoder-decoder", "tiny-encoder")
    examples = [
        {"text": "a good film", "must_not": ["so bad"], "reference": "so good."},
        {"text": "a bad film", "must": ["bad"], "words": "1-9", "reference": "so bad."},
        {"text": "a fine film", "must": ["fine"], "characters": "2-60", "reference": "so fine."},
        {"text": "the film", "must": ["the"], "sentences": 2, "reference": "so the."},
    ] * 3

    def perfect(self, example: ReferencedAsked, state: State) -> Controlled:
        return Controlled(text=example.reference, tokens=1, finish="end", is_held=True)


@pytest.fixture(scope="module")
def write() -> Iterator[Any]:
    pytest.importorskip("torch")
    import functory

    with kit():
        yield functory.build(
            task={"name": "controlled-generation", "max_new_tokens": 30, "temperature": 2.0, "control": {"must_not": ["e"]}},
            backbone={"name": "tiny-decoder", "context": 256},
        )


def test_each_text_is_held_to_what_its_own_input_asks_and_the_function(write: Any) -> None:
    asked = [
        {"text": "We saw", "must": ["sun", "film"]}, {"text": "We saw", "must_not": ["a"], "words": "2-6"}, {"text": "月亮"},
    ]  # fmt: skip
    found = list(write.map(asked, progress=False))
    assert [one.is_held for one in found] == [True, True, True]
    assert all(word in found[0].text.lower() for word in ("sun", "film"))
    assert [one.text for one in found] == [write(**one).text for one in asked]
    assert all(one.likelihood < 0 and not one.log_probabilities for one in found)
    free = write.replaced()
    assert free.using(control=None)(text="We saw", must=["sun"]).is_held


def test_what_is_told_alone_is_measured_and_not_held(write: Any, tmp_path: Path) -> None:
    import functory

    task = {"name": "controlled-generation", "max_new_tokens": 12, "temperature": 2.0}
    told_only = functory.build(task={**task, "is_held": False}, backbone={"name": "tiny-decoder", "context": 256})
    rows = [{"text": "We saw", "must": word} for word in ("sun", "film; rain", "day")]
    report = told_only.evaluate(rows)
    assert report.metrics["held"].value < 1
    one = told_only(text="We saw", must="moonlight")
    assert (one.is_held, one.lacking) == (False, ("'moonlight' is missing",))
    held = functory.build(task=task, backbone={"name": "tiny-decoder", "context": 256})
    measured = held.evaluate(rows).metrics
    assert measured["held"].value == measured["words_held"].value == 1
    assert measured["likelihood"].value < 0
    assert functory.load(held.save(tmp_path / "held"))(**rows[0]).text == held(**rows[0]).text


def test_the_prompt_says_what_is_asked_in_its_own_language() -> None:
    both = Control(must=("sun", "old friend"), must_not=("rain",), words=(20, 30), sentences=(2, 2))
    assert told("Write.", both, ()) == (
        "", "\n\nUse these words: sun, old friend. Do not use these words: rain. Write 20 to 30 words. Write 2 sentences.",
    )  # fmt: skip
    assert told("介绍月亮。", Control(must=("月亮",), characters=(0, 30)), ()) == ("", "\n\n要用到这些词：月亮。 写最多30个字。")
    before, after = told("Write.", Control(), ("a b", "c d"))
    assert (before, after) == ("Write in the manner of these texts:\n\na b\n\nc d\n\n", "")


def test_examples_of_a_manner_stand_before_the_prompt_and_are_never_cut(write: Any) -> None:
    import functory

    task = {"name": "controlled-generation", "max_new_tokens": 4, "is_held": False, "like": ["quiet as rain", "calm as day"]}
    like = functory.build(task=task, backbone={"name": "tiny-decoder", "context": 256})
    [request] = like.form.formulation.encode([Asked(text="word " * 300, must=("sun",))], like.reader, State()).requests
    prompt = like.reader.tokenizer.text(request.ids)
    assert "quiet as rain\n\ncalm as day" in prompt
    assert prompt.endswith("Use these words: sun.")


@pytest.mark.parametrize(("asked", "error", "told"), [
    ({"must": ["a rose"], "must_not": ["rose"]}, InputError, "'a rose' must stand in the text"),
    ({"must": ["one e"]}, InputError, "what is asked does not go together"),
    ({"words": "9-3"}, InputError, "at least 9 and at most 3"),
    ({"words": "90-"}, InputError, "max_new_tokens = 30 is too few"),
    ({"must": ["one two three"], "words": "1"}, InputError, "no text that this backbone can spell"),
])  # fmt: skip
def test_what_does_not_go_together_is_the_inputs_fault_and_told_before_the_first_token(
    write: Any, asked: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        write(text="We saw", **asked)
    assert write(text="We saw").is_held


def test_each_input_may_ask_for_any_length_and_its_own_comes_before_that_of_all(write: Any) -> None:
    for asked, fits in (
        ({"characters": "10-20"}, lambda text: 10 <= len(text) <= 20),
        ({"sentences": 2, "words": None}, lambda text: 1 <= len(sentence_spans(text)) <= 2),
    ):
        written = write(text="We saw", **asked)
        assert written.is_held
        assert fits(written.text), asked
    every = Control(must=("sun",), words=(20, 30), characters=(5, None))
    both = Control(**Asked(text="x", must=("rain",), words="2").beside(every))
    assert both == Control(must=("sun", "rain"), words=(0, 2), characters=(5, None))


def test_a_share_of_words_is_measured_over_all_that_were_asked_for() -> None:
    examples = [ReferencedAsked(text="x", must=("sun", "rain")), ReferencedAsked(text="x", must=("day", "月"), words="1-3")]
    outputs = [Controlled(text=text, tokens=1, finish="end", is_held=True, likelihood=-2) for text in ("The sun.", "A day 月.")]
    found = ControlledGeneration().scorer(outputs, examples, State())(np.arange(2))
    assert found == {"held": 0.5, "words_held": 0.75, "likelihood": -2}
    assert ControlledGeneration().judge(outputs[0], examples[0], State()).is_right is False


def test_a_guide_takes_no_words_beside_it(write: Any) -> None:
    with pytest.raises(OptionError, match="put the words and the length into it"):
        write.using(guide=["yes", "no"])

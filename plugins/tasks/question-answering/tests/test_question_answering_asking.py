"""A backbone that writes is asked for the answer: it is a stretch of the context, or there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk import InputError, TooLong
from functory_sdk.testing import kit

SHORT = {"prompt": "{examples}{context}\n{question}\n", "max_new_tokens": 30}
PAIRS = (("who?", "Ann “saw” it"), ("谁？", "王明去了北京，下雨了。"), ("which?", 'a "b" <end>\n\nc'), ("a", " \t "))


@pytest.fixture(scope="module")
def ask() -> Iterator[Any]:
    """A function on a tiny decoder with random weights: what it answers is noise, and of the right form."""
    with kit():
        task = {"name": "question-answering", "unanswered": "some", **SHORT}
        yield functory.build(task=task, backbone="tiny-decoder", golden=[{"question": "a", "context": "a book"}])


def test_whatever_is_written_is_a_stretch_of_the_context_or_nothing(ask: Any) -> None:
    found = [[*ask.using(temperature=2.0, seed=seed).map(PAIRS, progress=False)] for seed in range(6)]
    for some in found:
        for (_, context), output in zip(PAIRS, some, strict=True):
            assert output.answer is None or context[output.start : output.end] == output.answer
            assert 0 <= output.score <= 1
        assert some[-1].answer is None
        assert some[-1].notes == ("the context has nothing to read",)
    assert len({some[0].answer for some in found}) > 2


def test_answers_are_the_same_in_any_batch_when_loaded_and_from_long_contexts_in_parts(ask: Any, tmp_path: Path) -> None:
    long = "Ann saw it on a day. " * 9
    pairs = [*PAIRS, ("who?", long)]
    together = list(ask.map(pairs, progress=False))
    assert together == [ask(*pair) for pair in pairs]
    assert list(functory.load(ask.save(tmp_path / "ask")).map(pairs, progress=False)) == together
    assert together[-1].notes[0].startswith("read in ")
    assert all(long[one.start : one.end] == one.text for one in together[-1].answers)
    assert any("cut at" in note for note in ask.replaced(about=replace(ask.about, long_text="cut"))("who?", long).notes)
    with pytest.raises(TooLong, match="does not fit"):
        ask.replaced(about=replace(ask.about, long_text="refuse"))("who?", long)


def test_it_learns_answers_by_writing_them_and_where_there_is_none() -> None:
    rows = [{"question": question, "context": f"day {one}, sun {other}", "answer": answer}
            for one, other in (("Ann", "Bob"), ("Eve", "Tom"), ("Bob", "Eve"))
            for question, answer in (("day?", one), ("sun?", other), ("rain?", ""))]  # fmt: skip
    with kit():
        taught = functory.build(
            task={"name": "question-answering", **SHORT}, train=rows, dev=rows, backbone="tiny-decoder", put="prompt",
            report=False, adaptation={"name": "full", "epochs": 24, "learning_rate": 4e-3, "batch_rows": 3}, golden=[PAIRS[0]],
        )  # fmt: skip
        found = taught.evaluate(rows).metrics
    assert found["f1"].value > 0.6
    assert taught.state.may_lack


def test_the_answers_that_a_part_of_a_context_holds_are_taught_with_it(ask: Any) -> None:
    context = "it was a day. " * 8 + "Ann saw it."
    example = ask.task.Example(question="who?", context=context, answers=["Ann"])
    parts, _ = ask.form.formulation.parts(example, ask.reader, ask.state)
    written = [ask.form.formulation.written(part, ask.state) for part in parts]
    assert len(parts) > 1
    assert written == ["no answer"] * (len(parts) - 1) + ["Ann"]


def test_a_question_that_asks_nothing_is_refused(ask: Any) -> None:
    with pytest.raises(InputError, match="asks nothing"):
        ask(" ", "Ann")

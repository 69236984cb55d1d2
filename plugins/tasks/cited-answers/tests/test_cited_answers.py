"""Whatever is written cites passages that are there; many passages are read in lots; examples teach where an answer is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import functory
from functory.composite import compose
from functory_cited_answers import Answered, Citation, CitedAnswer, CitedAnswers
from functory_cited_answers.searching import _numbered
from functory_sdk import DataError, NotSupported, OptionError, TooLong
from functory_sdk.testing import kit

SHORT = {"prompt": "{examples}{passages}\n{question}\n", "max_new_tokens": 24}
PASSAGES = ("we saw it", "Zoë's “film” – 3.2%\noff", "价格合理，质量也不错。")


@pytest.fixture(scope="module")
def ask() -> Iterator[Any]:
    """A function on a tiny decoder with random weights: what it answers is noise, and of the right form."""
    with kit():
        yield functory.build(task={"name": "cited-answers", **SHORT}, backbone="tiny-decoder")


@pytest.mark.parametrize("verbatim", [True, False])
def test_whatever_is_written_cites_passages_that_are_there(verbatim: bool) -> None:
    with kit():
        task = {"name": "cited-answers", "unanswered": "never", "verbatim": verbatim, **SHORT}
        ask = functory.build(task=task, backbone="tiny-decoder", golden=[{"question": "a", "passages": ["a"]}])
        drawn = [ask.using(temperature=3.0, seed=seed)("what?", PASSAGES) for seed in range(12)]
        found = [*drawn, ask.using(beams=2)("what?", PASSAGES)]
    assert len({one.answer for one in found}) > 3
    for one in found:
        assert 1 <= len(one.citations) <= 3
        assert all(0 <= cited.passage < len(PASSAGES) for cited in one.citations)
        if verbatim:
            first = one.citations[0]
            assert " ".join(PASSAGES[first.passage][first.start : first.end].split()) == one.answer
    assert len({one.citations[0].passage for one in found}) > 1


def test_an_answer_may_end_at_any_word_and_cite_any_passage_that_has_it(ask: Any) -> None:
    from llguidance import LLMatcher

    from functory_cited_answers.reading import whole

    tokenizer = ask.form.tokenizer
    from functory_sdk.guides.endings import Spelling

    spelling = Spelling(tokenizer, ask.form.spec.vocabulary)
    guide = ask.form.formulation.guide(whole(ask.read("what?", ["it rained [2] on\nus", "it"])), ask.state)

    def holds(text: str) -> bool:
        matcher = LLMatcher(spelling.raw, LLMatcher.grammar_from_lark(guide.grammar), log_level=0)
        return bool(spelling.completes(matcher, text.encode()))

    for text in ("it [1]", "it [2]", "it [2][1]", "rained [1]", "it rained [2] on [1]", "on us [1][2]", "no answer"):
        assert holds(text), text
    for text in ("rained [2]", "it [3]", "it", "it on [1]", "ed [1]", "it  [1]", " it [1]", "it [1][2][1][2]"):
        assert not holds(text), text


def test_no_passages_are_no_answer_and_neither_is_what_says_so(ask: Any) -> None:
    found = ask("what?", [])
    assert (found.answer, found.citations, found.abstained, found.notes) == (None, (), True, ("there are no passages",))
    from functory_cited_answers.reading import whole
    from functory_sdk import Said

    lot = whole(ask.read("what?", "we saw it"))
    said = Said("no answer", np.asarray([0.5, 0.5]), np.asarray([2, 9]))
    found = ask.form.formulation.read(ask.read("what?", "we saw it"), [lot], [said], (), ask.state)
    assert (found.answer, found.abstained, found.score) == (None, True, 0.25)


def test_many_passages_are_read_in_lots_and_those_that_are_cited_again(ask: Any) -> None:
    many = [f"day {number} was fine" for number in range(9)]
    found = ask("which?", many)
    assert found.notes[0].startswith("passages read in ")
    assert all(cited.start is None or many[cited.passage][cited.start : cited.end] for cited in found.citations)
    long = "rain and sun, " * 12
    cited = ask("which?", ["a", long])
    for one in cited.citations:
        if one.start is not None:
            assert (["a", long])[one.passage][one.start : one.end] == cited.answer
    assert "lots" in cited.notes[0]
    with pytest.raises(TooLong, match="do not fit into a prompt"):
        ask.replaced(about=replace(ask.about, long_text="refuse"))("which?", many)
    cut = ask.replaced(about=replace(ask.about, long_text="cut"))("which?", many)
    assert any("cut at" in note for note in cut.notes)


def test_answers_are_the_same_in_any_batch_and_when_the_function_is_loaded(ask: Any, tmp_path: Path) -> None:
    rows = [{"question": "what?", "passages": list(PASSAGES)}, {"question": "谁？", "passages": "王明去了。"},
            {"question": "a", "passages": []}, {"question": "which?", "passages": ["day by day"] * 6}]  # fmt: skip
    together = list(ask.map(rows, progress=False))
    assert together == [ask(**row) for row in rows]
    assert list(functory.load(ask.save(tmp_path / "ask")).map(rows, progress=False)) == together


def test_it_learns_which_passage_says_it_and_when_none_does() -> None:
    names = ("Ann", "Bob", "Eve", "Tom")
    rows = []
    for one, other in zip(names, names[1:] + names[:1], strict=True):
        rows.append({"question": "day?", "passages": [f"day {one}", f"sun {other}"], "answers": [one]})
        rows.append({"question": "sun?", "passages": [f"day {one}", f"sun {other}"], "answers": [other]})
        rows.append({"question": "rain?", "passages": [f"day {one}", f"sun {other}"], "answers": []})
    adaptation = {"name": "full", "epochs": 30, "learning_rate": 4e-3, "batch_rows": 6}
    with kit():
        taught = functory.build(
            task={"name": "cited-answers", **SHORT}, train=rows, dev=rows, backbone="tiny-decoder", adaptation=adaptation,
            report=False,
        )  # fmt: skip
        report = taught.evaluate(rows)
    assert report.metrics["citation_precision"].value > 0.7
    assert report.metrics["f1"].value > 0.6


def test_examples_are_shown_with_passages_of_their_own_number(ask: Any) -> None:
    rows = [{"question": "who?", "passages": ["x", "Ann <end>", "y"], "answers": ["Ann"], "citations": [1]}]
    with kit():
        shown = functory.build(
            task={"name": "cited-answers", **SHORT}, train=rows, backbone="tiny-decoder", report=False,
            adaptation={"name": "prompt", "demonstrations": 1}, golden=[{"question": "a", "passages": ["a"]}],
        )  # fmt: skip
        form = shown.form
        [request] = form.formulation.encode([shown.read("what?", ["we"])], shown.reader, shown.state).requests
    told = form.tokenizer.text(request.ids, keep_special=True)
    assert told == "[1] x\n[2] Ann <end>\n[3] y\nwho?\nAnn [2]\n\n[1] we\nwhat?\n"
    assert form.tokenizer.id("<end>") not in request.ids


def test_a_composite_searches_and_its_citations_count_all_texts(ask: Any) -> None:
    texts = ["rain", "we saw the film", "sun", "a very good book"]
    with kit():
        vectors = functory.build(task="embedding", backbone="tiny-encoder", golden=["a"])
        found = compose("searched-answers", passages=compose("search", vectors=vectors), answers=ask, options={"read": 2})
        answer = found("the film?", texts)
        assert found.evaluate([{"question": "the film?", "passages": texts, "answers": ["film"]}]).metrics["f1"].value >= 0
    for one in answer.citations:
        assert one.start is None or " ".join(texts[one.passage][one.start : one.end].split()) == answer.answer
    given = CitedAnswer(answer="a", citations=(Citation(passage=1, start=0, end=1),), score=0.5)
    assert _numbered(given, [7, 5]).citations[0].passage == 5


def test_citations_and_answers_count_one_by_one() -> None:
    task = CitedAnswers()
    examples = [
        Answered(question="a", passages=("x Ann", "y", "Ann z"), answers=("Ann",)),
        Answered(question="b", passages=("x", "y"), answers=()),
        Answered(question="c", passages=("x y", "y"), answers=("y",), citations=(1,)),
    ]
    outputs = [
        CitedAnswer(answer="ann.", citations=(Citation(passage=0), Citation(passage=1)), score=1),
        CitedAnswer(answer=None, score=1),
        CitedAnswer(answer="x", citations=(Citation(passage=1),), score=1),
    ]
    score = task.scorer(outputs, examples, task.learn(examples))
    found = score(np.arange(3))
    assert found["exact_match"] == pytest.approx(2 / 3)
    assert found["citation_precision"] == pytest.approx(2 / 3)
    assert found["citation_recall"] == pytest.approx(2 / 3)
    assert found["unanswered_accuracy"] == 1


@pytest.mark.parametrize(("row", "told"), [
    ({"question": "a", "passages": ["x"], "answers": ["y"]}, "stands in no passage"),
    ({"question": "a", "passages": ["x", "y"], "answers": ["y"], "citations": [0]}, "stands in no passage"),
])  # fmt: skip
def test_examples_that_no_passage_bears_out_are_refused(row: Any, told: str) -> None:
    task = CitedAnswers()
    example = Answered.model_validate(row)
    with pytest.raises(DataError, match=told):
        task.check(example, task.learn([example]))


@pytest.mark.parametrize("row", [
    {"question": " ", "passages": ["x"]}, {"question": "a", "passages": [""]},
    {"question": "a", "passages": ["x"], "citations": [1]}, {"question": "a", "passages": ["x"], "citations": [-1]},
])  # fmt: skip
def test_what_says_nothing_and_citations_of_nothing_are_refused(row: Any) -> None:
    with pytest.raises(ValidationError):
        Answered.model_validate(row)


def test_data_of_other_shapes_are_read() -> None:
    squad = {"question": "a", "passages": "x Ann", "answers": {"text": ["Ann"], "answer_start": [2]}}
    assert Answered.model_validate(squad).answers == ("Ann",)
    assert Answered.model_validate({**squad, "answers": [{"text": "Ann"}], "citations": 0}).citations == (0,)
    assert Answered.model_validate({**squad, "answers": None}).answers == ()


def test_a_guide_or_samples_of_the_callers_and_backbones_that_do_not_write_are_refused(ask: Any) -> None:
    for how in ({"guide": ["a"]}, {"temperature": 1.0, "samples": 2}):
        with pytest.raises(OptionError, match="has a form of its own"):
            ask.using(**how)
    with kit(), pytest.raises(NotSupported):
        functory.build(task={"name": "cited-answers", **SHORT}, backbone="tiny-encoder")

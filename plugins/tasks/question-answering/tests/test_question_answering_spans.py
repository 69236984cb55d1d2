"""Which stretch is the answer: the likeliest of all, over all windows, whole characters, none overlapping another."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functory_question_answering import Answer, AnsweredQuestion, Question, QuestionAnswering
from functory_question_answering.choosing import Sight, View, table
from functory_question_answering.spans import HIDDEN
from functory_question_answering.threshold import best_threshold
from functory_question_answering.types import Answers
from functory_sdk import Encoded, Reader
from functory_sdk.spans.graphemes import grapheme_borders
from functory_sdk.testing import TinyDecoder, TinyEncoder

FAMILY, FLAGS = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1ef\U0001f1f5\U0001f1ee\U0001f1f9"
ACCENT, HANGUL, HAND = "e\u0301", "\u1112\u1161\u11ab", "\U0001f44b\U0001f3fd"
HARD = (f"we {FAMILY} saw", f"{FLAGS} in", f"Zo{ACCENT}{ACCENT}", HANGUL * 2, "王明在北京。", "a\r\nb", f"{HAND} it")
LONG = "we saw the good film in the house and it was fun " * 6


def encoded(values: list[Any], context: int = 24, kind: Any = TinyEncoder, **options: Any) -> tuple[Any, Encoded]:
    backbone = kind.configure({"context": context})
    formulation = QuestionAnswering.configure(options).formulations(backbone.spec)["features"]
    return formulation, formulation.encode(values, Reader(backbone.tokenizer, backbone.spec), Answers(may_lack=True))


def drawn(rows: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Return log-probabilities for rows, as the head gives them."""
    draw = np.random.default_rng(seed)
    found = []
    for row in rows:
        is_open = row["candidates"].astype(bool)
        scores = np.where(is_open, draw.normal(size=(2, len(is_open))) * 3, -np.inf)
        shares = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        found.append({"scores": np.where(is_open, shares, HIDDEN)})
    return found


def perfect(row: dict[str, Any], gold: Any) -> dict[str, Any]:
    """Return what the head would give if it were sure of the first right answer."""
    scores = np.full((2, len(row["candidates"])), -30.0)
    for side, place in enumerate(gold[0]):
        scores[side, place] = 0
    return {"scores": np.where(row["candidates"].astype(bool), scores, HIDDEN)}


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=60).map(lambda text: text.encode(errors="ignore").decode() or "?"), st.integers(0, 2**32 - 1))
@example(" ".join(HARD) * 3, 1)
@example(FLAGS * 9 + FAMILY * 5, 2)
def test_answers_are_whole_characters_of_the_context_none_overlapping_another(text: str, seed: int) -> None:
    formulation, made = encoded([Question(question="who saw it?", context=text)], answers=5)
    [side], borders = made.side, grapheme_borders(text)
    answer: Answer = formulation.decode(side, drawn(made.rows, seed), Answers(may_lack=True))
    assert all(text[one.start : one.end] == one.text for one in answer.answers)
    assert all(borders[one.start] and borders[one.end] and one.text == one.text.strip() != "" for one in answer.answers)
    taken = sorted((one.start, one.end) for one in answer.answers)
    assert all(end <= start for (_, end), (start, _) in pairwise(taken))
    scores = [one.score for one in answer.answers]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) + (answer.none_score or 0) <= 1 + 1e-4
    if answer.answer is not None:
        best = answer.answers[0]
        assert (answer.answer, answer.start, answer.end, answer.score) == (best.text, best.start, best.end, best.score)


def views(counts: list[int], units: int) -> tuple[View, ...]:
    """Return windows that share two units each."""
    found, start = [], 0
    for number, count in enumerate(counts):
        stop = min(units, start + count)
        begin = 0 if not found else (found[-1].stop + start + 1) // 2
        if found:
            found[-1] = View(number - 1, found[-1].start, found[-1].stop, found[-1].places, (found[-1].decided[0], begin), 0)
        found.append(View(number, start, stop, 1 + np.arange(stop - start), (begin, stop), 0))
        if stop == units:
            break
        start = max(start + 1, stop - 2)
    return tuple(found)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(4, 9), min_size=6, max_size=6), st.integers(2, 20), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_the_likeliest_stretches_are_those_of_a_search_through_all(
    counts: list[int], units: int, longest: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    seen = views(counts, units)
    begins, closes = draw.random(units) < 0.8, draw.random(units) < 0.8
    sight = Sight("x" * units, np.arange(units), np.arange(units) + 1, begins, closes, seen)
    outputs = [draw.normal(size=(2, 1 + view.stop - view.start)) for view in seen]
    every = {}
    for number, view in enumerate(seen):
        above = outputs[number] - outputs[number][:, :1]
        for first in range(max(view.start, view.decided[0]), view.decided[1]):
            for last in range(first, min(view.stop, first + longest)):
                if begins[first] and closes[last]:
                    every[first, last] = above[0, 1 + first - view.start] + above[1, 1 + last - view.start]
    left, wanted = dict(every), []
    while left and len(wanted) < 4:
        span = max(left, key=lambda one: left[one])
        wanted.append((*span, pytest.approx(left[span])))
        left = {one: gain for one, gain in left.items() if one[1] < span[0] or one[0] > span[1]}
    found = table(sight, outputs, longest)
    likeliest = list(islice(found.likeliest(), 4))
    assert [(one.first, one.last, one.gain) for one in likeliest] == wanted
    for may_lack in (True, False):
        weights = [*every.values(), *([0.0] if may_lack else [])]
        assert found.weight(may_lack=may_lack) == pytest.approx(np.logaddexp.reduce(weights or [0.0]))
    if likeliest:
        beside = [gain for span, gain in every.items() if span != (likeliest[0].first, likeliest[0].last)]
        assert found.runner_up(likeliest[0]) == pytest.approx(max(beside, default=-np.inf))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from([*HARD, LONG, "the rain"]), st.data(), st.sampled_from([TinyEncoder, TinyDecoder]))
def test_what_is_taught_comes_back_as_the_answer_in_whatever_window_it_stands(
    text: str, data: st.DataObject, kind: Any
) -> None:
    formulation, made = encoded([Question(question="who?", context=text)], 64 if kind is TinyDecoder else 24, kind, overlap=6)
    [side] = made.side
    first = data.draw(st.sampled_from(np.flatnonzero(side.begins).tolist()))
    ends = [last for last in np.flatnonzero(side.closes).tolist() if first <= last < first + 3]
    start, end = int(side.starts[first]), int(side.ends[data.draw(st.sampled_from(ends or [first]))])
    answers = [{"text": text[start:end], "start": start}]
    gold = AnsweredQuestion.model_validate({"question": "who?", "context": text, "answers": answers})
    assert gold.answers[0].spans == ((start, end),)
    golds = formulation.label([gold], made, Answers())
    if not ends:
        return
    held = [view for view in side.views if view.start <= first and side.ends[view.stop - 1] >= end]
    assert [tuple(one["gold"][0]) == (view.none,) * 2 for one, view in zip(golds, side.views, strict=True)] == [
        view not in held for view in side.views
    ]
    outputs = [perfect(row, one["gold"]) for row, one in zip(made.rows, golds, strict=True)]
    answer = formulation.decode(side, outputs, Answers(may_lack=True))
    assert (answer.start, answer.end) == (start, end)
    [target, *_] = formulation.targets(answer, side, Answers())
    assert formulation.value(target, side, outputs, Answers()) == 0  # the log-probability of what is certain
    assert (target.at, target.until) == (start, end)


def test_a_long_context_is_read_with_the_whole_question_beside_each_window() -> None:
    question, text = "who saw the film", "the rain was good and the sun was in the house " * 30
    _, made = encoded([Question(question=question, context=text)], 32)
    tokens = TinyEncoder().tokenizer.tokens([question])[0].ids.tolist()
    assert len(made.rows) > 10
    assert all(row["input_ids"].tolist()[1 : 1 + len(tokens)] == tokens for row in made.rows)
    assert made.side[0].notes == (f"read in {len(made.rows)} windows",)
    assert all(not row["candidates"][1 : 2 + len(tokens)].any() for row in made.rows)  # nothing in the question answers


def test_a_question_without_end_is_cut_and_noted_and_stands_beside_each_window_as_it_is() -> None:
    _, made = encoded([Question(question="who saw the film " * 20, context="the rain was good " * 20)])
    [side] = made.side
    assert side.notes[0].startswith("question cut at ")
    assert len({tuple(row["input_ids"][: int(side.views[0].places[0])].tolist()) for row in made.rows}) == 1


def test_a_word_longer_than_any_answer_may_be_one_all_the_same() -> None:
    word = "qx" * 80  # one unknown token
    formulation, made = encoded([Question(question="who", context=f"we {word} it")])
    gold = AnsweredQuestion.model_validate({"question": "who", "context": f"we {word} it", "answers": word})
    [labelled] = formulation.label([gold], made, Answers())
    answer = formulation.decode(made.side[0], [perfect(made.rows[0], labelled["gold"])], Answers(longest=30))
    assert answer.answer == word


def test_an_example_without_answer_teaches_none_here_in_every_window() -> None:
    text = "the rain was good and the sun was in the house " * 6
    formulation, made = encoded([Question(question="why", context=text)])
    golds = formulation.label([AnsweredQuestion(question="why", context=text)], made, Answers(may_lack=True))
    assert {tuple(gold["gold"].ravel().tolist()) for gold in golds} == {(0, 0)}


@pytest.mark.parametrize("may_lack", [True, False])
def test_a_context_without_words_has_no_answer_and_no_rows(may_lack: bool) -> None:
    formulation, made = encoded([Question(question="who", context=" \t\n ")])
    assert not made.rows
    answer = formulation.decode(made.side[0], [], Answers(may_lack=may_lack))
    assert (answer.answer, answer.score, answer.notes) == (None, 1.0, ("the context has nothing to read",))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.sampled_from([0.0, 0.4, 1.0]), st.booleans()), min_size=1, max_size=8))
def test_the_threshold_is_where_held_out_examples_score_best(rows: list[tuple[int, float, bool]]) -> None:
    gains = np.asarray([float(gain) for gain, _, _ in rows])
    lacks = np.asarray([float(lack) for _, _, lack in rows])
    answered = np.asarray([0.0 if lack else f1 for _, f1, lack in rows])

    def score(threshold: float) -> float:
        return float(np.where(gains > threshold, answered, lacks).sum())

    best = max(score(threshold) for threshold in np.arange(-6.5, 7, 0.5))
    assert score(best_threshold(gains, answered, lacks)) == pytest.approx(best)


def test_without_an_answer_in_reach_nothing_is_given_and_the_best_stretch_is_still_told() -> None:
    formulation, made = encoded([Question(question="who", context="we saw it")])
    outputs = drawn(made.rows, 3)
    sure = formulation.decode(made.side[0], outputs, Answers(may_lack=True, threshold=-99))
    none = formulation.decode(made.side[0], outputs, Answers(may_lack=True, threshold=99))
    assert (sure.answer, none.answer) == (none.answers[0].text, None)
    assert sure.answers == none.answers
    assert none.score == none.none_score == sure.none_score
    assert none.in_line().startswith("no answer")

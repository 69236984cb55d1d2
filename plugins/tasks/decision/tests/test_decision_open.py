"""Questions that come with the text: any name, any number, whoever else is asked; and how they are written on the wire."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import functory
from functory_decision import systemone
from functory_sdk import Function, InputError
from functory_sdk.testing import TaskSuite, kit
from functory_serve import served

TEXT = "we saw the good film in the rain"
QUESTIONS: dict[str, Any] = {
    "good": "Was it good?", "topic": "What is it about? night, rain, book", "stars": "How many stars? 1..3"
}  # fmt: skip


class TestOpenDecide(TaskSuite):
    component = "open-decision"
    backbones = ("tiny-decoder", "tiny-encoder-decoder")
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"text": "we saw the good film", "questions": QUESTIONS, "answers": {"topic": "night", "good": True, "stars": 3}},
        {"text": "it was a poor book", "questions": QUESTIONS, "answers": {"topic": "book", "good": False, "stars": 1}},
        {"text": "the day was fine in the rain", "questions": {"wet": "Is it wet?"}, "answers": {"wet": True}},
        {"text": "not a very bad night", "questions": QUESTIONS, "answers": {"good": False}},
    )


@pytest.fixture(scope="module")
def decide() -> Iterator[Function]:
    """A function that answers any question."""
    with kit():
        yield functory.build(task="open-decision", backbone="tiny-decoder", name="decide")


def test_names_order_and_other_questions_change_no_answer(decide: Function) -> None:
    whole = decide(TEXT, QUESTIONS)
    asked = {"质问 🎯": {"ask": "Was it good?"}, "scores": "What is it about? night, rain, book"}
    for one in (decide(TEXT, dict(reversed(asked.items()))), decide(TEXT, asked)):
        assert one.scores["质问 🎯"] == pytest.approx(whole.scores["good"], abs=1e-5)
        assert one.scores["scores"] == pytest.approx(whole.scores["topic"], abs=1e-5)
    assert whole.answers.keys() == QUESTIONS.keys()
    assert all(sum(shares.values()) == pytest.approx(1, abs=1e-4) for shares in whole.scores.values())
    assert whole.tokens > 0


def test_many_texts_with_questions_of_their_own_are_answered_as_each_alone(decide: Function) -> None:
    inputs = [{"text": TEXT, "questions": {"a": "yes, no"}}, {"text": "ok", "questions": QUESTIONS}]
    for alone, together in zip(map(decide.coerce, inputs), decide.map(inputs), strict=True):
        one = decide(text=alone.text, questions=alone.questions)
        assert one.answers == together.answers
    with pytest.raises(InputError, match="questions"):
        decide(TEXT, {})
    with pytest.raises(InputError, match="twice"):
        decide(TEXT, {"a": {"options": ["x", "x"]}})


def test_what_words_say_where_nothing_is_said_is_subtracted(decide: Function) -> None:
    with kit():
        plain = functory.build(task="open-decision", silent=0, backbone="tiny-decoder", name="plain")
        assert plain(TEXT, QUESTIONS).scores != decide(TEXT, QUESTIONS).scores
        assert decide.explain({"text": TEXT, "questions": {"a": "Was it good?"}}).target.name.startswith("a ")


# -- on the wire ----------------------------------------------------------------------------------------------

TEAM = {"type": "choice", "instructions": "Which team?", "criteria": {"Billing": "money", "Bugs": None}}
ANGER = {"type": "score", "instructions": "How angry?", "criteria": ["calm", {"label": "angry"}, "very angry"]}


def test_a_request_becomes_words_and_answers_come_back_by_its_names() -> None:
    request = systemone.request_of({
        "state": {"subject": "twice", "plan": {"pro": 3}},
        "questions": {"refund": {"type": "noul", "criteria": {"true": "they ask"}}, "team": TEAM, "anger": ANGER},
    })  # fmt: skip
    assert request.text == 'subject: twice\nplan: {"pro": 3}'
    asked = request.input()["questions"]
    assert asked["refund"] == {"ask": "Is it so?\nYes: they ask"}
    assert asked["team"]["options"] == [{"value": "Billing", "words": "Billing (money)"}, {"value": "Bugs", "words": "Bugs"}]
    assert [one["words"] for one in asked["anger"]["options"]] == ["calm", '{"label": "angry"}', "very angry"]
    levels = {"0": 0.5, "1": 0.25, "2": 0.25}
    scores = {"refund": {"true": 0.25, "false": 0.75}, "team": {"Billing": 0.75, "Bugs": 0.25}, "anger": levels}
    found = systemone.answers_of(request, {"scores": scores, "tokens": 7})
    assert found["usage"] == {"input_tokens": 7, "output_tokens": 0}
    assert found["answers"]["refund"] == {"type": "noul", "noul": 0.25}
    assert found["answers"]["team"] == {
        "type": "choice", "choice": "Billing", "confidence": 0.5, "probabilities": scores["team"]
    }  # fmt: skip
    anger = found["answers"]["anger"]
    assert (anger["score"], anger["legend"]["1"], anger["confidence"]) == (0.75, '{"label": "angry"}', 0.0)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"state": None}, ["body", "state"]),
        ({"questions": {}}, ["body", "questions"]),
        ({"questions": {"q": {"type": "boolean"}}}, ["body", "questions", "q", "type"]),
        ({"questions": {"q": {"type": "choice", "criteria": {"one": None}}}}, ["body", "questions", "q", "criteria"]),
        ({"questions": {"q": {"type": "choice", "criteria": {"a": None, " a": None}}}}, ["body", "questions", "q", "criteria"]),
        ({"questions": {"q": {"type": "score", "criteria": {"0": "calm"}}}}, ["body", "questions", "q", "criteria"]),
        ({"questions": {"q": {"type": "score", "criteria": ["calm", None]}}}, ["body", "questions", "q", "criteria", 1]),
        ({"questions": {"q": {"type": "noul", "criteria": "yes"}}}, ["body", "questions", "q", "criteria"]),
        ({"assets": {"p": {"type": "image"}}}, ["body", "assets"]),
    ],
)
def test_a_body_that_is_no_request_says_where(change: dict[str, Any], place: list[Any]) -> None:
    with pytest.raises(systemone.Invalid) as caught:
        systemone.request_of({"state": "x", "questions": {"q": {"type": "noul"}}, **change})
    [detail] = caught.value.detail
    assert detail["loc"] == place


def post(url: str, body: Any, path: str = "/v1/systemone", **headers: str) -> tuple[int, Any]:
    """Return status and JSON of an answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urlopen(Request(url + path, content, {"Content-Type": "application/json", **headers}), timeout=60) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def test_a_server_answers_by_the_function_and_refuses_in_the_format_s_own_way(decide: Function) -> None:
    body = {"model": "jev-latest", "state": TEXT, "questions": {"good": {"type": "noul", "instructions": "Was it good?"}}}
    with kit(), served({"decide": decide}) as url:
        status, found = post(url, body)
        assert (status, found["model"]) == (200, "decide")
        alone = decide(TEXT, {"a": "Was it good?"}).scores["a"]["true"]
        assert found["answers"]["good"]["noul"] == pytest.approx(alone, abs=1e-4)
        status, refused = post(url, {**body, "model": "other"})
        assert (status, refused["detail"]["error_type"]) == (404, "not_found_error")
        assert "there are: decide" in refused["detail"]["message"]
        for wrong in (b"{", {**body, "questions": {}}):
            status, refused = post(url, wrong)
            assert (status, refused["detail"][0]["loc"][0]) == (422, "body")
        assert post(url, body, "/v1/systemone/more")[0] == 404


def test_models_are_listed_beside_those_of_another_face_and_alone(decide: Function) -> None:
    from functory_sdk import load

    with kit():
        for names in (("systemone",), ("openai", "systemone"), ("systemone", "openai")):
            with served({"decide": decide}, faces=[load("faces", name) for name in names]) as url:
                with urlopen(f"{url}/v1/models") as answer:
                    told = json.load(answer)
                assert [one["name"] for one in told["models"]] == ["decide"], names
                assert [one["id"] for one in told["data"]] == (["decide"] if len(names) == 1 else []), names


@pytest.mark.slow
@pytest.mark.peer(name="jevcompat")
def test_the_public_suite_of_the_format_passes(decide: Function) -> None:
    with kit(), served({"decide": decide}) as url:  # beside OpenAI's face, which has /v1/models too
        command = [sys.executable, "-m", "jevcompat.cli", "test", url, "--timeout", "300"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert re.search(r"\bconformant\b", done.stdout)
    [(passed, tested)] = re.findall(r"SHOULD (\d+)/(\d+)", done.stdout)[-1:]
    assert passed == tested, done.stdout[-3000:]

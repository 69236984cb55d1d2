"""What a server, or what stands before it, does wrong is told as what it is."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import functory
from functory.errors import UnknownComponent
from functory_remote import OtherServer, RemoteError, ServerBusy, StreamBroken, Unreachable
from functory_remote.asking import _again_after
from functory_remote.connections import Answer
from functory_sdk import Function, card

AT = "/v1/functions/toy"
OVERLOADED = {"error": "Overloaded", "what": "there is more to do than can be done.", "do": "try again.", "status": 429}


@pytest.fixture(scope="module")
def said(toy: Function) -> dict[str, Any]:
    return json.loads(json.dumps(card("toy", toy)))


def problem(asked: Any, status: int, told: dict[str, Any], **headers: str) -> None:
    asked.reply(status, told, Content_Type="application/problem+json", **headers)


@pytest.fixture
def far(toy: Function, said: dict[str, Any], answer: Callable[..., Any]) -> Callable[..., Any]:
    """A function at a server that tells the toy function's card, and answers to inputs as a test says."""

    @contextmanager
    def made(post: Callable[[Any], None], card: Any = None, **options: Any) -> Iterator[Function]:
        with answer(lambda asked: post(asked) if asked.command == "POST" else asked.reply(200, said | (card or {}))) as url:
            yield functory.load(f"{url}/toy", **options)

    return made


def test_nothing_that_listens_and_no_such_host_are_told() -> None:
    for url, told in (("http://127.0.0.1:9/toy", "nothing listens there"), ("http://no-such-host.invalid/toy", "no host")):
        with pytest.raises(Unreachable, match=told):
            functory.load(url)


def test_a_busy_server_is_asked_again_when_it_says_and_no_longer_than_told(far: Callable[..., Any], toy: Function) -> None:
    times: list[float] = []

    def post(asked: Any) -> None:
        given = asked.given()
        times.append(time.monotonic())
        if len(times) < 3:
            problem(asked, 429, OVERLOADED, Retry_After="1" if len(times) == 1 else "0")
        else:
            asked.reply(200, json.loads(toy.coerce(given) and toy(**given).json()))

    with far(post) as function:
        assert function("good") == toy("good")
        assert len(times) == 3
        assert times[1] - times[0] >= 1.0
    times.clear()
    with far(post, patience_seconds=0.5) as function, pytest.raises(ServerBusy, match="more to do") as caught:
        function("good")
    assert (caught.value.do, len(times)) == ("try again.", 1)


def test_dates_and_nonsense_in_retry_after_are_borne() -> None:
    def after(said: str, status: int = 429) -> float | None:
        return _again_after(Answer(status, {"retry-after": said}, b""))

    assert (after("7"), after("-1"), after("soon"), after("7", 500)) == (7.0, 1.0, 1.0, None)
    assert after("Fri, 01 Jan 2010 00:00:00 GMT") == 0.0


def test_answers_that_overtake_each_other_come_in_the_order_of_the_inputs(far: Callable[..., Any], toy: Function) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def post(asked: Any) -> None:
        nonlocal running, most
        given = asked.given()
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05 if given[0]["text"].startswith("0") else 0.0)
        outputs = [{"label": "yes", "scores": {"yes": float(one["text"].split()[0])}} for one in given]
        with lock:
            running -= 1
        asked.reply(200, outputs)

    with far(post, batch=2, connections=3) as function:
        found = [one.scores["yes"] for one in function.map([f"{number} x" for number in range(40)])]
    assert found == list(map(float, range(40)))
    assert 1 < most <= 3


def test_a_connection_that_was_closed_while_nobody_asked_is_opened_again(far: Callable[..., Any], toy: Function) -> None:
    def post(asked: Any) -> None:
        asked.reply(200, json.loads(toy(**asked.given()).json()))
        asked.close_connection = True  # without a word

    with far(post) as function:
        assert [function(text) for text in ("good", "bad")] == [toy("good"), toy("bad")]


def test_what_closes_every_connection_is_told_after_a_few_tries(far: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def post(asked: Any) -> None:
        tries.append(1)
        asked.close_connection = True

    monkeypatch.setattr("functory_remote.asking.PAUSE", 0.001)
    with far(post) as function, pytest.raises(Unreachable, match="closed the connection before it answered"):
        function("good")
    assert 4 <= len(tries) <= 8
    with far(lambda asked: time.sleep(0.6), timeout_seconds=0.2) as function, pytest.raises(Unreachable, match=r"within 0\.2 s"):
        function("good")


def test_what_is_no_server_of_functions_is_told_as_that(far: Callable[..., Any], answer: Callable[..., Any]) -> None:
    for reply, told in (
        (lambda asked: asked.reply(404, b"<html>", Content_Type="text/html"), "its status is 404"),
        (lambda asked: asked.reply(301, b"", Location="http://elsewhere/"), "sends its clients to 'http://elsewhere/'"),
    ):
        with answer(reply) as url, pytest.raises(OtherServer, match=told):
            functory.load(f"{url}/toy")
    for body, told in ((b"<html>", "is no ToyLabel"), (b"[]", "is no ToyLabel"), (b'{"label": 3}', "label")):
        with far(lambda asked, body=body: asked.reply(200, body)) as function, pytest.raises(OtherServer, match=told):
            function("good")
    with far(lambda asked: asked.reply(200, [])) as function, pytest.raises(OtherServer, match="did not answer with 2 outputs"):
        list(function.map(["good", "bad"]))


def test_a_server_of_another_version_and_a_task_that_is_not_here_are_told(
    far: Callable[..., Any], said: dict[str, Any], answer: Callable[..., Any]
) -> None:
    old = {name: value for name, value in said.items() if name != "state"}
    with answer(lambda asked: asked.reply(200, old)) as url, pytest.raises(OtherServer, match="state") as caught:
        functory.load(f"{url}/toy")
    assert "to one version" in caught.value.do
    output = {**said["signature"]["output"]["properties"], "mood": {"type": "string"}}
    signature = {**said["signature"], "output": {**said["signature"]["output"], "properties": output}}
    for changed, told in (
        ({"signature": signature}, "label \\(no \\| yes\\), scores, mood there"),
        ({"state": {"labels": ["no"], "more": 1}}, "more"),
        ({"options": {"nonsense": 1}}, "nonsense"),
        ({"task": "./evil.py:Task"}, "is no name of a task"),
    ):  # fmt: skip
        with pytest.raises(OtherServer, match=told), far(lambda asked: None, card=changed):
            pass
    made_with = {"distribution": "functory-hats", "version": "0.1.0"}
    hats = {"task": "hats", "made_with": made_with}
    with pytest.raises(UnknownComponent, match="there is no task named 'hats'") as missing, far(lambda asked: None, card=hats):
        pass
    assert "pip install functory-hats" in missing.value.do


def test_a_stream_that_breaks_off_is_an_error_after_what_was_written(far: Callable[..., Any]) -> None:
    def writing(end: bytes) -> Callable[[Any], None]:
        def post(asked: Any) -> None:
            asked.given()
            asked.send_response(200)
            asked.send_header("Content-Type", "text/event-stream")
            asked.end_headers()
            asked.wfile.write(b'data: {"piece": "we "}\n\ndata: {"piece": "saw"}\n\n' + end)
            asked.close_connection = True

        return post

    done = b'event: done\ndata: {"finish": "length"}\n\n'
    failed = b'event: error\ndata: {"error": "GenerationError", "what": "no way on.", "status": 422}\n\n'
    with far(writing(done), card={"writes": True}) as function, function.stream("good") as pieces:
        assert ("".join(pieces), pieces.finish) == ("we saw", "length")
    for end, error, told in (
        (b"", StreamBroken, "ended before it was told why"), (b"data: {\n\n", StreamBroken, "no JSON"),
        (failed, functory.errors.GenerationError, "no way on"),
    ):  # fmt: skip
        with far(writing(end), card={"writes": True}) as function:
            stream, written = function.stream("good"), []
            with pytest.raises(error, match=told):
                written.extend(iter(stream))
            assert written == [] or "".join(written) == "we saw"
    with far(lambda asked: problem(asked, 429, OVERLOADED), card={"writes": True}) as function, pytest.raises(RemoteError):
        next(function.stream("good"))


def test_inputs_are_asked_for_again_that_another_function_answered_than_the_rest(far: Callable[..., Any]) -> None:
    asked_for: list[str] = []

    def post(asked: Any) -> None:
        given = asked.given()
        first = given[0]["text"]
        is_old = first == "0" and first not in asked_for
        asked_for.append(first)
        score = 0.0 if is_old else 1.0
        outputs = [{"label": "yes", "scores": {"yes": score}} for _ in given]
        asked.reply(200, outputs, Functory_Digest="old" if is_old else "new")

    with far(post, card={"digest": "new"}, batch=2, connections=1) as function:
        assert {one.scores["yes"] for one in function.map([str(number) for number in range(6)])} == {1.0}
    assert asked_for == ["0", "2", "4", "0"]

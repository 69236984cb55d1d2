"""Functions that write: each text joins what is being written and leaves it; none waits for a longer one, or for a fault."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

import functory
from functory_sdk import Token
from functory_sdk.testing import kit
from functory_serve import Limits

AT = "/v1/functions/story"
LINES = {"Content-Type": "application/x-ndjson"}
TEXTS = ["we saw", "a film", "it was fine", "the good", "a day in the sun"]


@pytest.fixture(scope="module")
def story() -> Iterator[Any]:
    with kit():
        yield functory.build(task="text-generation", backbone="tiny-decoder", name="story", max_new_tokens=8)


class Pen:
    """What a session writes, and by its prompt's word some texts that are faulty: one goes on as long as it is let, one fails,
    and one is held and gives nothing until it is told to go.
    """

    def __init__(self, story: Any) -> None:
        self._submit, self._text = story.session.submit, story.form.tokenizer.text
        self.go = threading.Event()
        self.held: list[str] = []
        self.begun: list[str] = []
        self.left = 0

    def __call__(self, request: Any) -> Iterator[Token]:
        said = self._text([*request.ids])
        self.begun.append(said)
        if "night" in said:
            return self._endless(request)
        if "bad" in said:
            raise ZeroDivisionError("/secret/path")
        return self._when_told(request, said) if "rain" in said else self._submit(request)

    def _endless(self, request: Any) -> Iterator[Token]:
        try:
            while not request.ends([1]):
                time.sleep(0.001)
        finally:
            self.left += 1
        yield Token(0, 1)

    def _when_told(self, request: Any, said: str) -> Iterator[Token]:
        self.held.append(said)
        assert self.go.wait(60)
        yield from self._submit(request)

    def has_begun(self, word: str) -> bool:
        return any(word in one for one in self.begun)


@pytest.fixture
def pen(story: Any) -> Iterator[Pen]:
    story.session.submit = made = Pen(story)
    yield made
    made.go.set()
    del story.session.submit


@contextmanager
def served(serve: Callable[..., Any], story: Any, **limits: Any) -> Iterator[tuple[Any, Any, ThreadPoolExecutor]]:
    """A server, what is at work in it, and threads to ask from."""
    with serve({"story": story}, Limits(**limits)) as found, ThreadPoolExecutor(12) as pool:
        found.ready()
        yield found, found.service.servings["story"].batcher, pool


def expected(story: Any, text: str) -> bytes:
    """Return what a text is answered, whoever else is there."""
    found: bytes = story(text).json().encode()
    return found


def gone(found: Any, body: bytes) -> Callable[[], None]:
    """Ask, and return how to vanish: the connection is reset."""
    line = socket.create_connection(("127.0.0.1", found.port), timeout=60)
    line.sendall(b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (AT.encode(), len(body), body))

    def vanish() -> None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        line.close()

    return vanish


@pytest.mark.parametrize("body", ["the rain", ["the rain", "a film"], b'"the rain"\n"a film"\n'], ids=["one", "list", "lines"])
def test_a_short_text_that_comes_beside_a_long_one_ends_first(
    body: Any, pen: Pen, story: Any, serve: Callable[..., Any]
) -> None:
    with served(serve, story) as (found, batcher, pool):
        long = pool.submit(found.ask, AT, body, headers=LINES if isinstance(body, bytes) else None)
        found.until(lambda: bool(pen.held))
        assert found.ask(AT, "we saw").body == expected(story, "we saw")
        assert found.ask(AT, ["we saw", "the good"]).status == 200
        assert not long.done()
        assert batcher.requests >= 1
        pen.go.set()
        answers = [expected(story, "the rain"), expected(story, "a film")]
        whole = {str: answers[0], list: b"[%b]" % b",".join(answers), bytes: b"%b\n%b\n" % (*answers,)}
        assert long.result().body == whole[type(body)]
        page = found.ask("/metrics").body.decode()
        count = 4 if isinstance(body, str) else 5
        assert f'functory_outputs_total{{function="story"}} {count}.0' in page
        assert f'functory_batch_inputs_count{{function="story"}} {count}.0' in page


def test_many_texts_of_many_requests_are_each_what_they_are_alone_and_in_order(story: Any, serve: Callable[..., Any]) -> None:
    with served(serve, story, texts=4) as (found, batcher, pool):
        lists = [[TEXTS[(first + place) % len(TEXTS)] for place in range(6)] for first in range(5)]
        asked = [pool.submit(found.ask, AT, texts) for texts in lists]
        for texts, one in zip(lists, asked, strict=True):
            assert one.result().body == b"[%b]" % b",".join(expected(story, text) for text in texts)
        assert not batcher.running
        assert not batcher.waiting


def test_a_long_list_leaves_room_for_others_and_no_more_are_written_than_may_be(
    pen: Pen, story: Any, serve: Callable[..., Any]
) -> None:
    with served(serve, story, texts=4) as (found, batcher, pool):
        long = pool.submit(found.ask, AT, ["the rain"] * 20)
        found.until(lambda: len(pen.held) == 2)
        assert found.ask(AT, "we saw").status == 200
        lines = pool.submit(found.ask, AT, b'"the rain"\n' * 20, headers=LINES)
        found.until(lambda: len(pen.held) == 4)
        assert batcher.running == 4
        pen.go.set()
        assert len(long.result().json) == len(lines.result().body.splitlines()) == 20


def test_the_text_of_a_client_that_vanishes_ends_and_its_place_is_another_s(
    pen: Pen, story: Any, serve: Callable[..., Any]
) -> None:
    with served(serve, story, texts=1) as (found, batcher, pool):
        vanish = gone(found, b'"a night"')
        found.until(lambda: batcher.running == 1)
        never = gone(found, b'"the sun"')
        found.until(lambda: batcher.requests == 2)
        never()
        found.until(lambda: batcher.requests == 1)
        staying = pool.submit(found.ask, AT, "we saw")
        found.until(lambda: batcher.requests == 2)
        assert not staying.done()
        vanish()
        assert staying.result().body == expected(story, "we saw")
        assert pen.left == 1
        assert not pen.has_begun("sun")
        assert not batcher.requests
        assert not found.service.servings["story"]._asked
        assert not found.service.servings["story"]._left


def test_a_text_whose_time_runs_out_is_told_so_and_stopped_and_one_that_has_not_begun_never_is(
    pen: Pen, story: Any, serve: Callable[..., Any]
) -> None:
    with served(serve, story, texts=1) as (found, batcher, pool):
        writing = pool.submit(found.ask, AT, "a night", headers={"Request-Timeout": "1"})
        found.until(lambda: batcher.running == 1)
        got = found.ask(AT, "the sun", headers={"Request-Timeout": "0.05"})
        assert (got.status, got.json["error"]) in ((504, "Late"), (429, "Overloaded"))
        assert (writing.result().status, writing.result().json["error"]) == (504, "Late")
        assert found.ask(AT, "we saw").body == expected(story, "we saw")
        assert pen.left == 1
        assert not pen.has_begun("sun")


def test_a_text_that_hangs_is_given_up_alone_and_the_server_says_so_until_another_ends(
    pen: Pen, story: Any, serve: Callable[..., Any]
) -> None:
    with served(serve, story, compute_seconds=0.5) as (found, _, _):
        got = found.ask(AT, "the rain")
        assert (got.status, got.json["error"]) == (503, "Hanging")
        assert found.ask("/readyz").json["functions"] == {"story": "hanging"}
        assert found.ask(AT, "we saw").body == expected(story, "we saw")
        assert found.ask("/readyz").status == 200


def test_an_engine_that_hangs_for_a_client_that_has_gone_gives_its_place_back(
    pen: Pen, story: Any, serve: Callable[..., Any]
) -> None:
    with served(serve, story, compute_seconds=0.5, texts=1) as (found, batcher, _):
        vanish = gone(found, b'"the rain"')
        found.until(lambda: bool(pen.held))
        vanish()
        found.until(lambda: batcher.requests == 0)
        assert found.ask(AT, "we saw").body == expected(story, "we saw")


def test_a_text_that_fails_fails_for_its_own_request_and_place(pen: Pen, story: Any, serve: Callable[..., Any]) -> None:
    with served(serve, story) as (found, _, pool):
        asked: list[Future[Any]] = [pool.submit(found.ask, AT, text) for text in ("we saw", "bad", "the good", ["a film", "bad"])]
        got = [one.result() for one in asked]
        assert [one.status for one in got] == [200, 500, 200, 500]
        assert got[0].body == expected(story, "we saw")
        assert "secret" not in json.dumps([one.json for one in got])


def test_more_texts_than_can_begin_in_time_are_refused_and_told_when_to_come_again(
    pen: Pen, story: Any, serve: Callable[..., Any]
) -> None:
    with served(serve, story, texts=1, waiting=2) as (found, batcher, pool):
        first = pool.submit(found.ask, AT, "the rain")
        found.until(lambda: bool(pen.held))
        second = pool.submit(found.ask, AT, "we saw")
        found.until(lambda: batcher.requests == 2)
        got = found.ask(AT, "the sun")
        assert (got.status, got.json["error"]) == (429, "Overloaded")
        assert int(got.headers["retry-after"]) >= 1
        pen.go.set()
        assert first.result().status == second.result().status == 200
        assert not pen.has_begun("sun")

"""What goes bit by bit: texts as they are written, JSON Lines in and out; and what is measured meanwhile."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import functory
from functory_sdk.testing import kit
from functory_serve import Limits

AT = "/v1/functions/toy"
LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def story() -> Iterator[Any]:
    with kit():
        yield functory.build(task="text-generation", backbone="tiny-decoder", name="story", max_new_tokens=12)


def events_of(body: bytes) -> list[tuple[str, Any]]:
    found = []
    for block in body.decode().split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((lines.get("event", ""), json.loads(lines["data"])))
    return found


def test_a_text_comes_in_pieces_that_are_together_what_a_call_gives(story: Any, serve: Callable[..., Any]) -> None:
    with serve({"story": story}, Limits(streams=1)) as found:
        got = found.ask("/v1/functions/story/stream", "we saw")
        assert got.headers["content-type"].startswith("text/event-stream")
        *pieces, (name, end) = events_of(got.body)
        whole = story("we saw")
        assert "".join(data["piece"] for _, data in pieces) == whole.text
        assert (name, end) == ("done", {"finish": whole.finish})
        assert found.ask("/v1/functions/story", "we saw").body == whole.json().encode()
        found.until(lambda: not found.service.servings["story"].room.locked())
        assert "/v1/functions/story/stream" in found.ask("/openapi.json").json["paths"]


def test_a_text_that_cannot_be_written_is_refused_before_it_begins_or_told_in_an_event(
    client: Any, story: Any, serve: Callable[..., Any]
) -> None:
    assert client.ask(f"{AT}/stream", "good").json["error"] == "NotSupported"
    assert f"{AT}/stream" not in client.ask("/openapi.json").json["paths"]
    with serve({"story": Breaking(story)}, Limits(streams=1)) as found:
        *_, (name, told) = events_of(found.ask("/v1/functions/story/stream", "we saw").body)
        assert (name, told["error"]) == ("error", "FunctionFailed")
        assert "secret" not in json.dumps(told)
        assert found.ask("/v1/functions/story/stream", {"text": 3}).status == 422
        found.until(lambda: not found.service.servings["story"].room.locked())
        found.service.servings["story"].room = asyncio.Semaphore(0)
        assert found.ask("/v1/functions/story/stream", "we saw").status == 429


class Breaking:
    """A function whose texts break off after a piece."""

    def __init__(self, of: Any) -> None:
        self.of = of

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)

    def stream(self, value: Any) -> Any:
        return BreakingOff()


class BreakingOff:
    def __enter__(self) -> Iterator[str]:
        yield_one = iter(["a piece", None])
        return (piece if piece else 1 // 0 for piece in yield_one)

    def __exit__(self, *error: object) -> None:
        pass


def test_a_text_is_left_off_when_its_client_goes(story: Any, serve: Callable[..., Any]) -> None:
    endless = Endless(story)
    with serve({"story": endless}, Limits(streams=1)) as found:
        line = socket.create_connection(("127.0.0.1", found.port), timeout=60)
        line.sendall(b'POST /v1/functions/story/stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"a"')
        assert b"200" in line.recv(1000)
        line.close()
        found.until(lambda: endless.is_closed)
        found.until(lambda: not found.service.servings["story"].room.locked())


class Endless(Breaking):
    """A function whose texts do not end."""

    is_closed = False

    def stream(self, value: Any) -> Any:
        return self

    def __enter__(self) -> Iterator[str]:
        while True:
            yield "a piece "

    def __exit__(self, *error: object) -> None:
        self.is_closed = True


def test_each_line_gets_its_answer_in_order_and_a_wrong_one_its_problem(client: Any, toy: Any) -> None:
    lines = ['"we saw the good film"', "{", '{"text": "bad"}', "", '["good"]', '{"text": 3}', *['"a fine day"'] * 700, '"bad"']
    got = client.ask(AT, "\n".join(lines).encode(), headers=LINES)
    assert got.headers["content-type"] == "application/x-ndjson"
    found = [json.loads(line) for line in got.body.splitlines()]
    assert [one.get("label", one.get("where")) for one in found] == [
        "yes", "line 2, column 2", "no", "line 5", "line 6", *["yes"] * 700, "no"
    ]  # fmt: skip
    assert [found[number]["status"] for number in (1, 3, 4)] == [400, 422, 422]
    assert client.ask(AT, b"", headers=LINES).body == b""


def test_lines_are_answered_while_more_are_sent(client: Any) -> None:
    line = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    line.putrequest("POST", AT)
    line.putheader("Content-Type", "application/x-ndjson")
    line.putheader("Transfer-Encoding", "chunked")
    line.endheaders()
    line.send(b"7\r\n\"good\"\n\r\n")
    answer = http.client.HTTPResponse(line.sock)
    answer.begin()
    assert json.loads(answer.readline())["label"] == "yes"
    line.send(b"6\r\n\"bad\"\n\r\n0\r\n\r\n")
    assert json.loads(answer.readline())["label"] == "no"
    assert answer.read() == b""


def test_lines_that_are_too_long_or_do_not_come_end_the_answer_with_a_problem(toy: Any, serve: Callable[..., Any]) -> None:
    with serve({"toy": toy}, Limits(body_bytes=100, receive_seconds=0.2)) as found:
        got = found.ask(AT, b'"good"\n"' + b"a" * 1000, headers=LINES)
        first, last = map(json.loads, got.body.splitlines())
        assert (first["label"], last["status"], last["where"]) == ("yes", 413, "line 2")
        line = http.client.HTTPConnection("127.0.0.1", found.port, timeout=60)
        line.request("POST", AT, iter([b'"good"\n']), {**LINES, "Content-Length": "100"})
        first, last = map(json.loads, line.getresponse().read().splitlines())
        assert (first["label"], last["status"]) == ("yes", 408)


def test_what_is_measured_is_told_to_prometheus(toy: Any, serve: Callable[..., Any]) -> None:
    with serve({"toy": toy}) as found:
        found.ready()
        found.ask(AT, ["good", "bad"])
        found.ask(AT, "good")
        found.ask(AT, {"texd": 1})
        found.ask(AT, "good", headers={"Origin": "https://elsewhere.example"})
        found.ask("/v1/functions/nobody", "good")
        page = found.ask("/metrics")
        assert page.headers["content-type"].startswith("text/plain")
        told = dict(line.rsplit(" ", 1) for line in page.body.decode().splitlines() if not line.startswith("#"))
    assert told['functory_requests_total{function="toy",status="200"}'] == "2.0"
    assert told['functory_requests_total{function="toy",status="422"}'] == "1.0"
    assert told['functory_refusals_total{error="InputError",function="toy",status="422"}'] == "1.0"
    assert told['functory_refusals_total{error="Refusal",function="",status="403"}'] == "1.0"
    assert told['functory_refusals_total{error="Refusal",function="",status="404"}'] == "1.0"
    assert told['functory_outputs_total{function="toy"}'] == "3.0"
    assert told['functory_abstained_total{function="toy"}'] == "0.0"
    assert told['functory_batch_inputs_count{function="toy"}'] == "2.0"
    assert told['functory_batch_inputs_sum{function="toy"}'] == "3.0"
    assert told['functory_request_seconds_count{function="toy",stage="whole"}'] == "2.0"
    assert told['functory_waiting_requests{function="toy"}'] == "0.0"
    assert not any("good" in name for name in told)

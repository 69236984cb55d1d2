"""What is refused by its head alone: as it would be after it was read, and nothing else is."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from functory_serve import Limits
from functory_serve.access import Token

AT = "/v1/functions/toy"
LINES = {"Content-Type": "application/x-ndjson"}


@contextmanager
def crowded(
    serve: Callable[..., Any], slow: Any, headers: Any = None, limits: Limits | None = None, **more: Any
) -> Iterator[Any]:
    """A server for whose function one waits, and no more may."""
    with serve({"toy": slow, "other": slow.of}, limits or Limits(waiting=1), **more) as found, ThreadPoolExecutor(1) as pool:
        found.until(lambda: all(one.is_proven for one in found.service.health.values()))
        first = pool.submit(found.ask, AT, "wait", headers=headers)
        try:
            found.until(slow.is_waiting.is_set)
            yield found
        finally:
            slow.go.set()
        assert first.result().status == 200


def in_chunks(port: int, body: bytes) -> tuple[dict[str, str], Any]:
    """Ask with a body whose length the head does not tell."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("POST", AT, iter([body]), {"Content-Type": "application/json"}, encode_chunked=True)
    answer = line.getresponse()
    return {name.lower(): value for name, value in answer.getheaders()}, json.loads(answer.read())


def test_a_refusal_by_the_head_is_that_of_the_long_way_and_its_body_is_not_read(slow: Any, serve: Callable[..., Any]) -> None:
    with crowded(serve, slow) as found:
        got = found.ask(AT, "good", headers={"X-Request-Id": "mine"})
        headers, told = in_chunks(found.port, b'"good"')
        assert got.json == {**told, "request": "mine", "what": got.json["what"], "detail": got.json["what"]}
        assert {**headers, "x-request-id": "mine", "content-length": "", "date": ""} == {
            **got.headers, "content-length": "", "date": ""}  # fmt: skip
        assert found.ask(AT, b"{ no JSON").status == 429
        assert found.ask(AT, b'"' + b"a" * 60_000 + b'"').status == 429
        page = found.ask("/metrics").body.decode()
        assert 'functory_refusals_total{error="Overloaded",function="toy",status="429"} 4.0' in page
        assert 'functory_requests_total{function="toy",status="429"} 4.0' in page


def test_whatever_is_not_surely_too_much_goes_the_long_way(slow: Any, serve: Callable[..., Any]) -> None:
    with crowded(serve, slow) as found:
        assert found.ask("/v1/functions/other", "good").status == 200
        assert found.ask("/v1/functions/nobody", "good").status == 404
        assert found.ask(AT, "good", headers={"Content-Type": "text/plain"}).status == 415
        assert found.ask(AT, "good", headers={"Request-Timeout": "soon"}).status == 400
        assert found.ask(AT, "good", headers={"Origin": "https://elsewhere.example"}).status == 403
        assert found.ask(AT).status == 200
        assert found.ask(AT, b"", headers=LINES).status == 200
        assert found.ask(f"{AT}/explain", "we saw the good film").status == 200


def test_who_may_not_ask_is_told_so_and_not_how_much_there_is_to_do(
    slow: Any, serve: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    hashed = {word: hashlib.sha256(word.encode()).hexdigest() for word in ("all", "other", "few")}
    tokens = [Token(sha256=hashed["all"]), Token(sha256=hashed["other"], functions=("other",)),
              Token(sha256=hashed["few"], per_second=1)]  # fmt: skip
    bearing = {word: {"Authorization": f"Bearer {word}"} for word in (*hashed, "none")}
    with crowded(serve, slow, bearing["all"], tokens=tokens, logs=True) as found:
        statuses = {word: found.ask(AT, "good", headers=headers).status for word, headers in bearing.items()}
        assert statuses == {"all": 429, "other": 404, "few": 429, "none": 401}
        assert found.ask(AT, "good", headers=bearing["few"]).json["what"] == "there were more requests than this token may send."
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert next((one["status"], one["function"]) for one in lines if one["event"] == "answered") == (429, "toy")


def test_a_body_that_does_not_come_is_not_waited_for_by_a_refusal(slow: Any, serve: Callable[..., Any]) -> None:
    with crowded(serve, slow) as found:
        found.service.limits.__dict__["receive_seconds"] = 0.2
        with socket.create_connection(("127.0.0.1", found.port), timeout=60) as line:
            line.sendall(b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n\"ba" % AT.encode())
            got = b""
            while piece := line.recv(10_000):
                got += piece
            assert b" 429 " in got.split(b"\r\n")[0]


def test_a_text_costs_no_more_for_how_json_writes_it(slow: Any, serve: Callable[..., Any]) -> None:
    with ThreadPoolExecutor(1) as pool, crowded(serve, slow, limits=Limits(wait_seconds=2)) as found:
        found.service.servings["toy"].batcher.pace.saw(100_000, 1000.0)  # 200 tokens may wait
        assert found.ask(AT, b'"' + b"a" * 6000 + b'"').status == 429
        answer = pool.submit(found.ask, AT, json.dumps("\u597d" * 200).encode())  # 600 bytes, in 1,200 of JSON
        found.until(lambda: found.service.servings["toy"].batcher.requests == 2 or answer.done())
        slow.go.set()
        assert answer.result().status == 200

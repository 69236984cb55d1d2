"""Faults that a server meets: senders that trickle, half-closed sockets, bombs, clients that vanish, a full disk, clocks."""

from __future__ import annotations

import errno
import io
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functory_serve import Limits

AT = "/v1/functions/toy"
HEAD = b"POST /v1/functions/toy HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
MOST = 20_000
"""Bytes that an answer to nonsense has at most."""


@pytest.fixture
def line(client: Any) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", client.port), timeout=60) as made:
        yield made


def received(line: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    found = b""
    while piece := line.recv(65536):
        found += piece
    return found


@pytest.mark.parametrize("sent", [b"POST /v1/functions/toy HTTP/1.1\r\nHost: localhost\r\nX: ", HEAD % 10_000])
def test_who_sends_a_byte_now_and_then_has_no_more_time_than_who_sends_nothing(
    sent: bytes, toy: Any, serve: Callable[..., Any]
) -> None:
    with serve({"toy": toy}, Limits(receive_seconds=0.4)) as found:
        with socket.create_connection(("127.0.0.1", found.port), timeout=60) as line:
            line.sendall(sent)
            begun, got = time.monotonic(), b""
            line.settimeout(0.05)
            while not got and time.monotonic() - begun < 15:
                try:
                    line.sendall(b" ")
                    got = line.recv(1000)
                except TimeoutError:
                    pass
                except OSError:
                    break
        assert b" 408 " in got.split(b"\r\n")[0]
        assert found.ask(AT, "good").status == 200


def test_a_client_that_closes_its_half_after_asking_is_let_go_and_keeps_no_place(
    client: Any, line: socket.socket
) -> None:
    line.sendall(HEAD % 6 + b'"good"')
    line.shutdown(socket.SHUT_WR)
    received(line)
    client.until(lambda: client.service.servings["toy"].batcher.requests == 0)
    assert client.ask(AT, "good").status == 200


def test_a_socket_that_is_silent_after_its_answer_is_closed(
    toy: Any, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functory_serve.running.KEEP_ALIVE_SECONDS", 1)
    with serve({"toy": toy}) as found, socket.create_connection(("127.0.0.1", found.port), timeout=60) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert received(line).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"text":' * 100_000, 400),
        (b'{"text": "a", ' + b", ".join(b'"k%d": 1' % number for number in range(200_000)) + b"}", 413),
        (b'{"text": "a", ' + b", ".join(b'"k%d": 1' % number for number in range(2_000)) + b"}", 422),
        (b'{"text": [' + b"1, " * 1_000_000 + b"1]}", 413),
        (b'{"text": ' + b"[" * 500 + b"]" * 500 + b"}", 400),
        (b"1e999999999", 400),
        (b'{"text": 1e400}', 400),
        (b'{"text": -1e400}', 400),
        (b"9" * 4000, 422),
        (b'{"text": "' + b"\\u0041" * 1_200_000 + b'"}', 413),
        (b'"' + b"a" * 10_000_000 + b'"', 413),
        (b'{"text": "\xed\xa0\x80"}', 400),
        (b'{"text": "\xc0\xaf"}', 400),
        (b"\xff\xfe\"\x00a\x00\"\x00", 400),
    ],
)
def test_a_bomb_is_refused_in_few_words_and_costs_no_one_else_anything(client: Any, body: bytes, status: int) -> None:
    got = client.ask(AT, body)
    assert got.status == status
    assert got.headers["content-type"] == "application/problem+json"
    assert len(got.body) < MOST
    assert client.ask(AT, "good").status == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_a_body_that_would_grow_is_never_unpacked(client: Any, coding: str) -> None:
    import gzip

    got = client.ask(AT, gzip.compress(b'"' + b"a" * 5_000_000 + b'"'), headers={"Content-Encoding": coding})
    assert got.status == 415


def test_bytes_that_are_no_text_in_a_path_a_query_or_a_header_are_a_clients_fault(client: Any, line: socket.socket) -> None:
    asked = [
        b"GET /v1/functions/%ff%fe HTTP/1.1\r\n",
        b"POST /v1/functions/toy/explain?target=%ff HTTP/1.1\r\nContent-Length: 6\r\n",
        b"GET /v1/functions/../../etc/passwd HTTP/1.1\r\n",
        b"GET /v1/functions HTTP/1.1\r\nX-Request-Id: \xff\xfe\r\nAuthorization: \xff \xfe\r\n",
        b"GET /v1/functions/toy%00 HTTP/1.1\r\n",
    ]
    statuses = []
    for head in asked:
        with socket.create_connection(("127.0.0.1", client.port), timeout=60) as other:
            other.sendall(head + b"Host: localhost\r\nConnection: close\r\n\r\n" + (b'"good"' if b"POST" in head else b""))
            statuses.append(int(received(other).split(b" ")[1]))
    assert statuses == [404, 422, 404, 200, 404]


def test_clients_that_vanish_while_their_batch_is_computed_take_no_neighbour_with_them(
    slow: Any, serve: Callable[..., Any]
) -> None:
    with serve({"toy": slow}) as found, ThreadPoolExecutor(4) as pool:
        found.ready()
        first = pool.submit(found.ask, AT, "wait")
        found.until(slow.is_waiting.is_set)
        serving = found.service.servings["toy"]
        staying = [pool.submit(found.ask, AT, text) for text in ("good", "bad", "fine")]
        lines = [socket.create_connection(("127.0.0.1", found.port), timeout=60) for _ in range(5)]
        for one in lines:
            one.sendall(HEAD % 6 + b'"wait"')
        found.until(lambda: serving.batcher.requests == 9)
        slow.is_waiting.clear()
        slow.go.set()
        slow.go = threading.Event()
        found.until(slow.is_waiting.is_set)  # the batch of all others runs
        for one in lines:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # it is reset, not closed
            one.close()
        found.until(lambda: serving.batcher.requests == 3)
        slow.go.set()
        assert [one.result().json["label"] for one in staying] == [one.label for one in slow.of.map(["good", "bad", "fine"])]
        assert first.result().status == 200
        assert not serving.batcher.requests
        assert not serving._asked


def test_a_log_that_cannot_be_written_stops_nothing(
    toy: Any, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve({"toy": toy}, logs=True) as found:
        found.ready()
        monkeypatch.setattr(sys, "stderr", Full())
        assert found.ask(AT, "good").status == 200
        assert found.ask(AT, {"texd": 1}).status == 422
        assert found.ask("/v1/reload", method="POST").json["functions"]["toy"]["error"] == "NotSupported"
        assert found.ask(AT, "good").status == 200


class Full(io.StringIO):
    """A disk without room."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("jump", [-86400.0 * 400, 86400.0 * 400])
def test_a_clock_that_jumps_makes_no_request_late_and_none_wait(
    jump: float, slow: Any, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time
    with serve({"toy": slow}, logs=True) as found, ThreadPoolExecutor(2) as pool:
        found.ready()
        asked = pool.submit(found.ask, AT, "wait", headers={"Request-Timeout": "15"})
        found.until(slow.is_waiting.is_set)
        monkeypatch.setattr(time, "time", lambda: now() + jump)
        slow.go.set()
        assert asked.result().status == 200
        assert found.ask(AT, "good", headers={"Request-Timeout": "15"}).status == 200
        told = [one for one in found.ask("/metrics").body.decode().splitlines() if "request_seconds_sum" in one]
        assert len(told) == 3
        assert all(0 <= float(one.rsplit(" ", 1)[1]) < 30 for one in told)


def test_a_line_of_json_lines_that_is_a_bomb_leaves_its_neighbours_their_answers(client: Any) -> None:
    lines = [b'"good"', b'{"a":' * 100_000, b'"\xff"', b'{"text": 1e400}', b'"bad"']
    got = client.ask(AT, b"\n".join(lines), headers={"Content-Type": "application/x-ndjson"})
    found = [json.loads(one) for one in got.body.splitlines()]
    assert [one.get("label", one.get("status")) for one in found] == ["yes", 400, 400, 400, "no"]

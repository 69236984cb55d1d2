"""Faults under the server: functions that raise, hang or are too slow, clients that vanish. Its neighbours go on."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functory_sdk import FunctoryError
from functory_serve import Limits, served

AT = "/v1/functions/toy"


class Tricky:
    """A function that does as its inputs say; else what the function does that it is made of.

    :param of: that one.
    """

    def __init__(self, of: Any) -> None:
        self.of = of
        self.go = threading.Event()
        self.seen: list[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)

    def map(self, values: Any, *, progress: bool | None = None) -> Any:
        texts = [value.text for value in values]
        self.seen.append(texts)
        if "raise" in texts:
            raise ZeroDivisionError("/secret/path")
        if "exit" in texts:
            raise SystemExit(3)
        if "wait" in texts:
            assert self.go.wait(60)
        return self.of.map(values, progress=progress)

    def has_seen(self, text: str) -> bool:
        return any(text in texts for texts in self.seen)


@pytest.fixture
def tricky(toy: Any) -> Tricky:
    return Tricky(toy)


def test_a_function_that_raises_for_one_answers_its_neighbours_in_the_same_batch(
    tricky: Tricky, serve: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    with serve({"toy": tricky}) as found, ThreadPoolExecutor(8) as pool:
        found.ready()
        first = pool.submit(found.ask, AT, "wait")
        found.until(lambda: tricky.has_seen("wait"))
        texts = ["good", "raise", "bad", "exit", "fine"]
        asked = [pool.submit(found.ask, AT, text) for text in texts]
        found.until(lambda: found.service.servings["toy"].batcher.requests == 6)
        tricky.go.set()
        got = [one.result() for one in asked]
        assert any(set(texts) == set(together) for together in tricky.seen), "they were no batch"
        assert [one.status for one in (first.result(), *got)] == [200, 200, 500, 200, 500, 200]
        assert "secret" not in got[1].body.decode()
        assert got[1].json["error"] == "FunctionFailed"
        logged = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        assert {one["request"]: one["error"] for one in logged} == {
            got[1].json["request"]: "ZeroDivisionError", got[3].json["request"]: "SystemExit"
        }  # fmt: skip
        assert "secret" not in json.dumps(logged)


def test_a_client_that_vanishes_before_its_batch_is_computed_costs_nothing(tricky: Tricky, serve: Callable[..., Any]) -> None:
    with serve({"toy": tricky}) as found, ThreadPoolExecutor(2) as pool:
        found.ready()
        first = pool.submit(found.ask, AT, "wait")
        found.until(lambda: tricky.has_seen("wait"))
        batcher = found.service.servings["toy"].batcher
        body = json.dumps("never").encode()
        line = socket.create_connection(("127.0.0.1", found.port))
        line.sendall(b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (AT.encode(), len(body), body))
        found.until(lambda: batcher.requests == 2)
        line.close()
        found.until(lambda: batcher.requests == 1)
        tricky.go.set()
        assert first.result().status == 200
        assert found.ask(AT, "good").status == 200
        assert not tricky.has_seen("never")


def test_a_request_whose_time_runs_out_is_told_so_and_not_computed(tricky: Tricky, serve: Callable[..., Any]) -> None:
    with serve({"toy": tricky}) as found, ThreadPoolExecutor(2) as pool:
        found.ready()
        first = pool.submit(found.ask, AT, "wait")
        found.until(lambda: tricky.has_seen("wait"))
        got = found.ask(AT, "never", headers={"Request-Timeout": "0.05"})
        assert (got.status, got.json["error"]) in ((504, "Late"), (429, "Overloaded"))
        tricky.go.set()
        assert first.result().status == 200
        assert found.ask(AT, "good").status == 200
        assert not tricky.has_seen("never")


def test_an_engine_that_hangs_loses_its_batch_alone_and_the_server_says_so_until_it_answers_again(
    tricky: Tricky, serve: Callable[..., Any]
) -> None:
    with serve({"toy": tricky}, Limits(compute_seconds=0.5)) as found:
        found.ready()
        got = found.ask(AT, "wait")
        assert (got.status, got.json["error"]) == (503, "Hanging")
        assert found.ask("/readyz").json["functions"] == {"toy": "hanging"}
        assert found.ask("/healthz").status == 200
        assert found.ask(AT, "good").status == 200
        assert found.ask("/readyz").status == 200
        tricky.go.set()


def test_more_than_can_be_answered_in_time_is_refused_at_once_and_told_when_to_come_again(
    tricky: Tricky, serve: Callable[..., Any]
) -> None:
    with serve({"toy": tricky}, Limits(waiting=2)) as found, ThreadPoolExecutor(3) as pool:
        found.ready()
        first = pool.submit(found.ask, AT, "wait")
        found.until(lambda: tricky.has_seen("wait"))
        second = pool.submit(found.ask, AT, "good")
        found.until(lambda: found.service.servings["toy"].batcher.requests == 2)
        got = found.ask(AT, "never")
        assert (got.status, got.json["error"]) == (429, "Overloaded")
        assert int(got.headers["retry-after"]) >= 1
        tricky.go.set()
        assert first.result().status == second.result().status == 200
        assert not tricky.has_seen("never")


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /v1/functions/toy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n\"ba",
        b"POST /v1/functions/toy HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\"b\r\n",
    ],
)
def test_a_body_that_does_not_come_is_not_waited_for_without_end(sent: bytes, toy: Any, serve: Callable[..., Any]) -> None:
    with serve({"toy": toy}, Limits(receive_seconds=0.2)) as found:
        line = socket.create_connection(("127.0.0.1", found.port), timeout=60)
        line.sendall(sent)
        assert b"408" in line.recv(100_000).split(b"\r\n")[0]
        assert found.ask(AT, "good").status == 200
        line.close()


def test_answers_leave_without_waiting_for_the_client_to_confirm_their_heads(toy: Any, serve: Callable[..., Any]) -> None:
    with serve({"toy": toy}) as found:
        line = socket.create_connection(("127.0.0.1", found.port), timeout=60)
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" in line.recv(10_000)
        [connection] = found.connections()
        taken = connection.transport.get_extra_info("socket")
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        line.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b'POST /v1/functions/toy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"a" and more than it says', b"400"),
        (b"POST /v1/functions/toy HTTP/1.1\r\nHost: localhost\r\nContent-Length: -3\r\n\r\n", b"400"),
        (b"POST /v1/functions/toy HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", b"400"),
        (b"POST /v1/functions/toy HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 100_000, b"400"),
        (b"\x16\x03\x01\x00\xa5", b"400"),
    ],
)
def test_a_client_that_lies_or_speaks_something_else_is_refused_and_the_server_goes_on(
    sent: bytes, status: bytes, client: Any
) -> None:
    line = socket.create_connection(("127.0.0.1", client.port), timeout=60)
    line.sendall(sent)
    assert status in line.recv(100_000).split(b"\r\n")[0]
    line.close()
    assert client.ask(AT, "good").status == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_cannot_begin_is_told_and_not_waited_for(toy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("functory_serve.service.Service.start", start)
    with pytest.raises(FunctoryError, match="ended before it took requests"), served({"toy": toy}):
        raise AssertionError("there is no server")

"""Who may ask, what the log holds, what a file says, and connections that are held for nothing."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functory_sdk import OptionError
from functory_serve import Limits
from functory_serve.access import Access, Token
from functory_serve.admission import Overloaded
from functory_serve.configuration import configuration

AT = "/v1/functions/toy"


def token(word: str, **more: Any) -> Token:
    return Token(sha256=hashlib.sha256(word.encode()).hexdigest(), **more)


def bearing(word: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {word}"}


def test_a_token_opens_the_functions_that_it_is_for_and_hides_the_others(toy: Any, serve: Callable[..., Any]) -> None:
    tokens = [token("all"), token("one", functions=("other",))]
    with serve({"toy": toy, "other": toy}, tokens=tokens) as found:
        assert found.ask(AT, "good", headers=bearing("all")).status == 200
        for headers in ({}, bearing("wrong"), bearing(""), {"Authorization": "Basic all"}):
            for path in (AT, "/v1/functions", "/openapi.json", "/metrics"):
                got = found.ask(path, headers=headers)
                assert (got.status, got.headers["www-authenticate"]) == (401, "Bearer")
        assert found.ask(AT, "good").status == 401
        assert found.ask("/v1/functions/other", "good", headers=bearing("one")).status == 200
        assert found.ask(AT, "good", headers=bearing("one")).status == 404
        assert [one["name"] for one in found.ask("/v1/functions", headers=bearing("one")).json["functions"]] == ["other"]
        assert AT not in found.ask("/openapi.json", headers=bearing("one")).json["paths"]
        assert found.ask("/healthz").status == 200
        assert found.ask("/readyz").status in (200, 503)


def test_a_token_sends_as_many_requests_in_a_second_as_it_may_whatever_the_clock_did_before() -> None:
    access = Access([token("a", per_second=2)])
    header = bearing("a")["Authorization"]
    access.spend(header, 100.0)
    access.spend(header, 100.0)
    with pytest.raises(Overloaded) as refused:
        access.spend(header, 100.25)
    assert refused.value.retry_seconds == pytest.approx(0.25)
    access.spend(header, 100.5)
    access.spend(header, 1000.0)
    access.spend(header, 1000.0)
    with pytest.raises(Overloaded):
        access.spend(header, 1000.0)


def test_the_log_holds_ids_and_no_text(toy: Any, serve: Callable[..., Any], capfd: pytest.CaptureFixture[str]) -> None:
    with serve({"toy": toy}, logs=True) as found:
        found.ready()
        capfd.readouterr()
        given = found.ask(AT, "a secret film").headers["x-request-id"]
        found.ask(AT, {"secret": 1})
        found.ask("/v1/functions/secret", "good")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()][-3:]  # that of the last `ready` may come before
    assert [(one["function"], one["status"]) for one in lines] == [("toy", 200), ("toy", 422), ("", 404)]
    assert lines[0]["request"] == given
    assert "secret" not in json.dumps(lines)


def test_a_file_says_what_is_served_with_folders_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    word = hashlib.sha256(b"word").hexdigest()
    file.write_text(
        f'port = 0\n[functions]\nmine = "./mine"\ninstalled = "my-function"\n[limits]\ninputs = 3\n'
        f'[[tokens]]\nname = "shop"\nsha256 = "{word}"\nfunctions = ["mine"]\n'
    )
    said = configuration(file)
    assert said.functions == {"mine": str(tmp_path / "mine"), "installed": "my-function"}
    assert (said.port, said.limits.inputs, said.tokens[0].name) == (0, 3, "shop")
    faults = {"prot = 1": "port", "port = x": "TOML", '[[tokens]]\nsha256 = "word"': "sha256", "port = -1": "port"}
    for wrong, told in faults.items():
        file.write_text(wrong)
        with pytest.raises(OptionError, match=told):
            configuration(file)


def test_a_head_that_does_not_come_is_not_waited_for_without_end(toy: Any, serve: Callable[..., Any]) -> None:
    with serve({"toy": toy}, Limits(receive_seconds=0.2)) as found:
        for sent in (b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"):
            line = socket.create_connection(("127.0.0.1", found.port), timeout=60)
            line.sendall(sent)
            got = b""
            while piece := line.recv(10_000):
                got += piece
            assert got.startswith(b"HTTP/1.1 408")
            line.close()
        assert found.ask("/healthz").status == 200


def test_no_more_connections_are_held_than_may_be(toy: Any, serve: Callable[..., Any]) -> None:
    with serve({"toy": toy}, Limits(connections=3)) as found:
        held = [socket.create_connection(("127.0.0.1", found.port), timeout=60) for _ in range(3)]
        line = socket.create_connection(("127.0.0.1", found.port), timeout=60)
        assert line.recv(1000).startswith(b"HTTP/1.1 503")
        for one in [*held, line]:
            one.close()
        found.until(lambda: found.ask("/healthz").status == 200)


def test_a_client_that_reads_nothing_is_left(toy: Any, serve: Callable[..., Any]) -> None:
    with serve({"toy": toy}, Limits(send_seconds=0.2)) as found:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(100)
        line.connect(("127.0.0.1", found.port))
        ask = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with pytest.raises(OSError, match="reset|pipe"):
            line.sendall(ask * 1_000_000)
        assert found.ask("/healthz").status == 200
        line.close()

"""The verb: what it serves and where, whom it refuses, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functory.cli import main
from functory_sdk.testing import CommandSuite

PROGRAM = """
import sys
from functory.cli import main
from functory_sdk.testing import kit
with kit():
    sys.exit(main(sys.argv[1:]))
"""
"""`functory`, which knows the tiny components."""


class TestServe(CommandSuite):
    component = "serve"


@pytest.fixture(scope="module")
def saved(toy: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.save(tmp_path_factory.mktemp("functions") / "toy")


@pytest.fixture(scope="module")
def pid_file(saved: Path) -> Path:
    return saved.with_name("serve.pid")


@pytest.fixture(scope="module")
def verb(saved: Path, pid_file: Path) -> Iterator[subprocess.Popen[str]]:
    more = ["--port", "0", "--json", "--pid-file", str(pid_file)]
    command = [sys.executable, "-c", PROGRAM, "serve", str(saved), f"other={saved}", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_it_says_what_it_serves_and_where_answers_what_is_there_when_it_is_told_to_end_and_ends_well(
    verb: subprocess.Popen[str], pid_file: Path, client: Any, toy: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb.stdout is not None
    told = json.loads(verb.stdout.readline())
    assert told["functions"] == ["toy", "other"]
    assert {"mcp", "playground"} <= set(told["faces"]), told["faces"]
    assert not {"openai", "systemone"} & set(told["faces"]), "a face that can be asked for nothing here is announced"
    host, _, port = told["url"].removeprefix("http://").partition(":")
    assert host == "127.0.0.1"
    one = type(client)(int(port))
    assert one.ask("/v1/functions/other", "bad").body == toy("bad").json().encode()
    one.ready()
    verb.send_signal(signal.SIGHUP)
    assert verb.stderr is not None
    assert json.loads(verb.stderr.readline())["functions"] == {"toy": toy.about.version, "other": toy.about.version}
    assert main(["reload", str(pid_file)]) == 0
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["toy", "other"]
    assert json.loads(verb.stderr.readline())["event"] == "reloaded"
    got: list[Any] = []
    asked = ["the poor book in the rain " * 20] * 1000
    asking = threading.Thread(target=lambda: got.append(one.ask("/v1/functions/toy", asked)))
    asking.start()
    one.until(lambda: one.ask("/v1/functions").json["functions"][0]["waiting"] > 0 or bool(got))
    verb.send_signal(signal.SIGTERM)
    asking.join(60)
    assert len(got[0].json) == 1000
    assert verb.wait(60) == 0
    assert verb.stderr.read() == ""
    assert not pid_file.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{saved}", "{saved}"], "two functions are called 'toy'"),
        (["a b={saved}"], "a b="),
        (["{saved}", "--limit", "wait_seconds=soon"], "wait_seconds"),
        (["{saved}", "--limit", "wait=1"], "wait_seconds"),
        (["{saved}", "--limit", "inputs"], "is no assignment"),
        (["{saved}", "--port", "{taken}"], "nothing can listen at 127.0.0.1"),
        (["{saved}", "--port", "70000"], "from 0 to 65535"),
        ([], "no function is named"),
        (["{saved}", "--host", "203.0.113.1", "--port", "0"], "nothing can listen at 203.0.113.1"),
    ],
)
def test_what_cannot_be_served_is_refused_with_what_to_do(
    arguments: list[str], told: str, saved: Path, toy: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        places = {"saved": saved, "taken": other.getsockname()[1]}
        assert main(["serve", *(one.format(**places) for one in arguments)]) in (1, 2)
    error = capsys.readouterr().err
    assert told in error
    assert "do:" in error

"""Worker processes on real weights: forked before any thread of an engine begins, which would be missing in them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import functory

TEXT = "Warm, funny and beautifully acted."
SECONDS = 120
WEIGHTS = 90.3
"""Megabytes of MiniLM's weights in fp32."""


def asked(url: str, body: bytes | None = None) -> tuple[int, Any]:
    """Return the status that a URL answers with, and its JSON."""
    request = Request(url, body, {"Content-Type": "application/json"} if body else {})
    try:
        with urlopen(request, timeout=SECONDS) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, json.loads(error.read())


def is_ready(url: str) -> bool:
    """Whether both workers have replayed the golden examples."""
    status, told = asked(f"{url}/readyz")
    return status == 200 and told["workers"]["answering"] == 2


@pytest.fixture(scope="module")
def workers(sentiment: Path) -> Iterator[tuple[str, list[int]]]:
    """The address of a server with two workers that are ready, and their processes."""
    command = [sys.executable, "-m", "functory", "serve", f"sentiment={sentiment}", "--port", "0", "--json", "--face", "",
               "--workers", "2", "--threads", "2"]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            deadline = time.monotonic() + SECONDS
            while not is_ready(url):
                assert time.monotonic() < deadline, "a worker computes nothing"
                time.sleep(0.2)
            yield url, [int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
        finally:
            process.terminate()


def private(process: int) -> float:
    """Return the megabytes that a process alone has in memory."""
    lines = (line.split() for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:])
    return sum(int(line[1]) for line in lines if line[0] in ("Private_Clean:", "Private_Dirty:")) * 1024 / 1e6


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="worker processes are not had on this system")
def test_workers_of_several_threads_answer_as_the_function_does(workers: tuple[str, list[int]], sentiment: Path) -> None:
    status, got = asked(f"{workers[0]}/v1/functions/sentiment", json.dumps(TEXT).encode())
    assert (status, got["label"]) == (200, functory.load(sentiment)(TEXT).label)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="worker processes are not had on this system")
def test_workers_have_the_weights_in_memory_once(workers: tuple[str, list[int]]) -> None:
    url, processes = workers
    for _ in range(20):
        assert asked(f"{url}/v1/functions/sentiment", json.dumps([TEXT] * 8).encode())[0] == 200
    assert len(processes) == 2
    assert max(map(private, processes)) < 0.75 * WEIGHTS

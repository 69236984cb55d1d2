"""Worker processes on real weights: forked before any thread of an engine begins, which would be missing in them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import functory

TEXT = "Warm, funny and beautifully acted."
SECONDS = 120


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


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="worker processes are not had on this system")
def test_workers_of_several_threads_answer_as_the_function_does(sentiment: Path) -> None:
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
            status, got = asked(f"{url}/v1/functions/sentiment", json.dumps(TEXT).encode())
            assert (status, got["label"]) == (200, functory.load(sentiment)(TEXT).label)
        finally:
            process.terminate()

"""Worker processes: one that is killed takes nobody with it, and whichever is asked tells of all."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from functory_serve.siblings import page_of, together

AT = "/v1/functions/toy"
PROGRAM = """
import sys
from functory.cli import main
from functory_sdk.testing import kit
with kit():
    sys.exit(main(sys.argv[1:]))
"""
pytestmark = pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="worker processes are not had on this system")


def test_metrics_of_workers_are_one_page_and_a_functions_state_is_the_worst() -> None:
    pages = [
        f"# HELP asked_total Asked.\n# TYPE asked_total counter\nasked_total{{function=\"a\"}} {n}.0\n"
        f"# HELP open Open.\n# TYPE open gauge\nopen {n}.0\n"
        for n in (1, 2)
    ]
    page = page_of({0: pages[0], 1: pages[1], 2: None}).decode()
    read = {one.name: {tuple(sample.labels.values()): sample.value for sample in one.samples}
            for one in text_string_to_metric_families(page)}  # fmt: skip
    assert read == {
        "asked": {("0", "a"): 1, ("1", "a"): 2}, "open": {("0",): 1, ("1",): 2},
        "functory_worker_up": {("0",): 1, ("1",): 1, ("2",): 0},
    }  # fmt: skip
    assert together({0: {"a": "ready", "b": "ready"}, 1: {"a": "warming", "b": "ready"}, 2: None}) == {
        "a": "warming", "b": "ready"
    }  # fmt: skip


@pytest.fixture
def verb(toy: Any, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    saved = toy.save(tmp_path / "toy")
    command = [sys.executable, "-c", PROGRAM, "serve", str(saved), "--port", "0", "--json", "--workers", "2", "--face", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.terminate()


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def begun(process: subprocess.Popen[str], client: Any) -> Any:
    assert process.stdout is not None
    found = type(client)(int(json.loads(process.stdout.readline())["url"].rpartition(":")[2]))
    found.until(lambda: answering(found) == (200, 2))
    return found


def answering(found: Any) -> tuple[int, int]:
    got = found.ask("/readyz")
    return got.status, got.json["workers"]["answering"]


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_what_it_was_computing_alone_and_another_takes_its_place(
    verb: subprocess.Popen[str], client: Any, toy: Any
) -> None:
    one = begun(verb, client)
    before = workers_of(verb)
    assert len(before) == 2
    right, broken, wrong = [0], [0], [0]
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            try:
                got = one.ask(AT, "we saw the good film")
            except (ConnectionError, http.client.HTTPException):  # what a client sees of it, and tries again
                broken[0] += 1
                continue
            good = got.status == 200 and got.body == toy("we saw the good film").json().encode()
            (right if good else wrong)[0] += 1

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    one.until(lambda: right[0] > 8)
    os.kill(before[0], signal.SIGKILL)
    count = right[0]
    one.until(lambda: right[0] > count + 20)
    one.until(lambda: len(workers_of(verb)) == 2 and answering(one) == (200, 2))
    is_over.set()
    for thread in asking:
        thread.join()
    assert wrong == [0]
    assert broken[0] <= 4  # each of the clients had one request there at most
    assert before[1] in workers_of(verb)
    assert before[0] not in workers_of(verb)
    assert verb.stderr is not None
    assert verb.stderr.readline() == "functory serve: worker 0 was ended by signal 9; another takes its place.\n"
    page = one.ask("/metrics").body.decode()
    assert 'functory_worker_up{worker="0"} 1' in page
    assert 'functory_requests_total{worker="1",function="toy",status="200"}' in page
    verb.send_signal(signal.SIGHUP)
    told = [json.loads(verb.stderr.readline()) for _ in range(2)]
    assert [line["functions"] for line in told] == [{"toy": toy.about.version}] * 2
    left = workers_of(verb)
    verb.send_signal(signal.SIGTERM)
    assert verb.wait(60) == 0
    assert verb.stderr.read() == ""
    assert not any(Path(f"/proc/{pid}").exists() for pid in left)


@pytest.mark.slow
def test_workers_end_when_nobody_watches_them_any_more(verb: subprocess.Popen[str], client: Any) -> None:
    one = begun(verb, client)
    left = workers_of(verb)
    verb.kill()
    one.until(lambda: not any(lives(pid) for pid in left))


def lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "(zombie)" not in status.read_text()

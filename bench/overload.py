"""A server that is asked for ten times what it can do: ``python bench/overload.py``, a minute, on an engine of a fixed cost.

The function sleeps for what each batch would cost, so that whoever asks cannot take the machine from it. Goals: goodput 95 % of
capacity, the 99th percentile of accepted requests within their time, recovery within a second, memory that does not grow.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from asking import ask, told
from measure import keep, verdict

FIXED, EACH = 0.01, 0.02
"""Seconds of a batch, and of each input in it."""
DEADLINE = 1.0
"""Seconds that each request has."""
SERVER = """
import json, time
from functory_sdk.testing import kit, toy_function
from functory_serve import Limits
from functory_serve.running import serve
FIXED, EACH = {fixed}, {each}
with kit():
    toy = toy_function()
    answer = toy("good")

    class Costs:
        def __getattr__(self, name):
            return getattr(toy, name)

        def map(self, values, *, progress=None):
            time.sleep(FIXED + EACH * len(values))
            return [answer] * len(values)

    serve({{"toy": Costs()}}, port=0, limits=Limits(wait_seconds={deadline}), faces=(),
          started=lambda url, faces: print(url.rpartition(":")[2], flush=True))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--times", type=float, default=10, help="how much more than it can do is asked for")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and end what was started
    source = SERVER.format(fixed=FIXED, each=EACH, deadline=DEADLINE)
    with tempfile.TemporaryDirectory() as place, subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, text=True
    ) as server:  # fmt: skip
        assert server.stdout is not None
        try:
            measured(int(server.stdout.readline()), server.pid, args, Path(place))
        finally:
            server.terminate()


def measured(port: int, pid: int, args: argparse.Namespace, place: Path) -> None:
    while not _is_ready(port):
        time.sleep(0.1)
    bodies = [json.dumps(f"the film of {number} good men").encode() for number in range(100)]
    at = "/v1/functions/toy"

    def asked(clients: int, seconds: float, rate: float = 0) -> Any:
        extra = f"Request-Timeout: {DEADLINE}\r\n"
        return asyncio.run(ask(port, at, bodies, clients, seconds, rate, extra))

    asked(5, 3)
    free = asked(5, 10)  # as many as can be answered in their time
    capacity = len(free.seconds) / 10
    before = _memory(pid)
    over = asked(100, args.seconds, capacity * args.times)
    in_time = [at <= over.until and took <= DEADLINE for at, took in zip(over.at, over.seconds, strict=True)]
    good = sum(in_time) / args.seconds
    after = asked(1, 3)
    quick = [at for at, took in zip(after.at, after.seconds, strict=True) if took < 5 * (FIXED + EACH)]
    recovered = quick[0] - over.until if quick else float("inf")
    grown = _memory(pid) - before
    p99 = told(over, args.seconds)["p99"]
    rows = [
        {"what": "5 clients, each after its answer", **_row(free, 10)},
        {"what": f"{args.times:g} times as many", **_row(over, args.seconds), "answers_in_time_per_second": good},
        {"what": "one client, just after", **_row(after, 3)},
    ]
    within = "within" if isinstance(p99, float) and p99 <= DEADLINE else "NOT within"
    recovery = "reached" if recovered <= 1 else "NOT reached"
    notes = (
        f"Goodput {good / capacity:.3f} of capacity: {verdict(good / capacity, 0.95)}; p99 of accepted {p99:.3f} s, {within} "
        f"their {DEADLINE:g} s; recovered after {recovered:.2f} s: {recovery}; memory grew by {grown / 2**20:.1f} MB."
    )
    keep("overload", rows, notes)


def _row(asked: Any, seconds: float) -> dict[str, Any]:
    found = told(asked, seconds)
    statuses = {str(status): count for status, count in sorted(asked.statuses.items())}
    counted = {"answers_per_second": found["per_second"], "statuses": json.dumps(statuses)}
    return {**counted, "p50": found["p50"], "p99": found["p99"]}


def _is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _memory(pid: int) -> int:
    """Return a process's resident bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()

"""Runs code that nobody has read: in a process without files, network, neighbours or rights, for so long and with so much memory.

Where the system does not let that be, nothing is run.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from functory_sdk import NotSupported

START = "import sys; sys.path.append({place!r}); from jail.running import main; sys.path.pop(); main({pipe})"
MOST_OUTPUT = 1 << 20
"""Bytes that code may print."""
TOLD = 2000
"""Characters of them that are kept."""
MACHINES = ("x86_64", "aarch64")


@dataclass(frozen=True)
class Limits:
    """What code may use.

    :param seconds: of processor time, whole ones.
    :param memory_mb: of memory, the interpreter's own counted.
    :param seconds_waiting: on the clock, beside three times as many as those of processor time: a machine has other work, too.
    """

    seconds: int = 3
    memory_mb: int = 512
    seconds_waiting: float = 10

    @property
    def seconds_on_the_clock(self) -> float:
        return 3 * self.seconds + self.seconds_waiting


@dataclass(frozen=True)
class Verdict:
    """What came of a run.

    :param passed: whether the code and its test ran to their ends.
    :param error: why not: what was raised and where, or the limit that it ran into; empty where it passed.
    :param output: the beginning of what was printed.
    """

    passed: bool
    error: str = ""
    output: str = ""


def run(code: str, test: str = "", limits: Limits | None = None) -> Verdict:
    """Run code and then its test, in one module, behind walls.

    The code finds the standard library and an empty folder to write to. It starts no process and no program, opens no socket, and
    nothing of it is left when this returns.

    :raises NotSupported: where the system does not let such walls be built; nothing was run then.
    """
    refusal()
    return _verdict(code, test, limits or Limits())


def run_all(jobs: Sequence[tuple[str, str]], limits: Limits | None = None) -> list[Verdict]:
    """Run each code with its test, as many at once as there are processors.

    :raises NotSupported: as `run` has it.
    """
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1) as pool:
        return list(pool.map(lambda job: run(job[0], job[1], limits), jobs))


def refusal() -> None:
    """Refuse to run code where this system does not let it be walled in.

    :raises NotSupported: saying what it lacks.
    """
    lacks = lacking()
    if lacks:
        raise NotSupported(
            f"code is not run here: {lacks}.",
            do="leave allow_execution out, or run it on Linux, where this user may make namespaces (user.max_user_namespaces).",
        )


@cache
def lacking() -> str:
    """Return why this system cannot run code behind walls, in a few words; empty where it can. It is tried once."""
    if sys.platform != "linux":
        return f"the walls are Linux's, and this is {sys.platform}"
    if platform.machine() not in MACHINES:
        return f"the calls of {platform.machine()} are not known, those of {' and '.join(MACHINES)} are"
    tried = _run("pass", "", Limits(seconds=5))
    return "" if tried.get("passed") else str(tried.get("lacking") or tried.get("error") or tried["output"] or "it did not start")


def _verdict(code: str, test: str, limits: Limits) -> Verdict:
    found = _run(code, test, limits)
    if found.get("lacking"):
        raise NotSupported(f"code is not run here: {found['lacking']}.", do="try again, or leave allow_execution out.")
    return Verdict(bool(found.get("passed")), str(found.get("error", _ended(found, limits))), found["output"])


def _ended(found: dict[str, Any], limits: Limits) -> str:
    """Return why code ended without a word."""
    if found.get("stopped"):
        return str(found["stopped"])
    if found.get("seconds", 0) >= limits.seconds - 0.1:
        return f"it took more than {limits.seconds} s of processor time"
    status = found.get("status", 0)
    return f"it ended by signal {-status}" if status < 0 else f"it left, with {status}, before its test had ended"


def _run(code: str, test: str, limits: Limits) -> dict[str, Any]:
    """Return all that is known of a run: what its lines say, why it was stopped, what it printed."""
    sign = secrets.token_hex(16)
    job = {"code": code, "test": test, "seconds": limits.seconds, "memory_mb": limits.memory_mb, "sign": sign}
    read, write = os.pipe()
    started = [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", START.format(place=str(Path(__file__).parent), pipe=write)]
    with open(read, "rb", buffering=0) as lines:
        try:
            process = subprocess.Popen(
                started, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0, env={},
                pass_fds=(write,), start_new_session=True, cwd="/",
            )  # fmt: skip
        finally:
            os.close(write)
        with process:
            try:
                return _followed(process, lines, json.dumps(job).encode(), limits, sign)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def _followed(process: Any, lines: Any, job: bytes, limits: Limits, sign: str) -> dict[str, Any]:
    """Read what a process says until it and all that came of it have ended, or it is stopped."""
    try:
        process.stdin.write(job)
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended before it was told: what it printed says why
    said, printed, stopped = b"", b"", ""
    end = time.monotonic() + limits.seconds_on_the_clock
    with selectors.DefaultSelector() as waiting:
        for one in (process.stdout, lines):
            waiting.register(one, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select(max(0.0, end - time.monotonic())):
                piece = os.read(key.fd, 1 << 16)
                if not piece:
                    waiting.unregister(key.fileobj)
                elif key.fileobj is lines:
                    said += piece
                else:
                    printed += piece
            if not stopped and (len(printed) > MOST_OUTPUT or len(said) > MOST_OUTPUT):
                stopped = f"it printed more than {MOST_OUTPUT:,} bytes"
            elif not stopped and time.monotonic() >= end:
                stopped = f"it took more than {limits.seconds_on_the_clock:g} s"
            if stopped and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                end += 60
    found = {"stopped": stopped, "output": printed[:MOST_OUTPUT].decode(errors="replace")[:TOLD]}
    for line in said.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict) and told.pop("sign", "") == sign:
            found |= told
    return found

"""Runs code with its test behind walls, and tells what came of it by a line of JSON on a pipe that only it knows.

The process that was started leaves all namespaces and waits; its child is the first of the new ones, builds the walls and runs
the code within. Whichever dies takes what is below it along.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from types import ModuleType
from typing import Any

from . import kernel, walls

MOST = 300
"""Characters of an error that are told."""


def main(pipe: int) -> None:
    """Do the job that stands on stdin as JSON: `code`, `test`, `seconds`, `memory_mb` and a `sign` that each line bears.

    :param pipe: where the lines go.
    """
    job = json.loads(sys.stdin.buffer.read())
    kernel.ask("prctl", kernel.DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    try:
        walls.apart()
        ready, go = os.pipe(), os.pipe()
        child = os.fork()
    except OSError as error:
        _tell(pipe, job, lacking=_reason(error))
        return
    if not child:
        _inside(pipe, job, ready, go)
    for end in (ready[1], go[0]):
        os.close(end)
    if os.read(ready[0], 1):
        _write(go[1], b"!")
    _, status, used = os.wait4(child, 0)
    _tell(pipe, job, status=os.waitstatus_to_exitcode(status), seconds=used.ru_utime + used.ru_stime)


def _inside(pipe: int, job: dict[str, Any], ready: tuple[int, int], go: tuple[int, int]) -> None:
    """Build the walls, and run the code; never returns."""
    try:
        os.setsid()
        walls.rooted()
        walls.limited(job["seconds"], job["memory_mb"])
        walls.powerless()
        kernel.ask("prctl", kernel.DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)  # once the user is who it stays
        if not _is_watched(ready, go):
            os._exit(1)
        walls.filtered()
    except OSError as error:
        _tell(pipe, job, lacking=_reason(error))
        os._exit(1)
    _tell(pipe, job, **outcome(job["code"], job["test"]))
    os._exit(0)


def _is_watched(ready: tuple[int, int], go: tuple[int, int]) -> bool:
    """Return whether the parent lives, whose death is this one's end from now on."""
    for end in (ready[0], go[1]):
        os.close(end)
    _write(ready[1], b"!")
    is_watched = bool(os.read(go[0], 1))
    for end in (ready[1], go[0]):
        os.close(end)
    return is_watched


def outcome(code: str, test: str) -> dict[str, Any]:
    """Return whether code and then its test run to their ends, and what was raised."""
    module = ModuleType("answer")
    sys.modules["answer"] = module
    try:
        for name, source in (("code", code), ("test", test)):
            exec(compile(source, name, "exec"), module.__dict__)  # this is what the walls are for
        sys.stdout.flush()
    except BaseException as error:  # SystemExit too: the test has not ended
        return {"passed": False, "error": _told(error)}
    return {"passed": True, "error": ""}


def _told(error: BaseException) -> str:
    """Return an error in a line, with where it was raised."""
    try:
        text = str(error)[:MOST]
    except BaseException:  # an error of the code's own making
        text = ""
    place, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in ("code", "test"):
            place = f" ({trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return " ".join(f"{type(error).__name__}{': ' if text else ''}{text}{place}".split())[: 2 * MOST]


def _reason(error: OSError) -> str:
    return f"{error.filename or 'a call'}: {error.strerror}"


def _tell(pipe: int, job: dict[str, Any], **what: Any) -> None:
    _write(pipe, json.dumps({"sign": job["sign"], **what}).encode() + b"\n")


def _write(pipe: int, told: bytes) -> None:
    with open(pipe, "wb", buffering=0, closefd=False) as file:
        file.write(told)


if sys.platform != "linux" or not hasattr(resource, "RLIMIT_NPROC"):  # pragma: no cover
    raise SystemExit("the walls are Linux's")

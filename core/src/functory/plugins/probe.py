"""What `functory doctor` runs in a subprocess: import some components, ask what `info` asks, and write down what came of each.

Nothing is kept in memory: a plugin may end the process at any line. So every result is in the file before
the next import begins, and the import that has a beginning and no end is the one that did it. What is written with
was fetched before the first import, and is no JSON: a plugin may close every file, and put its own in the place of `json`.
"""

from __future__ import annotations

import ast
import faulthandler
import io
import os
import random  # noqa: F401 - it must be there before a plugin seeds it
import sys
import threading
import time
from argparse import ArgumentParser
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from functory.contracts.command import Command
from functory.errors import FunctoryError, PluginError, WeightsMissing
from functory.machine import telemetry
from functory.machine.distributions import Entry
from functory.machine.settings import Snapshot
from functory.plugins.describing import describe_component
from functory.plugins.importing import CLASSES, asked, import_component, interrupted, owner_of, put_back
from functory.wording.told import told

START = """\
import json, sys
job = json.load(sys.stdin)
sys.path[:] = job["path"]
from functory.plugins.probe import main
main(job)
"""
"""The program of the subprocess; its job comes on stdin, so that a plugin that reads stdin meets its end."""

_open, _write, _close, _getpid, _exit, _ascii = os.open, os.write, os.close, os.getpid, os._exit, ascii


def main(job: dict[str, Any]) -> None:  # Any: JSON
    """Do a job: ``{path, results, trace, seconds, entries}``; whoever started it ends it where it hangs."""
    notes = _Notes(job["results"])
    trace = open(job["trace"], "w")  # noqa: SIM115 - stays open for the crash it is there for
    faulthandler.enable(file=trace)
    for kind in {fields["kind"] for fields in job["entries"]} & set(CLASSES):
        import_module(CLASSES[kind].partition(":")[0])  # ours, so it does not count as the plugin's time
    telemetry.switch_off()
    _watch_for_the_end(notes)
    for position, fields in enumerate(job["entries"]):
        faulthandler.dump_traceback_later(job["seconds"], file=trace)
        notes.position = position
        notes.write({"begun": position})
        found = _examine(Entry(**fields), notes)
        if _getpid() != notes.process:  # it forked, and this is the child: one of the two goes on
            _exit(0)
        notes.write({"done": position, **found})
    faulthandler.dump_traceback_later(job["grace"], file=trace)
    notes.write({"ending": _threads()})  # what a plugin left running may hold up the end


class _Notes:
    """The file of results; each line is one dict, as Python writes it in ASCII."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.process = _getpid()
        self.position = -1
        self.forks = 0
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_parent=self._count)

    def _count(self) -> None:
        self.forks += 1

    def has_forked(self) -> bool:
        """Return whether a second process came out of the present import; it is given a moment to say so."""
        until = time.monotonic() + (1.0 if self.forks else 0.0)
        self.forks = 0
        while not any(one.get("forked") == self.position for one in read_notes(Path(self.file))):
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        return True

    def write(self, result: dict[str, Any]) -> None:  # Any: texts and numbers
        """Write one line, at once and whole, into the file by its name: a descriptor may be closed or another's."""
        line = f"{_ascii(result)}\n".encode("ascii")
        file = _open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        _write(file, line)
        _close(file)


def read_notes(file: Path, most: int = 20_000_000) -> list[dict[str, Any]]:
    """Return what was written down; a line that was cut off is left out."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(most)
    except FileNotFoundError:
        return []
    found = []
    for line in raw.splitlines():
        try:
            one = ast.literal_eval(line.decode("ascii"))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(one, dict):
            found.append(one)
    return found


def _watch_for_the_end(notes: _Notes) -> None:
    """Write down that `os._exit` was called, and with what: a verdict that names it is true."""

    def leave(status: int) -> None:
        if _getpid() == notes.process:
            notes.write({"left": notes.position, "status": status})
        _exit(status)

    os._exit = leave  # type: ignore[assignment]
    for name in ("posix", "nt"):
        if name in sys.modules:
            sys.modules[name]._exit = leave  # type: ignore[attr-defined]


def _examine(entry: Entry, notes: _Notes) -> dict[str, Any]:  # Any: texts and numbers
    """Import one component and say what came of it, whatever it does."""
    here = os.getcwd()  # noqa: PTH109 - it must be there
    before = Snapshot()
    try:
        result = _imported(entry, notes)
    except PluginError as error:
        result = {"diagnosis": error.diagnosis, **error.as_json()}
    except KeyboardInterrupt as error:
        fault = interrupted(entry, error.__cause__ or error, "raised KeyboardInterrupt while it was imported.")
        result = {"diagnosis": fault.diagnosis, **fault.as_json()}
    except BaseException as error:  # ours, which a plugin broke
        result = {"diagnosis": "spoils", "what": f"{owner_of(entry)} leaves Python unusable: {told(error)}"}
    try:
        changed = put_back.get(entry, []) + before.changed(entry.value.partition(":")[0].partition(".")[0])
        os.chdir(here)
    except BaseException as error:
        return result if "diagnosis" in result else {
            "diagnosis": "spoils", "what": f"{owner_of(entry)} leaves Python unusable: {told(error)}"
        }  # fmt: skip
    return result | ({"changes": changed} if changed else {})


def _imported(entry: Entry, notes: _Notes) -> dict[str, Any]:
    """Import one component, and ask it all that it is asked before it is used.

    :raises PluginError: naming what is wrong with it.
    """
    printed = io.TextIOWrapper(io.BytesIO(), "utf-8", "replace", write_through=True)  # with all that a stdout has
    start = time.perf_counter()
    component = import_component(entry, stdout=printed, forked=lambda: notes.write({"forked": notes.position}))
    if notes.has_forked():
        what = f"{owner_of(entry)} forks while it is imported, and two processes go on: all is done twice."
        return {"diagnosis": "forks", "what": what, "where": entry.value.partition(":")[0], "do": _remedy(entry)}
    result: dict[str, Any] = {"seconds": round(time.perf_counter() - start, 3)}
    if text := _text(printed):
        result["printed"] = text
    notes.write({"imported": notes.position})
    if isinstance(component, type) and entry.kind in CLASSES:
        asked(entry, "its name", lambda: setattr(component, "name", entry.name))
    describe_component(entry, component)
    if isinstance(component, Command):
        _ask_for_arguments(entry, component)
    if isinstance(component, type) and hasattr(component, "locate"):
        result["weights"] = _locate(component)
    return result


def _text(printed: io.TextIOWrapper) -> str:
    """Return the first of what was printed; nothing where that was closed or given up."""
    with suppress(ValueError):
        raw: bytes = printed.buffer.getvalue()  # type: ignore[attr-defined]  # the BytesIO above
        return raw[:200].decode(errors="replace").strip()
    return ""


def _ask_for_arguments(entry: Entry, command: Command) -> None:
    """Declare a verb's arguments, and those that every verb has.

    :raises PluginContractError: it raised, or takes a name that is functory's.
    """
    def declare() -> None:
        parser = ArgumentParser()
        command.add_arguments(parser)
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--quiet", action="store_true")
        parser.format_help()

    asked(entry, "its arguments", declare)


def _remedy(entry: Entry) -> str:
    return f"pip install -U {entry.distribution}, or pip uninstall {entry.distribution}."


def _locate(component: Any) -> dict[str, str]:  # Any: a class of backbones or samples
    """Ask a component where its weights or its text lie."""
    try:
        return {"at": str(component.configure().locate())}
    except WeightsMissing as error:
        return {"missing": error.what, "do": error.do}
    except FunctoryError as error:  # it needs a place: its weights are the user's
        return {"note": error.what}
    except BaseException as error:
        what = f"locate() raised {told(error)}"
        return {"missing": what, "do": f"{what}; tell its author."}


def _threads() -> list[str]:
    """Return the names of the threads that Python waits for at its end."""
    return [str(one.name) for one in threading.enumerate() if not one.daemon and one is not threading.main_thread()]

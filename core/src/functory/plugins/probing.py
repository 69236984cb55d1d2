"""Runs `probe` on one distribution's components in a subprocess, within a time and a memory, and says how it ended.

Apart from `doctor`, which says what is wrong in the words of findings: here is how a process is watched that may do
anything: hang, crash, fork, close its files, take all memory, leave children behind.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from functory.machine.distributions import Entry
from functory.plugins.importing import owner_of
from functory.plugins.probe import START, read_notes

START_SECONDS = 30.0
"""What a subprocess has to start in: a busy machine is no plugin's fault."""
GRACE_SECONDS = 5.0
"""What it has to come to its end in."""
MEMORY_BYTES = 8_000_000_000
"""What an import may take at most; half of the machine's where that is less."""
MOST_KILLED = 3
"""The subprocesses of one distribution that may be killed before the rest of it is left out."""
_TICK_SECONDS = 0.1
_MARK = "FUNCTORY_DOCTOR"
"""The variable that marks what a subprocess starts, by the folder of its job."""

HANGS, GREEDY = "hangs", "greedy"


@dataclass(slots=True)
class Probed:
    """What came of one distribution's components, in their order, and of the process when all was done."""

    results: list[dict[str, Any]] = field(default_factory=list)
    ending: dict[str, str] = field(default_factory=dict)


class Children:
    """The subprocesses that run now, to be killed when the examination ends early."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def run(self, job: dict[str, Any], folder: Path) -> int | str:
        """Run one probe; return its exit status, or `HANGS` or `GREEDY` where it was killed for that."""
        (folder / "job.json").write_text(json.dumps(job))
        mark = f"{_MARK}={folder}"
        with (folder / "job.json").open("rb") as stdin, self._lock:
            if self._closed:
                return 0
            child = subprocess.Popen(
                [sys.executable, "-P", "-c", START],
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, _MARK: str(folder)},
            )
            self._running.add(child)
        try:
            return _watch(child, Path(job["results"]), job["seconds"], len(job["entries"]))
        finally:
            _kill(child)
            _kill_marked(mark)
            with self._lock:
                self._running.discard(child)

    def kill(self) -> None:
        """End all, and start no more."""
        with self._lock:
            self._closed = True
            for child in self._running:
                _kill(child)


def probe(members: list[Entry], seconds: float, children: Children) -> Probed:
    """Examine the components of one distribution; go on in a new process after one that ended its own.

    :param seconds: for each of them.
    """
    found = Probed()
    killed = 0
    while len(found.results) < len(members):
        if killed >= MOST_KILLED:
            found.results += [_left_out(entry) for entry in members[len(found.results) :]]
            return found
        rest = members[len(found.results) :]
        with tempfile.TemporaryDirectory(prefix="functory-doctor-") as folder:
            place = Path(folder)
            job = {
                "path": [one for one in sys.path if isinstance(one, str)],
                "results": str(place / "results"),
                "trace": str(place / "trace"),
                "seconds": seconds,
                "grace": GRACE_SECONDS,
                "entries": [asdict(entry) for entry in rest],
            }
            ended = children.run(job, place)
            killed += isinstance(ended, str)
            _add(found, members, ended, read_notes(place / "results"), _text(place / "trace"), seconds)
    return found


def _add(
    found: Probed, members: list[Entry], ended: int | str, notes: list[dict[str, Any]], trace: str, seconds: float
) -> None:
    """Add what one subprocess wrote down, and the verdict on the component at which it ended, if it did not come to all."""
    begun = len(found.results)
    done = {one["done"]: one for one in notes if "done" in one}
    while len(found.results) - begun in done:
        found.results.append(done[len(found.results) - begun])
    at = len(found.results) - begun
    left = next((one["status"] for one in notes if "left" in one and one["left"] >= at), None)
    is_imported = any(one.get("imported") == at for one in notes)
    doing = "asked about itself" if is_imported else "imported"
    if len(found.results) == len(members):
        found.ending = _ending(members[-1], ended, notes, trace)
        return
    entry = members[len(found.results)]
    if not any(one.get("begun") == at for one in notes):
        found.results.append(_unexamined(entry, ended))
        return
    found.results.append(_verdict(entry, ended, left, doing, seconds, trace))
    if is_imported:
        return
    module = entry.value.partition(":")[0]  # what ends one import of a module ends the next one too
    while len(found.results) < len(members) and members[len(found.results)].value.partition(":")[0] == module:
        found.results.append(_verdict(members[len(found.results)], ended, left, doing, seconds, trace))


def _watch(child: subprocess.Popen[bytes], results: Path, seconds: float, count: int) -> int | str:
    """Wait for a subprocess; for each component as long as it may take, from the moment that something was written down."""
    most = min(MEMORY_BYTES, _memory() // 2)
    size, since, limit = 0, time.monotonic(), START_SECONDS
    last = since + START_SECONDS + (seconds + 1) * count + 2 * GRACE_SECONDS
    while True:
        try:
            return child.wait(_TICK_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        now = time.monotonic()
        grown = results.stat().st_size if results.exists() else 0
        if grown != size:
            size, since = grown, now
            limit = GRACE_SECONDS if _is_ending(results) else seconds + 2 * _TICK_SECONDS
        if now - since > limit or now > last:
            return HANGS
        if _resident(child.pid) > most:
            return GREEDY


def _is_ending(results: Path) -> bool:
    return results.exists() and any("ending" in one for one in read_notes(results)[-1:])


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return MEMORY_BYTES * 2


def _resident(process: int) -> int:
    """Return the bytes of memory that a process holds; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a subprocess with everything that it started."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    except AttributeError:  # a system without process groups
        child.kill()
    child.wait()


def _kill_marked(mark: str) -> None:
    """End what a subprocess started in a session of its own; where the system tells no environments, nothing is found."""
    wanted = mark.encode()
    for place in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError, ValueError):
            if wanted in place.read_bytes().split(b"\0"):
                os.kill(int(place.parent.name), signal.SIGKILL)


def _verdict(entry: Entry, ended: int | str, left: int | None, doing: str, seconds: float, trace: str) -> dict[str, Any]:
    """Return the diagnosis of an import that never came back.

    :param ended: the exit status, or why it was killed.
    :param left: what `os._exit` was called with, if it was.
    :param doing: what was done to it: ``imported``.
    """
    owner, where = owner_of(entry), _place(entry, trace)
    remedy = f"pip install -U {entry.distribution}, or pip uninstall {entry.distribution}."
    if ended == HANGS:
        what = f"{owner} was still being {doing} after {seconds:g} seconds."
        do = f"{remedy} If the machine is slow: functory doctor --timeout {seconds * 4:g}"
        return {"diagnosis": "hangs", "what": what, "where": where, "do": do}
    if ended == GREEDY:
        what = f"{owner} took more than {min(MEMORY_BYTES, _memory() // 2) / 1e9:.1f} GB of memory while it was {doing}."
        return {"diagnosis": "greedy", "what": what, "where": where, "do": remedy}
    if left is not None:
        what = f"{owner} ended the process at once while it was {doing} (os._exit, status {left})."
        return {"diagnosis": "exits-hard", "what": what, "where": where, "do": remedy}
    if isinstance(ended, int) and ended < 0:
        what = f"{owner} crashed the interpreter while it was {doing} ({_signal(ended)})."
        do = f"{remedy} A library with compiled code is at fault."
        return {"diagnosis": "crashes", "what": what, "where": where, "do": do}
    what = f"{owner} ended the process while it was {doing}, with status {ended}."
    return {"diagnosis": "exits-hard", "what": what, "where": where, "do": remedy}


def _unexamined(entry: Entry, ended: int | str) -> dict[str, Any]:
    """Return what is told where the subprocess did not come as far as an import: that is no fault of the plugin's."""
    what = f"{owner_of(entry)} could not be examined: Python did not start, or found no functory (it {_told(ended)})."
    do = f"see what `{sys.executable} -c 'import functory.plugins.probe'` says."
    return {"diagnosis": "unexamined", "what": what, "where": sys.executable, "do": do}


def _left_out(entry: Entry) -> dict[str, Any]:
    """Return what is told of a component of a distribution of which so many did not come back."""
    what = f"{owner_of(entry)} was not examined: {MOST_KILLED} others of its distribution did not come back."
    return {"diagnosis": "unexamined", "what": what, "where": entry.value.partition(":")[0], "do": "mend those first."}


def _told(ended: int | str) -> str:
    if isinstance(ended, str):
        return "took too long" if ended == HANGS else "took too much memory"
    return f"ended with status {ended}" if ended >= 0 else f"was ended by {_signal(ended)}"


def _ending(entry: Entry, ended: int | str, notes: list[dict[str, Any]], trace: str) -> dict[str, str]:
    """Return the diagnosis of a distribution that does not let Python come to its end; nothing where it does."""
    owner = f"{entry.distribution} {entry.version}"
    remedy = f"pip install -U {entry.distribution}, or pip uninstall {entry.distribution}."
    if ended == HANGS:
        names: list[str] = next((one["ending"] for one in notes if "ending" in one), [])
        threads = f" (threads that it started still run: {', '.join(names[:5])})" if names else ""
        what = f"{owner} was imported, and then kept Python from ending{threads}."
        return {"diagnosis": "keeps-running", "what": what, "where": _place(entry, trace), "do": remedy}
    if isinstance(ended, int) and ended < 0:
        what = f"{owner} was imported, and then crashed the interpreter at its end ({_signal(ended)})."
        return {"diagnosis": "crashes", "what": what, "where": _place(entry, trace), "do": remedy}
    return {}


def _signal(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def _place(entry: Entry, trace: str) -> str:
    """Return the plugin's deepest line in the trace that the probe left; its module where there is none."""
    module = entry.value.partition(":")[0]
    top = module.partition(".")[0]
    frames = re.findall(r'File "([^"]+)", line (\d+)', trace)  # the most recent call comes first
    own = [frame for frame in frames if top in Path(frame[0]).with_suffix("").parts]
    return f"{own[0][0]}, line {own[0][1]}" if own else module


def _text(trace: Path) -> str:
    """Return what the probe left in its trace."""
    try:
        with trace.open("rb") as file:
            return file.read(1_000_000).decode(errors="replace")
    except FileNotFoundError:
        return ""

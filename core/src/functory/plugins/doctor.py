"""Finds out what is wrong with the installed plugins, and what to do about each.

Every distribution is imported in a subprocess of its own with a time limit, two at a time: one that hangs,
exits or crashes is diagnosed there and spoils nothing. The subprocess runs `probe`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any

from functory.errors import UsageError
from functory.machine.distributions import Entry, check_metadata, normalise
from functory.plugins import registry as plugins
from functory.plugins.probe import START

GRACE_SECONDS = 5.0
"""A subprocess ends itself at the limit, and writes down where it hung; after this long it is killed."""


HUNG = "Timeout ("
"""How the trace of a subprocess begins that passed the limit."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one plugin."""

    distribution: str
    component: str
    """Kind and name, ``adaptations lora``; empty where the whole distribution is meant."""
    diagnosis: str
    what: str
    where: str = ""
    do: str = ""
    is_fatal: bool = True
    """Whether it cannot be used; what only prints can."""


@dataclass(slots=True)
class Examination:
    """What was found: the faults, how long each import took, and where weights lie."""

    findings: list[Finding] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    weights: dict[str, dict[str, str]] = field(default_factory=dict)
    examined: int = 0
    """How many distributions were imported."""

    @property
    def is_healthy(self) -> bool:
        """Whether every plugin can be used."""
        return not any(finding.is_fatal for finding in self.findings)


def examine(
    timeout_seconds: float = 60.0,
    tell: Callable[[str], None] = lambda name: None,
    distributions: Collection[str] = (),
) -> Examination:
    """Examine every installed plugin.

    :param timeout_seconds: for the import of one component, what it imports included.
    :param tell: is called with each distribution's name when it has been examined.
    :param distributions: examine these alone; all when none is named.
    :raises UsageError: no plugin of that name is installed.
    """
    found = Examination(findings=_from_metadata())
    installed = sorted(plugins.entries(), key=lambda entry: entry.distribution)
    if distributions:
        wanted = _wanted(distributions, found, installed)
        found.findings = [finding for finding in found.findings if finding.distribution in wanted]
        installed = [entry for entry in installed if entry.distribution in wanted]
    found.examined = len({entry.distribution for entry in installed})
    groups = [list(members) for _, members in groupby(installed, key=lambda entry: entry.distribution)]
    children = _Children()
    pool = ThreadPoolExecutor(max_workers=2)
    try:
        for members, results in zip(
            groups, pool.map(lambda m: _probe(m, timeout_seconds, children), groups), strict=True
        ):
            for entry, result in zip(members, results, strict=True):
                _note(found, entry, result)
            tell(members[0].distribution)
    except BaseException:
        children.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def _wanted(names: Collection[str], found: Examination, installed: list[Entry]) -> set[str]:
    """Return the normalised names of distributions that were asked for.

    :raises UsageError: one of them gives functory nothing.
    """
    have = {entry.distribution for entry in installed} | {finding.distribution for finding in found.findings}
    wanted = {normalise(name) for name in names}
    if wanted <= have:
        return wanted
    raise UsageError(
        f"no distribution {', '.join(sorted(wanted - have))} gives functory anything.",
        do=f"these do: {', '.join(sorted(have))}.",
    )


def _from_metadata() -> list[Finding]:
    """Return what is wrong without importing anything: unreadable metadata, names claimed twice."""
    found = [Finding(f.distribution, "", f.diagnosis, f.what, f.where, f.do) for f in plugins.faults()]
    installed = plugins.entries()
    for entry in {entry.metadata: entry for entry in installed}.values():
        fault = check_metadata(entry)
        if fault is not None:
            found.append(Finding(fault.distribution, "", fault.diagnosis, fault.what, fault.where, fault.do))
    by_name = groupby(installed, key=lambda entry: (entry.kind, entry.name))
    for _, members in by_name:
        claims = list(members)
        if len(claims) > 1:
            found.extend(
                _claimed_twice(entry, claims) for entry in claims if entry.distribution != "functory"
            )
    return found


def _claimed_twice(entry: Entry, claims: list[Entry]) -> Finding:
    others = ", ".join(other.distribution for other in claims if other is not entry)
    what = f"{entry.distribution} and {others} give {entry.kind} a {entry.name!r}; the short name is refused."
    do = f"say {entry.qualified}, or pip uninstall one of them."
    where = f"{entry.metadata}/entry_points.txt"
    return Finding(
        entry.distribution, f"{entry.kind} {entry.name}", "duplicate-name", what, where, do, is_fatal=False
    )


def _note(found: Examination, entry: Entry, result: dict[str, Any]) -> None:  # Any: JSON
    """Add what a probe said of one entry."""
    component = f"{entry.kind} {entry.name}"
    if "diagnosis" in result:
        parts = {key: result.get(key, "") for key in ("diagnosis", "what", "where", "do")}
        found.findings.append(Finding(entry.distribution, component, **parts))
        return
    found.seconds[f"{entry.distribution}:{entry.name}"] = result["seconds"]
    if "printed" in result:
        text = " ".join(result["printed"].split())[:80]
        what = f"{entry.distribution} prints while it is imported: {text!r}; functory sends it to stderr."
        do = f"nothing to do for you; its author removes the print (pip install -U {entry.distribution})."
        where = entry.value.partition(":")[0]
        found.findings.append(
            Finding(entry.distribution, component, "prints", what, where, do, is_fatal=False)
        )
    if "weights" in result:
        found.weights[component] = result["weights"]


class _Children:
    """The subprocesses that run now, to be killed when the examination ends early."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def run(self, job: dict[str, Any], folder: Path, limit: float) -> int | None:
        """Run one probe; return its exit status, or None when it passed the limit and was killed."""
        (folder / "job.json").write_text(json.dumps(job))
        with (folder / "job.json").open("rb") as stdin, (folder / "output").open("wb") as output, self._lock:
            if self._closed:
                return 0
            child = subprocess.Popen(
                [sys.executable, "-c", START],
                stdin=stdin,
                stdout=output,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._running.add(child)
        try:
            return child.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _kill(child)
            with self._lock:
                self._running.discard(child)

    def kill(self) -> None:
        """End all, and start no more."""
        with self._lock:
            self._closed = True
            for child in self._running:
                _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a subprocess with everything that it started."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except AttributeError:  # a system without process groups
        child.kill()
    child.wait()


def _probe(members: list[Entry], seconds: float, children: _Children) -> list[dict[str, Any]]:
    """Examine the components of one distribution; go on in a new process after one that ended its own."""
    results: list[dict[str, Any]] = []
    while len(results) < len(members):
        rest = members[len(results) :]
        with tempfile.TemporaryDirectory(prefix="functory-doctor-") as folder:
            place = Path(folder)
            job = {
                "path": sys.path,
                "results": str(place / "results"),
                "trace": str(place / "trace"),
                "seconds": seconds,
                "entries": [asdict(entry) for entry in rest],
            }
            status = children.run(job, place, seconds * len(rest) + GRACE_SECONDS)
            done = _read_results(place / "results")
            results += done
            if len(results) < len(members):
                results.append(_ended(members[len(results)], status, seconds, place / "trace"))
    return results


def _read_results(file: Path) -> list[dict[str, Any]]:
    """Return the results of the imports that came to an end, in order."""
    if not file.exists():
        return []
    lines = [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]
    return [line for line in lines if "done" in line]


def _ended(entry: Entry, status: int | None, seconds: float, trace: Path) -> dict[str, Any]:
    """Return the diagnosis of an import that never came back."""
    owner = f"{entry.distribution} {entry.version} ({entry.kind.removesuffix('s')} {entry.name!r})"
    where = _place(entry, trace)
    remedy = f"pip install -U {entry.distribution}, or pip uninstall {entry.distribution}."
    if status is None or HUNG in _text(trace):
        what = f"{owner} was still being imported after {seconds:g} seconds."
        do = f"{remedy} If the machine is slow: functory doctor --timeout {seconds * 4:g}"
        return {"diagnosis": "hangs", "what": what, "where": where, "do": do}
    if status < 0:
        name = signal.Signals(-status).name
        what = f"{owner} crashed the interpreter while it was imported ({name})."
        return {
            "diagnosis": "crashes",
            "what": what,
            "where": where,
            "do": f"{remedy} A library with compiled code is at fault.",
        }
    what = f"{owner} ended the process at once while it was imported (os._exit, status {status})."
    return {"diagnosis": "exits-hard", "what": what, "where": where, "do": remedy}


def _place(entry: Entry, trace: Path) -> str:
    """Return the plugin's deepest line in the trace that the probe left; its module where there is none."""
    module = entry.value.partition(":")[0]
    top = module.partition(".")[0]
    frames = re.findall(r'File "([^"]+)", line (\d+)', _text(trace))  # the most recent call comes first
    own = [frame for frame in frames if top in Path(frame[0]).with_suffix("").parts]
    return f"{own[0][0]}, line {own[0][1]}" if own else module


def _text(trace: Path) -> str:
    """Return what the probe left in its trace."""
    return trace.read_text(errors="replace") if trace.exists() else ""

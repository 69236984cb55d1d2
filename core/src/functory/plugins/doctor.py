"""Finds out what is wrong with the installed plugins, and what to do about each.

Every distribution is imported in a subprocess of its own with a time limit, two at a time: one that hangs,
exits or crashes is diagnosed there and spoils nothing. `probing` runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from functory.errors import UsageError
from functory.machine.distributions import Entry, Fault, check_metadata, normalise
from functory.plugins import registry as plugins
from functory.plugins.probing import Children, Probed, probe


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
    found = Examination(findings=from_metadata())
    installed = sorted(plugins.entries(), key=lambda entry: entry.distribution)
    if distributions:
        wanted = _wanted(distributions, found, installed)
        found.findings = [finding for finding in found.findings if finding.distribution in wanted]
        installed = [entry for entry in installed if entry.distribution in wanted]
    found.examined = len({entry.distribution for entry in installed})
    groups = [list(members) for _, members in groupby(installed, key=lambda entry: entry.distribution)]
    children = Children()
    pool = ThreadPoolExecutor(max_workers=2)
    try:
        probed = pool.map(lambda members: probe(members, timeout_seconds, children), groups)
        for members, one in zip(groups, probed, strict=True):
            _note_all(found, members, one)
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


def from_metadata() -> list[Finding]:
    """Return what is wrong without importing anything: unreadable metadata, names claimed twice."""
    found = [_of_fault(fault) for fault in plugins.faults()]
    installed = plugins.entries()
    for entry in {entry.metadata: entry for entry in installed}.values():
        fault = check_metadata(entry)
        if fault is not None:
            found.append(_of_fault(fault))
    by_name = groupby(installed, key=lambda entry: (entry.kind, entry.name))
    for _, members in by_name:
        claims = list(members)
        if len(claims) > 1:
            found.extend(
                _claimed_twice(entry, claims) for entry in claims if entry.distribution != "functory"
            )
    return found


def _of_fault(fault: Fault) -> Finding:
    return Finding(fault.distribution, "", fault.diagnosis, fault.what, fault.where, fault.do, is_fatal=fault.is_fatal)


def _claimed_twice(entry: Entry, claims: list[Entry]) -> Finding:
    others = ", ".join(other.distribution for other in claims if other is not entry)
    what = f"{entry.distribution} and {others} give {entry.kind} a {entry.name!r}; the short name is refused."
    do = f"say {entry.qualified}, or pip uninstall one of them."
    where = f"{entry.metadata}/entry_points.txt"
    return Finding(
        entry.distribution, f"{entry.kind} {entry.name}", "duplicate-name", what, where, do, is_fatal=False
    )


def _note_all(found: Examination, members: list[Entry], probed: Probed) -> None:
    """Add what a probe said of the components of one distribution, and of its end."""
    for entry, result in zip(members, probed.results, strict=True):
        _note(found, entry, result)
    if probed.ending:
        end = probed.ending
        found.findings.append(Finding(members[0].distribution, "", end["diagnosis"], end["what"], end["where"], end["do"]))


def _note(found: Examination, entry: Entry, result: dict[str, Any]) -> None:  # Any: JSON
    """Add what a probe said of one entry."""
    component = f"{entry.kind} {entry.name}"
    if "changes" in result:
        found.findings.append(_changes(entry, component, result["changes"]))
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


def _changes(entry: Entry, component: str, changed: list[str]) -> Finding:
    """Return the finding of a plugin that changed what a process has only one of."""
    more = f" and {len(changed) - 6} more" if len(changed) > 6 else ""
    what = f"{entry.distribution}, or what it imports, changes what all share: {'; '.join(changed[:6])}{more}."
    do = f"its author sets it where it is needed, and puts it back (pip install -U {entry.distribution})."
    return Finding(entry.distribution, component, "changes-settings", what, entry.value.partition(":")[0], do, is_fatal=False)

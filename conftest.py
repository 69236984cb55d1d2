"""Says after a run which suites took more than their budget (the table in CONTRIBUTING.md). Nothing fails by it.

A suite is the tests of one folder that holds any: ``core``, ``plugins/tasks/ner``. Seconds are those of processors, of the
processes that a test starts too: a busy machine has the same, however long it takes.
"""

from __future__ import annotations

import os
import signal
import tomllib
from collections import Counter
from collections.abc import Generator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

ROOT = Path(__file__).parent
_before = sum(os.times()[:4])


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start, where a shell began this in the background and so with its deafness to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note on the report of a set-up, a call or a tear-down what it took of processors; it travels with the report."""
    global _before
    report = yield
    now = sum(os.times()[:4])
    report.processor_seconds = now - _before
    _before = now
    return report


def pytest_runtest_logstart() -> None:
    """Begin to count: what was between two tests belongs to none."""
    global _before
    _before = sum(os.times()[:4])


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    """Name the suites over their budget, the furthest first; with -v, all of them."""
    budgets = budgets_of(ROOT)
    took = took_by_suite(report for reports in terminalreporter.stats.values() for report in reports)
    share = {suite: seconds / budgets.get(kind_of(suite), float("inf")) for suite, seconds in took.items()}
    for suite in sorted(share, key=lambda one: -share[one]):
        if share[suite] > 1 or config.option.verbose > 0:
            over = "over its budget: " if share[suite] > 1 else ""
            terminalreporter.write_line(
                f"{over}{suite} took {took[suite]:.0f} s of processor time, where {budgets.get(kind_of(suite), 'no')} s are "
                "planned (CONTRIBUTING.md, Time)"
            )


def budgets_of(root: Path) -> dict[str, int]:
    """Return the planned seconds of a suite, by its kind."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    budgets: dict[str, int] = settings["tool"]["functory"]["budgets"]
    return budgets


def took_by_suite(reports: Any) -> dict[str, float]:
    """Return the processor seconds of each suite, from the reports of set-ups, calls and tear-downs."""
    took: Counter[str] = Counter()
    for report in reports:
        took[suite_of(getattr(report, "nodeid", ""))] += getattr(report, "processor_seconds", 0.0)
    return {suite: seconds for suite, seconds in took.items() if seconds}


def suite_of(nodeid: str) -> str:
    """Return the suite of a test: the folder that holds its ``tests``, or that folder itself at the top."""
    parts = PurePosixPath(nodeid.partition("::")[0]).parent.parts
    whole = parts[: parts.index("tests")] if "tests" in parts else parts
    return "/".join(whole or parts[:1])


def kind_of(suite: str) -> str:
    """Return what a suite's budget goes by: a plugin's kind, or the folder at the top."""
    parts = PurePosixPath(suite).parts
    return parts[1] if parts[0] == "plugins" and len(parts) > 2 else parts[0]

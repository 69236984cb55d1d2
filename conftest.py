"""Says after a run which suites took longer than their budget (the table in CONTRIBUTING.md). Nothing fails by it.

A suite is the tests of one folder that holds any: ``core/tests``, ``plugins/tasks/ner/tests``. The seconds are those of the
test processes, added up, so that they are the same however many there are; another machine, or a busy one, has its own.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

ROOT = Path(__file__).parent


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the suites over their budget, the furthest first."""
    budgets = budgets_of(ROOT)
    took = took_by_suite(report for reports in terminalreporter.stats.values() for report in reports)
    over = {suite: seconds / budgets[kind_of(suite)] for suite, seconds in took.items() if kind_of(suite) in budgets}
    for suite, share in sorted(over.items(), key=lambda one: -one[1]):
        if share > 1:
            budget = budgets[kind_of(suite)]
            terminalreporter.write_line(
                f"over its budget: {suite} took {took[suite]:.0f} s of test time, where {budget} s are planned "
                "(CONTRIBUTING.md, Time)"
            )


def budgets_of(root: Path) -> dict[str, int]:
    """Return the planned seconds of a suite, by its kind."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    budgets: dict[str, int] = settings["tool"]["functory"]["budgets"]
    return budgets


def took_by_suite(reports: Any) -> dict[str, float]:
    """Return the seconds of each suite, from the reports of set-ups, calls and tear-downs."""
    took: Counter[str] = Counter()
    for report in reports:
        if hasattr(report, "duration") and hasattr(report, "nodeid"):
            took[suite_of(report.nodeid)] += report.duration
    return dict(took)


def suite_of(nodeid: str) -> str:
    """Return the suite of a test: the folder that holds its ``tests``, or that folder itself at the top."""
    parts = PurePosixPath(nodeid.partition("::")[0]).parent.parts
    whole = parts[: parts.index("tests")] if "tests" in parts else parts
    return "/".join(whole or parts[:1])


def kind_of(suite: str) -> str:
    """Return what a suite's budget goes by: a plugin's kind, or the folder at the top."""
    parts = PurePosixPath(suite).parts
    return parts[1] if parts[0] == "plugins" and len(parts) > 2 else parts[0]

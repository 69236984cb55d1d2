"""The time that suites may take: each has a budget, all of them fit into `make test`, a run names those over theirs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 15 * 60 * 2
"""Of `make test`: fifteen minutes of two processors."""


@pytest.fixture(scope="module")
def guard() -> ModuleType:
    spec = importlib.util.spec_from_file_location("root_conftest", ROOT / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_suite_has_a_budget_and_all_together_fit_into_make_test(guard: ModuleType) -> None:
    places = ("core", "sdk", "plugins/*/*", "examples/plugins/*")
    suites = ["tests", *(str(one.parent.relative_to(ROOT)) for place in places for one in ROOT.glob(f"{place}/tests"))]
    budgets = guard.budgets_of(ROOT)
    assert {guard.kind_of(suite) for suite in suites} <= budgets.keys()
    planned = sum(budgets[guard.kind_of(suite)] for suite in suites)
    assert planned <= SECONDS, "lower budgets in pyproject.toml, and the suites with them: there are more suites now."


@pytest.mark.parametrize(
    ("nodeid", "suite", "kind"),
    [
        ("core/tests/test_core_data.py::test_a", "core", "core"),
        ("tests/test_cli.py::test_a[x/y]", "tests", "tests"),
        ("plugins/tasks/ner/tests/test_ner.py::TestNER::test_a", "plugins/tasks/ner", "tasks"),
        ("plugins/tasks/ner/tests/deep/test_ner.py::test_a", "plugins/tasks/ner", "tasks"),
        ("examples/plugins/alert/tests/test_alert.py::test_a", "examples/plugins/alert", "examples"),
    ],
)
def test_a_test_belongs_to_the_suite_of_its_folder(guard: ModuleType, nodeid: str, suite: str, kind: str) -> None:
    assert guard.suite_of(nodeid) == suite
    assert guard.kind_of(suite) == kind


def test_a_run_names_the_suites_over_their_budget_the_furthest_first_and_no_other(
    guard: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "budgets_of", lambda root: {"tasks": 40, "core": 60})
    took = {"plugins/tasks/ner/tests/t.py::a": (1.0, 49.0), "core/tests/t.py::a": (130.0,), "plugins/tasks/qa/t.py": (39.0,)}
    reports = [SimpleNamespace(nodeid=nodeid, processor_seconds=one) for nodeid, all_ in took.items() for one in all_]
    told: list[str] = []
    reporter = SimpleNamespace(stats={"": reports[:2], "passed": reports[2:]}, write_line=told.append)
    guard.pytest_terminal_summary(reporter, SimpleNamespace(option=SimpleNamespace(verbose=0)))
    assert [line.partition(" of processor time")[0] for line in told] == [
        "over its budget: core took 130 s", "over its budget: plugins/tasks/ner took 50 s"
    ]  # fmt: skip

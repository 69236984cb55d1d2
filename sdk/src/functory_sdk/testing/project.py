"""The fixtures `project`, `tiny_kit` and `own_cache`, and how suites speak in pytest. Loaded by pytest itself, so it imports
nothing heavy.

A test that takes `project` works in a folder of its own, with a cache of its own, with the toy kit loadable by name::

    def test_my_adaptation_builds(project):
        project.write("train.jsonl", project.rows(64))
        code, out, err = project.run("build", "--task", "toy", "--train", "train.jsonl", "--backbone", "tiny-encoder", …)

A module whose tests build on tiny networks, by fixtures of the module too, asks for the kit and a cache once::

    pytestmark = pytest.mark.usefixtures("tiny_kit")
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

for _module in (
    "adaptations", "backbones", "commands", "engines", "explanations", "families", "functions", "guarding", "hooks",
    "optimizations", "packagers", "readers", "samples", "suite", "tasks",
):  # fmt: skip
    pytest.register_assert_rewrite(f"functory_sdk.testing.{_module}")


@dataclass
class Project:
    """A temporary project.

    :param folder: the working directory of the test.
    """

    folder: Path

    def write(self, name: str, content: str | Sequence[Mapping[str, Any]]) -> Path:
        """Write a file: a text as it is, rows as CSV, TSV or JSON Lines by the name's ending."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif path.suffix in (".csv", ".tsv"):
            import csv

            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(content[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
                writer.writeheader()
                writer.writerows(content)
        else:
            lines = [json.dumps(row, ensure_ascii=False) for row in content]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def rows(self, count: int = 64, seed: int = 0) -> list[dict[str, str]]:
        """Return examples of the toy task, as plain data."""
        from functory_sdk.testing.toy import rows

        return rows(count, seed)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run ``functory …`` in this process; return exit code, stdout and stderr."""
        from functory.cli import main

        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = main(list(arguments))
            except SystemExit as leaving:
                code = leaving.code if isinstance(leaving.code, int) else 1
        return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache apart from the user's, the same in all modules of a run."""
    from functory_sdk.testing.toybox import isolated_cache

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNCTORY_CACHE", str(isolated_cache(tmp_path_factory.getbasetemp() / "functory-cache")))
        yield


@pytest.fixture(scope="module")
def tiny_kit(own_cache: None) -> Iterator[None]:
    """The tiny backbones and the toy tasks under their names, and a cache apart from the user's."""
    from functory_sdk.testing.toybox import kit

    with kit():
        yield


@pytest.fixture
def project(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A folder of its own, a cache of its own, and the toy kit loadable by name."""
    from functory_sdk.testing.toybox import isolated_cache, kit

    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("FUNCTORY_CACHE", str(isolated_cache(tmp_path / "cache")))
    monkeypatch.setenv("FUNCTORY_LOGS", str(tmp_path / "logs"))
    with kit():
        yield Project(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse test classes that silence a check after they were made: by a mark, or by setting it anew."""
    from functory_sdk.testing.guarding import MARKS, checks, guard
    from functory_sdk.testing.suite import Suite

    for item in items:
        owner = getattr(item, "cls", None)
        name = getattr(item, "originalname", item.name)
        if not (isinstance(owner, type) and issubclass(owner, Suite)) or name not in checks(owner):
            continue
        try:
            guard(owner)
        except TypeError as error:
            raise pytest.UsageError(str(error)) from None
        for mark in item.iter_markers():
            is_ours = mark.name == "xfail" and mark.kwargs.get("reason") == owner.expected_failures.get(name)
            if mark.name in MARKS and not is_ours:
                raise pytest.UsageError(
                    f"{item.nodeid} is a check of its suite and marked {mark.name!r}: list it in expected_failures."
                )


MADE_UP = (
    "The examples are made up from the types of `Example`, with the labels 'no' and 'yes': where the task needs others, set "
    "`examples` in the test's class, a list of dicts. Else:"
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:  # Any: pytest's own protocol
    """Put a failed check's "If this fails" below its traceback, and how many cases it went through beside its outcome."""
    report = yield
    cases = getattr(getattr(item, "instance", None), "cases", None)
    if report.when == "call" and cases is not None:
        report.user_properties.append(("cases", cases))
    advice = (getattr(getattr(item, "function", None), "__doc__", None) or "").partition("If this fails:")[2]
    if advice and report.failed:
        report.sections.append(("If this fails", " ".join([*_of_made_up_examples(item, report), *advice.split()])))
    return report


def _of_made_up_examples(item: pytest.Item, report: pytest.TestReport) -> list[str]:
    """Return what to say where the plugin's own code fails on examples that the suite made up from the types."""
    crash = getattr(report.longrepr, "reprcrash", None)
    is_own = crash is not None and not crash.message.startswith(("AssertionError", "assert "))
    if not is_own or getattr(getattr(item, "cls", None), "examples", None) != ():
        return []
    return [MADE_UP]

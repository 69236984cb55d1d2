"""The same JSON everywhere: in Python, in the shell, over HTTP and of a remote function, for every kind of function.

The kinds are those that the tasks' own suites try: each task, in each way in which it is put to a tiny backbone, with a head as
it was drawn.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.cli import main
from functory.running.about import About
from functory.running.distances import same
from functory.running.golden import record, tolerance
from functory_sdk import Function, NotSupported
from functory_sdk.testing import TaskSuite, kit
from functory_sdk.testing.tasks.made import TINY
from functory_serve import Limits, served

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(file for file in ROOT.glob("plugins/tasks/*/tests/test_*.py") if "TaskSuite" in file.read_text(encoding="utf-8"))
TASKS = {file.parent.parent.name for file in FILES}
INPUTS = 3
"""Inputs of each function."""


def suites(file: Path) -> list[TaskSuite]:
    """Return the suites that a task's tests derive."""
    spec = importlib.util.spec_from_file_location(f"suites_of_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, TaskSuite)]
    return [one() for one in found if one.__module__ == spec.name and one.component]


def made(file: Path) -> Iterator[tuple[Function, list[Any]]]:
    """Give each way in which a task's suites put it to a backbone as a function, with inputs."""
    for suite in suites(file):
        if suite.task.parts or not set(suite.backbones) <= set(TINY):  # a backbone of the suite's own is the suite's
            continue
        ways = {f"{put.formulation.program}-{put.form.put}": put for put in suite.puts()}  # of several backbones the last
        for way, put in ways.items():
            function = Function(put.task, put.state, put.form, About(f"{suite.component}-{way}"))
            yield function, suite.inputs()[:INPUTS]


@pytest.fixture(scope="module")
def functions() -> Iterator[dict[str, tuple[Function, list[Any]]]]:
    with kit():
        yield {f"{one.name}-{number}": (one, inputs) for file in FILES for number, (one, inputs) in enumerate(made(file))}


@pytest.fixture(scope="module")
def url(functions: dict[str, tuple[Function, list[Any]]]) -> Iterator[str]:
    patient = Limits(wait_seconds=300, timeout_seconds=300)
    with served({name: one for name, (one, _) in functions.items()}, limits=patient) as found:
        yield found


def post(url: str, body: bytes) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=300) as answer:
        return bytes(answer.read())


def test_one_input_computed_alone_gives_the_same_bytes_everywhere(
    functions: dict[str, tuple[Function, list[Any]]], url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = set()
    for name, (function, inputs) in functions.items():
        far = functory.load(f"{url}/{name}", timeout_seconds=300)
        for value in inputs:
            given = value.model_dump_json()
            own = function(value).json()
            assert post(f"{url}/v1/functions/{name}", given.encode()) == own.encode(), f"{name}: HTTP"
            assert far(value).json() == own, f"{name}: remote"
            assert type(far(value)).__qualname__ == type(function(value)).__qualname__, name
        (tmp_path / "one.jsonl").write_text(given + "\n", encoding="utf-8")
        assert main(["run", f"{url}/{name}", "--input", str(tmp_path / "one.jsonl"), "--json"]) == 0, name
        assert capsys.readouterr().out.partition(",")[2].strip() == own[1:], f"{name}: the shell"
        kinds.add(type(function.task).name)
    assert len(kinds) >= len(TASKS), kinds


def test_in_batches_labels_are_equal_outside_the_tolerance_and_scores_within_it(
    functions: dict[str, tuple[Function, list[Any]]], url: str
) -> None:
    for name, (function, inputs) in functions.items():
        alone = [json.loads(function(value).json()) for value in inputs]
        allowed = tolerance(function, record(function, inputs))
        far = functory.load(f"{url}/{name}", timeout_seconds=300)
        body = b"[" + b",".join(value.model_dump_json().encode() for value in inputs) + b"]"
        for face, together in (
            ("HTTP", json.loads(post(f"{url}/v1/functions/{name}", body))),
            ("remote", [json.loads(one.json()) for one in far.map(inputs, progress=False)]),
            ("Python", [json.loads(one.json()) for one in function.map(inputs, progress=False)]),
        ):
            for one, other in zip(alone, together, strict=True):
                assert same(one, other, allowed), f"{name}, {face}: {one} alone, {other} together"


def test_a_composite_gives_the_same_bytes_too(functions: dict[str, tuple[Function, list[Any]]]) -> None:
    entities, relations = (next(one for name, (one, _) in functions.items() if name.startswith(f"{task}-forward"))
                           for task in ("ner", "relation"))  # fmt: skip
    graph = functory.compose("relation-graph", entities=entities, relations=relations, name="graph")
    text = "we saw Ann in Rome"
    with served({"graph": graph}) as url:
        far = functory.load(f"{url}/graph")
        assert post(f"{url}/v1/functions/graph", json.dumps(text).encode()) == graph(text).json().encode()
        assert far(text).json() == graph(text).json()
        assert far.form.parts == {}
        with pytest.raises(NotSupported, match="served elsewhere"):
            far.trace([far.read(text)])

"""The page of hooks is what hookspecs.py says, and every example on it is a plugin that works."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import functory
from functory import errors
from functory.contracts.engine import Event, Run
from functory.contracts.explanation import Attribution, Faithfulness
from functory.contracts.formulation import Target
from functory.contracts.optimization import FormReport, OptimizationReport
from functory.hooks.blaming import STEPS
from functory.hookspecs import Hooks
from functory.steps import Steps
from functory_sdk.testing import kit, toy_function

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "hooks.md"
ROWS = [{"text": f"{word} {n}", "label": word} for n in range(20) for word in ("cat", "dog")]


def example(step: str) -> str:
    """Return the example of a hook, as the page shows it."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {step}\n")[2].partition("\n## ")[0]
    found = re.search(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert found, f"the page has no example of {step}"
    return found[1]


def plugin(step: str) -> Any:
    """Return the example's class, defined as a user's file would define it."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example(step), f"docs/hooks.md, {step}", "exec"), names)
    (found,) = (value for value in names.values() if isinstance(value, type) and value.__module__ == "example")
    return found


def test_the_page_is_what_hookspecs_says() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "hooks_page.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_page_differs_as_soon_as_a_signature_or_a_word_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import hooks_page

    assert hooks_page.page() == PAGE.read_text(encoding="utf-8")
    doc = Hooks.evaluate.__doc__ or ""
    monkeypatch.setattr(Hooks.evaluate, "__doc__", doc.replace("a stored result", "a result"))
    assert hooks_page.page() != PAGE.read_text(encoding="utf-8")
    monkeypatch.setattr(Hooks.evaluate, "__doc__", doc)

    def evaluate(self: Any, function: Any) -> Any: ...

    evaluate.__doc__ = doc
    monkeypatch.setattr(Hooks, "evaluate", evaluate)
    assert hooks_page.page() != PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("step", STEPS)
def test_every_hook_is_used_by_a_plugin_that_exists_and_implements_it(step: str) -> None:
    told = re.search(r"Used by: (.*)", getattr(Hooks, step).__doc__)
    assert told
    folders = re.findall(r"(?:examples/plugins|plugins/\w+)/[\w-]+", told[1])
    assert folders
    for folder in folders:
        sources = [file.read_text(encoding="utf-8") for file in (ROOT / folder).glob("src/**/*.py")]
        assert any(re.search(rf"def {step}\(|specname=\"{step}\"", source) for source in sources), f"{folder}: {step}"


@pytest.mark.parametrize("step", STEPS)
def test_every_example_is_complete_in_fifteen_lines(step: str) -> None:
    lines = example(step).strip().splitlines()
    assert len(lines) <= 15
    assert any("hookimpl" in line for line in lines)


def test_the_examples_of_building_take_part_in_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNCTORY_LOGS", str(tmp_path / "logs"))
    small, count, clock, enough, log = (
        plugin(step)() for step in ("load_backbone", "adapt", "train", "evaluate", "progress")
    )
    fn = functory.build(
        task="text-classification", train=ROWS, adaptation="head", hooks=[small, count, clock, log], run=tmp_path / "run",
        report=False,
    )
    assert count.numbers == 2 * 384 + 2
    assert any(note.startswith("trained in ") for note in fn.about.notes)
    logged = [json.loads(line) for line in next((tmp_path / "logs").glob("*/metrics.jsonl")).read_text().splitlines()]
    assert logged[-1]["kind"] == "done"
    small.limit = 3
    with pytest.raises(errors.Refused, match=r"minilm has 6 layers; 3 are allowed"):
        functory.build(task="text-classification", train=ROWS, hooks=[small])
    watched = fn.replaced(hooks=(enough,))
    with pytest.raises(errors.Refused, match="3 examples say little; 30 are wanted"):
        watched.evaluate(ROWS[:3])
    assert watched.evaluate(ROWS).examples == 40


@pytest.fixture
def toys() -> Iterator[None]:
    """The tiny parts of the kit, by their names."""
    with kit():
        yield


@pytest.mark.usefixtures("toys")
def test_the_examples_of_what_comes_after_take_part_in_their_steps(tmp_path: Path) -> None:
    gains, secrets, sums = (plugin(step)() for step in ("optimize", "explain", "package"))
    function = toy_function()
    form = FormReport(form="toy", metric=1, latency_ms=1, throughput=1, size_mb=1, memory_mb=1, threads=1)
    report = OptimizationReport(optimization="shrink", metric="accuracy", before=form, tried=(), kept="toy", reason="none")
    shrink = SimpleNamespace(optimize=lambda function, examples, calibration: (function, report))
    made = Steps([gains]).optimize(function=function, optimization=shrink, examples=(), calibration=())
    assert made == (function, report)
    assert gains.reports == [(function.name, report)]

    found = Attribution(
        method="why", target=Target(name="x", port="logits", index=(0,)), score=1, pieces=(),
        faithfulness=Faithfulness(comprehensiveness=0, sufficiency=0),
    )  # fmt: skip
    why = SimpleNamespace(explain=lambda function, value, target: found)
    steps = Steps([secrets])
    assert steps.explain(function=function, value="a fine film", target=None, explanation=why) is found
    with pytest.raises(errors.Refused, match="texts with secrets"):
        steps.explain(function=function, value="my password is", target=None, explanation=why)

    def wheel(artefact: Path, name: str, target: Path) -> list[Path]:
        (target / "a.whl").write_bytes(b"a wheel")
        return [target / "a.whl"]

    files = Steps([sums]).package(
        packager=SimpleNamespace(package=wheel), artefact=tmp_path, name="sentiment", target=tmp_path
    )
    assert [file.name for file in files] == ["a.whl", "a.whl.sha256"]


def test_the_example_observer_sees_what_a_run_emits(tmp_path: Path) -> None:
    steps = Steps([plugin("progress")()])
    run = Run(tmp_path / "run", tmp_path, 0, logs=tmp_path / "logs")
    steps.progress(run=run, event=Event("step", 3, {"loss": 0.5}))
    steps.progress(run=run, event=Event("note", 3, text="nothing to write"))
    assert json.loads((tmp_path / "logs" / "metrics.jsonl").read_text()) == {"kind": "step", "step": 3, "loss": 0.5}

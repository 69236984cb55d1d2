"""Optimizing: what is measured on, what is refused, and the verb that saves what was kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.cli import main
from functory.contracts.component import NoOptions
from functory.contracts.optimization import FormReport, Optimization, OptimizationReport
from functory.data import Examples
from functory.errors import DataError
from functory.plugins import registry as plugins
from functory.using.optimizing import _apart
from functory_sdk.testing import kit, toy_function
from functory_sdk.testing.toy import rows

QUICK = ["probe_inputs=16", "rounds=1", 'engines=["onnxruntime"]', 'precisions=["int8"]', "threads=[1]"]


def set_options() -> list[str]:
    """Return the options that keep the work small, as a user types them."""
    return [argument for option in QUICK for argument in ("--set", option)]


def test_a_built_function_calibrates_on_what_it_does_not_measure_on() -> None:
    with kit():
        function = toy_function()
    assert function.held_out is not None
    measured = {item.text for item in function.held_out}
    assert function.calibration
    assert not measured & {item.text for item in function.calibration}


def test_a_loaded_function_splits_what_it_is_given(tmp_path: Path) -> None:
    with kit():
        function = functory.load(toy_function().save(tmp_path / "toy"))
        from functory.measuring.evaluation import read_examples

        examples = read_examples(function.task, function.state, rows(40, seed=8))
        held_out, calibration = _apart(function, examples)
    assert len(held_out) + len(calibration) == 40
    assert len(calibration) == 10
    with kit(), pytest.raises(DataError, match="0 held-out examples to measure on; at least 8") as caught:
        function.optimize("int8")
    assert "--data" in str(caught.value.do)


def test_too_few_examples_are_refused_before_anything_is_converted() -> None:
    with kit(), pytest.raises(DataError, match="there are 5 held-out examples"):
        toy_function().optimize("int8", rows(5, seed=8))


class Idle(Optimization[NoOptions]):
    """Finds nothing that is faster."""

    def optimize(
        self, function: functory.Function, examples: Examples, calibration: Sequence[Any]
    ) -> tuple[functory.Function, OptimizationReport]:
        form = FormReport(form=function.form.name, metric=0.5, latency_ms=1, throughput=1, size_mb=1, memory_mb=1, threads=1)
        assert examples.sha256
        return function, OptimizationReport(
            optimization="idle", metric="accuracy", before=form, tried=(), kept=form.form,
            reason="nothing was tried.", cpu="a slow one",
        )  # fmt: skip


def test_a_function_that_keeps_its_form_carries_the_report_and_is_otherwise_the_same(tmp_path: Path) -> None:
    with kit(), plugins.registered("optimizations", "idle", Idle):
        given = toy_function()
        made = given.optimize("idle").optimize("idle")
        assert (given.optimization, given.about.optimization) == (None, None)
        assert "optimized" not in str(given.about.notes)
        assert made.form is given.form
        assert made.golden == given.golden
        assert [made(row["text"]) for row in rows(12, seed=3)] == [given(row["text"]) for row in rows(12, seed=3)]
        assert made.optimization is not None
        assert not made.optimization.changed
        note = "optimized by idle on a slow one: stayed torch fp32; nothing was tried."
        assert made.about.notes == (*given.about.notes, note)
        again = functory.load(made.save(tmp_path / "toy"))
    assert again.optimization == made.optimization
    assert again.info()["optimization"]["reason"] == "nothing was tried."
    assert note in (tmp_path / "toy" / "README.md").read_text(encoding="utf-8")


def test_the_verb_saves_what_was_kept_and_tells_the_report(
    sentiment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "test.csv"
    lines = [
        f"a {word} and {word} film number {n},{label}"
        for n in range(20)
        for word, label in (("warm", "fresh"), ("dull", "rotten"))
    ]
    data.write_text("text,label\n" + "\n".join(lines) + "\n")
    output = tmp_path / "fast"
    arguments = ["optimize", str(sentiment), "--data", str(data), "--output", str(output), "--max-drop", "1"]
    assert main([*arguments, *set_options(), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["folder"] == str(output)
    assert told["form"] == told["report"]["kept"]
    assert [form["form"] for form in told["report"]["tried"]] == ["onnxruntime int8"]
    assert functory.load(output).form.name == told["form"]
    assert main(["verify", str(output)]) == 0


def test_the_verb_refuses_an_optimization_that_does_not_exist(
    sentiment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["optimize", str(sentiment), "--data", "samples:rotten-tomatoes", "--output", str(tmp_path / "fast")]
    assert main([*arguments, "--method", "int9"]) == 2
    assert "did you mean 'int8'" in capsys.readouterr().err
    assert not (tmp_path / "fast").exists()

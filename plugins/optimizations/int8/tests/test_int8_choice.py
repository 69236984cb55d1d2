"""What is kept, what is set aside, and what the report says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import functory
from functory_int8 import probing
from functory_int8.optimization import Int8Options
from functory_sdk import Engine, FormReport, Function, NoOptions, NotSupported, Program, Session, SessionOptions, load
from functory_sdk.testing import kit, registered, toy_function
from functory_sdk.testing.toy import rows

SMALL = {
    "probe_inputs": 16,
    "rounds": 1,
    "threads": (1,),
    "precisions": ("int8",),
    "max_drop": 1.0,
    "engines": ("onnxruntime",),
}
BEFORE = FormReport(form="torch fp32", metric=0.8, latency_ms=10, throughput=100, size_mb=9, memory_mb=1, threads=2)


class Broken(Engine[NoOptions]):
    """An engine whose conversion fails in a way that nobody foresaw."""

    precisions: ClassVar[tuple[str, ...]] = ("int8",)

    def open(self, program: Program, options: SessionOptions) -> Session:
        raise NotSupported("it opens nothing.", do="take another.")

    def convert(self, program: Program, folder: Path, **more: Any) -> Program:
        raise RuntimeError("no such operator: Frobnicate")


class Moody(Engine[NoOptions]):
    """An engine whose form answers otherwise where an input is alone, or after its threads were settled."""

    precisions: ClassVar[tuple[str, ...]] = ("int8",)
    given: ClassVar[Any] = None
    mood: ClassVar[str] = ""

    def open(self, program: Program, options: SessionOptions) -> Session:
        opened: Any = load("engines", "torch").configure({}).open(type(self).given, options)
        run_batch, mood = opened.run_batch, type(self).mood

        def moody(batch: Any) -> Any:
            found = run_batch(batch)
            if (mood == "alone" and len(batch["input_ids"]) == 1) or (mood == "settled" and options.threads):
                return {name: array[..., ::-1] for name, array in found.items()}
            return {name: array + (-np.inf if mood == "numbers" else 0) for name, array in found.items()}

        opened.run_batch = moody
        return opened  # type: ignore[no-any-return]

    def convert(self, program: Program, folder: Path, **more: Any) -> Program:
        type(self).given = program
        return replace(program.at(folder), precision="int8")


@pytest.fixture
def function() -> Iterator[Function]:
    with kit():
        yield toy_function()


def judged(**changed: Any) -> str:
    """Return what is said of a form that differs from the original so."""
    report = BEFORE.model_copy(update={"throughput": 300.0, **changed})
    return probing._judge(report, BEFORE, Int8Options(max_drop=0.005, min_gain=1.05)).note


def test_a_faster_form_within_the_limit_has_nothing_against_it() -> None:
    assert judged(metric=0.795) == ""


def test_a_form_is_refused_by_what_it_loses_by_its_speed_and_by_a_single_call() -> None:
    assert judged(metric=0.79) == "loses 0.010, more than 0.005"
    assert judged(throughput=104.0) == "1.04 times the original's speed, less than 1.05"
    assert judged(latency_ms=12.0) == "one call takes 12.0 ms, where it took 10.0"


def test_an_engine_that_fails_is_set_aside_with_its_reason(function: Function) -> None:
    with registered("engines", "broken", Broken):
        made = function.optimize("int8", rows(48, seed=5), **{**SMALL, "engines": ("broken", "onnxruntime")})
    report = made.optimization
    assert [form.form for form in report.tried] == ["onnxruntime int8"]
    assert "broken int8 was set aside: RuntimeError: no such operator: Frobnicate." in report.reason


def test_an_engine_that_converts_to_none_of_the_precisions_is_named(function: Function) -> None:
    with pytest.raises(NotSupported, match=r": torch converts to none of the precisions int8\.\n") as raised:
        function.optimize("int8", rows(), **{**SMALL, "engines": ("torch",)})
    assert "functory-openvino[convert]" in raised.value.do


@pytest.mark.parametrize(("mood", "says"), [("alone", "its answer is another"), ("numbers", "no finite numbers")])
def test_a_form_that_could_not_be_saved_is_set_aside_at_once(
    mood: str, says: str, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Moody, "mood", mood)
    with registered("engines", "moody", Moody), pytest.raises(NotSupported, match=says):
        function.optimize("int8", rows(48, seed=5), **{**SMALL, "engines": ("moody",)})


def test_a_form_that_answers_otherwise_with_its_settled_threads_is_passed_over(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Moody, "mood", "settled")
    monkeypatch.setattr(probing, "SLOWER", 1e9)
    options = {**SMALL, "engines": ("moody",), "min_gain": 1, "max_drop": 1.0}
    monkeypatch.setattr(probing, "_rounds", lambda forms, *_: {one.form_name: [1.0 + (one is forms[0])] for one in forms})
    with registered("engines", "moody", Moody):
        made = function.optimize("int8", rows(48, seed=5), **options)
    assert made.form.name == "torch fp32"
    assert "cannot be kept: golden example 1 comes out differently" in made.optimization.tried[0].note


def test_where_no_engine_is_left_the_reasons_are_told(function: Function) -> None:
    with registered("engines", "broken", Broken), pytest.raises(NotSupported, match="Frobnicate"):
        function.optimize("int8", rows(48, seed=5), **{**SMALL, "engines": ("broken",)})


def test_the_form_that_is_kept_is_saved_and_answers_the_same_and_the_others_files_are_gone(
    function: Function, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms: list[Any] = []

    def timed(candidates: Any, inputs: Any, rounds: int, bar: Any) -> dict[str, list[float]]:
        forms.extend(candidates)
        return {one.form_name: [{"torch fp32": 9.0, "onnxruntime int8": 1.0}.get(one.form_name, 2.0)] for one in forms}

    monkeypatch.setattr(probing, "_rounds", timed)
    monkeypatch.setattr(probing, "SLOWER", 1e9)
    made = function.optimize("int8", rows(48, seed=5), **{**SMALL, "precisions": ("int8", "fp32")})
    assert made.form.name == made.optimization.kept == "onnxruntime int8"
    assert "9.0 times as many inputs" in made.optimization.reason
    folders = {one.form_name: one.function.form.program.folder for one in forms[1:]}
    assert folders["onnxruntime int8"].is_dir()
    assert not folders["onnxruntime fp32"].exists()
    again = functory.load(made.save(tmp_path / "fast"))
    for row in rows(6, seed=9):
        assert again(row["text"]).scores == pytest.approx(made(row["text"]).scores, abs=1e-5)


def test_the_report_shows_every_form_and_why_one_was_kept(function: Function) -> None:
    report = function.optimize("int8", rows(48, seed=5), **{**SMALL, "min_gain": 1e6}).optimization
    told = str(report)
    assert "torch fp32" in told
    assert "onnxruntime int8" in told
    assert "the original stays" in told

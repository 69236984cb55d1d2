"""A function in an engine's own form, without the probing and choosing of an optimization: for tests of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from functory.function import Function
from functory.plugins.registry import entries, load
from functory.running.forms import EngineForm
from functory.running.golden import reformed


def converted(
    function: Function, folder: Path, *, engine: str = "onnxruntime", precision: str = "int8", inputs: Sequence[Any] = ()
) -> Function:
    """Return a function in an engine's own form, with golden outputs and a tolerance of its own; skips without the engine.

    :param function: in its torch form.
    :param folder: where the engine's files are put; it is made.
    :param inputs: what it is calibrated on; its golden inputs when there are none.
    """
    if engine not in {entry.name for entry in entries("engines")}:
        pytest.skip(f"needs functory-{engine}")
    form: Any = function.form  # Any: a torch form
    given = [function.coerce(value) for value in inputs] or function.task.golden_inputs(function.state)
    rows = form.formulation.encode(given, function.reader, function.state).rows
    folder.mkdir(parents=True)
    made = load("engines", engine).configure({})
    program = made.convert(form.program, folder, precision=precision, samples=rows)
    return reformed(function, EngineForm(made, form.spec, form.put, form.formulation, program, form.tokenizer))

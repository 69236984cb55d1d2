"""The forms that are tried: what each engine makes of the function."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory_sdk import EngineForm, Function, FunctoryError, Progress, entries, load, message_of, progress, reformed

if TYPE_CHECKING:
    from functory_int8.optimization import Int8Options


@dataclass
class Candidate:
    """A function in one of its forms.

    :param form_name: engine and precision.
    :param megabytes: what the form needs on disk, in 10⁶ bytes.
    :param metric: what its answers were measured by; empty until they are.
    """

    form_name: str
    function: Function
    megabytes: float
    metric: str = ""

    @property
    def is_writing(self) -> bool:
        """Whether it writes texts, each of which takes as long as many forward passes."""
        form: Any = self.function.form  # Any: a TorchForm or an EngineForm
        return bool(form.program.kind == "generate")

    def drop(self) -> None:
        """Free what a form that is not kept holds: its session and its files."""
        self.function.close()
        form: Any = self.function.form  # Any: an EngineForm, since it came out of `converted`
        form.files.cleanup()


def original(function: Function) -> Candidate:
    """Return the function as it is."""
    form: Any = function.form  # Any: a TorchForm, as `Int8.optimize` has seen
    model = form.program.model
    return Candidate(function.form.name, function, sum(p.numel() * p.element_size() for p in model.parameters()) / 1e6)


def converted(
    function: Function, calibration: Sequence[Any], options: Int8Options
) -> tuple[list[Candidate], dict[str, str]]:
    """Convert the function by every engine in every precision; return what came out, and why what did not."""
    form: Any = function.form  # Any: as in `original`
    rows = form.formulation.encode(list(calibration), function.reader, function.state).rows
    names = options.engines or tuple(entry.name for entry in entries("engines"))
    found: list[Candidate] = []
    failures: dict[str, str] = {}
    engines: list[Any] = []
    for name in names:
        try:
            engines.append(load("engines", name).configure({}))
        except FunctoryError as error:
            failures[name] = error.what.rstrip(".")
    wanted = [(engine, one) for engine in engines for one in options.precisions if one in engine.precisions]
    for engine in engines:
        if options.engines and all(other is not engine for other, _ in wanted):
            failures[engine.name] = f"{engine.name} converts to none of the precisions {', '.join(options.precisions)}"
    bar: Progress[Any]
    with progress(len(wanted), f"{function.name}: converting") as bar:
        for engine, precision in wanted:
            name = engine.name
            bar.say(f"{name} {precision}")
            try:
                found.append(_convert(function, engine, precision, rows))
            except FunctoryError as error:
                failures[f"{name} {precision}"] = error.what.rstrip(".")
            except Exception as error:  # a converter's fault must not lose what the others make
                failures[f"{name} {precision}"] = f"{type(error).__name__}: {message_of(error)}"
            bar.advance()
        bar.say("")
    return found, failures


def _convert(function: Function, engine: Any, precision: str, rows: Sequence[Any]) -> Candidate:
    """Return the function in one engine's form; its files live as long as the function."""
    form: Any = function.form  # Any: as in `original`
    place = tempfile.TemporaryDirectory(prefix="functory-form-")
    program = engine.convert(form.program, Path(place.name), precision=precision, samples=rows)
    made = EngineForm(
        engine=engine, spec=form.spec, put=form.put, formulation=form.formulation, program=program,
        tokenizer=form.tokenizer, files=place,
    )  # fmt: skip
    changed = reformed(function, made)
    size = sum(file.stat().st_size for file in Path(place.name).rglob("*") if file.is_file()) / 1e6
    return Candidate(made.name, changed, size)

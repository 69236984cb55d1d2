"""Files that one engine opens, with no backbone, torch or transformers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from functory.contracts.backbone import BackboneSpec
from functory.contracts.engine import Engine, Session, SessionOptions
from functory.contracts.formulation import Formulation
from functory.contracts.putting import formulated
from functory.contracts.rows import Port, Program
from functory.errors import NotSupported
from functory.machine.boundary import Source, corrupt
from functory.machine.folders import copy_files, files_of
from functory.machine.members import read_text
from functory.plugins.registry import origin
from functory.reading.ngrams import NGRAMS
from functory.reading.tokenizer import Tokenizer
from functory.running.forms.program import ProgramForm
from functory.running.forms.record import (
    FormRecord,
    Formulated,
    Kept,
    Opening,
    ProgramData,
    Saving,
    Tolerance,
    check_inside,
)
from functory.running.replays import machine


class EngineRecord(FormRecord):
    """An engine form: files under engines/<name>/ that run by themselves.

    Threads and budget were the fastest on one processor, `probed_on`, and are not used on another.
    """

    kind: Literal["engine"] = "engine"
    engine: Kept
    folder: str
    spec: BackboneSpec
    formulation: Formulated
    program: ProgramData
    threads: int = Field(0, ge=0)
    budget: int = Field(0, ge=0)
    probed_on: str = ""
    tolerance: Tolerance

    is_one_of_many: ClassVar[bool] = True

    @field_validator("folder")
    @classmethod
    def _own(cls, folder: str) -> str:
        """The folder is one of the forms'."""
        if not re.fullmatch("engines/[^/]+", check_inside(folder)):
            raise ValueError(f"{folder!r} is no folder of a form: engines/…")
        return folder

    @model_validator(mode="after")
    def _called_as_it_is(self) -> EngineRecord:
        """Its folder is called as it is."""
        if self.folder != place_of(self.engine.name, self.program["precision"]):
            raise ValueError(f"the form {self.label!r} lies in {self.folder!r}")
        return self

    @property
    def label(self) -> str:
        return f"{self.engine.name} {self.program['precision']}"

    def read(self, place: Opening) -> EngineForm:
        engine, files = place.component("engines", self.engine), place.folder / self.folder
        with place.within():
            formulation = formulated(place.task, self.spec, self.formulation)
            program = Program.from_json(self.program, files)
            if program.kind != formulation.program:
                raise corrupt(f"the task is put as a {formulation.program} program; this one is {program.kind}")
            own = formulation.inputs(self.spec, place.state), formulation.outputs(self.spec, place.state)
            inputs, outputs = own if program.kind == "forward" else ((), ())  # what writes has them in training alone
            _check_ports(program, (*self.spec.ports(formulation.texts), *inputs, *NGRAMS), outputs)
            options = SessionOptions(threads=self.threads, budget=self.budget)
        with place.within(f"{self.folder}/tokenizer.json"):
            tokenizer = Tokenizer(read_text(files / "tokenizer.json"))
        return EngineForm(
            engine=engine,
            spec=self.spec,
            put=self.formulation,
            formulation=formulation,
            program=program,
            tokenizer=tokenizer,
            tolerance=self.tolerance,
            options=options,
            probed_on=self.probed_on,
            source=Source(self.folder, place.folder, f"engine {engine.name!r}{_made_by(engine)}"),
        )

    def components(self) -> Iterator[tuple[str, Kept]]:
        yield "engines", self.engine

    def members(self) -> tuple[str, ...]:
        return (f"{self.folder}/",)

    def licences(self) -> set[str]:
        return {self.spec.licence} - {""}

    def sentence(self, task: str) -> str:
        return f"A function for {task}, as {self.label}, made from {self.spec.reference}."

    def summary(self) -> dict[str, Any]:
        return {
            "engine": self.engine.name,
            "backbone": self.spec.reference,
            "context": self.spec.context,
            "probed_on": self.probed_on,
        }


def place_of(engine: str, precision: str) -> str:
    """Return the folder of an engine form."""
    return f"engines/{engine}-{precision}"


def _check_ports(program: Program, given: Sequence[Port], wanted: Sequence[Port]) -> None:
    """Check that a program reads nothing but what the task gives it, and gives all that the task reads.

    :raises ArtefactCorrupt: naming the port.
    """
    known = {port.name: port for port in given}
    for port in program.inputs:
        if port.name not in known or (port.dtype, port.axes) != (known[port.name].dtype, known[port.name].axes):
            raise corrupt(f"the program reads {_told(port)}; it is given {', '.join(map(_told, given))}")
    written = {port.name: port for port in program.outputs}
    for port in wanted:
        if port.name not in written or written[port.name].axes != port.axes:
            raise corrupt(f"the task reads {_told(port)}; the program gives {', '.join(map(_told, program.outputs))}")


def _told(port: Port) -> str:
    return f"{port.name!r} {port.dtype} ({', '.join(map(str, port.axes))})"


def _made_by(component: Any) -> str:
    """Return which distribution, in which version, gave a component: who is asked when a fresh copy cannot be read."""
    entry = origin(component)
    return f" ({entry.distribution} {entry.version})" if entry is not None and entry.distribution else ""


@dataclass
class EngineForm(ProgramForm):
    """Files that one engine opens: graph, tokenizer, facts.

    :param engine: the engine that wrote them.
    :param spec: the facts of the backbone it was made from.
    :param put: the name of the formulation.
    :param program: with its folder, which also holds tokenizer.json.
    :param options: threads and budget that were measured best, on one processor.
    :param probed_on: that processor; on another one its best says nothing.
    :param files: keeps a temporary folder alive.
    :param source: the artefact that it was read from; None where it was made in this process.
    """

    kind: ClassVar[str] = "engine"
    Record: ClassVar[type[FormRecord] | None] = EngineRecord
    engine: Engine[Any]
    spec: BackboneSpec
    put: str
    formulation: Formulation
    program: Program
    tokenizer: Tokenizer
    tolerance: float = 1e-4
    options: SessionOptions = field(default_factory=SessionOptions)
    probed_on: str = field(default_factory=machine)
    files: Any = None  # Any: a TemporaryDirectory that lives as long as a form that is not saved yet
    source: Source | None = None

    @property
    def folder(self) -> Path:
        """Where the files lie.

        :raises NotSupported: in a form that was never written.
        """
        if self.program.folder is None:
            raise NotSupported("this form has no files.", do="convert it with its engine first.")
        return self.program.folder

    def open(self, options: SessionOptions) -> Session:
        """Open the program in its engine: as the caller says, else as was measured best on this processor.

        :raises NotSupported: for a precision that the engine does not know.
        """
        if self.probed_on == machine():
            best = {name: getattr(self.options, name) for name in ("threads", "budget") if not getattr(options, name)}
            options = options.model_copy(update=best)
        with self.reading():
            return super().open(options)

    def reading(self) -> AbstractContextManager[None]:
        """Return what its files are opened and run in: what an engine's library raises over them is the artefact's fault."""
        return nullcontext() if self.source is None else self.source.reading()

    def write(self, place: Saving) -> EngineRecord:
        folder = place_of(self.engine.name, self.program.precision)
        made = place.folder / folder
        made.mkdir(parents=True, exist_ok=True)
        copy_files(files_of(self.folder), made)
        (made / "tokenizer.json").write_text(self.tokenizer.json, encoding="utf-8")
        return EngineRecord(
            engine=Kept.of_component(self.engine),
            folder=folder,
            spec=self.spec,
            formulation=self.put,
            program=self.program.as_json(),
            threads=self.options.threads,
            budget=self.options.budget,
            probed_on=self.probed_on,
            tolerance=self.tolerance,
        )

    def weight(self) -> int:
        return sum(file.stat().st_size for file in files_of(self.folder).values())

    def described(self) -> dict[str, Any]:
        return {**super().described(), "engine": self.engine.name}

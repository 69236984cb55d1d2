"""The forms of a function: how its program exists and what it needs to run.

A torch form is a backbone with φ inside, in memory; an engine form is files that one engine opens,
with no backbone, torch or transformers; a composite form is other functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from functory.contracts.adaptation import Adaptation
from functory.contracts.backbone import Backbone, BackboneSpec
from functory.contracts.engine import Engine, Session, SessionOptions
from functory.contracts.formulation import Formulation
from functory.contracts.rows import Program
from functory.errors import NotSupported
from functory.machine.boundary import Source
from functory.machine.keeping import note_once
from functory.reading.tokenizer import Tokenizer
from functory.running.replays import has_bf16, machine

if TYPE_CHECKING:
    from functory.function import Function


@dataclass
class TorchForm:
    """A backbone with φ inside.

    :param engine: the engine that assembled the model.
    :param backbone: the shared backbone.
    :param adaptation: how φ is attached.
    :param put: the name of the formulation.
    :param formulation: how the task is put to it.
    :param program: with the model.
    """

    kind: ClassVar[str] = "torch"
    engine: Engine[Any]
    backbone: Backbone[Any]
    adaptation: Adaptation[Any]
    put: str
    formulation: Formulation
    program: Program
    tolerance: float = 1e-4

    @property
    def name(self) -> str:
        return f"{self.engine.name} {self.program.precision}"

    @property
    def spec(self) -> BackboneSpec:
        return self.backbone.spec

    @property
    def tokenizer(self) -> Tokenizer:
        return self.backbone.tokenizer

    def open(self, options: SessionOptions) -> Session:
        """Open the program in its engine.

        :raises NotSupported: for a precision that the engine does not know.
        """
        return _opened(self.engine, self.program, options)

    def reading(self) -> AbstractContextManager[None]:
        """Return what it is run in: nothing special, because none of an artefact's files is in use any more."""
        return nullcontext()


@dataclass
class EngineForm:
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
    def name(self) -> str:
        return f"{self.engine.name} {self.program.precision}"

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
            return _opened(self.engine, self.program, options)

    def reading(self) -> AbstractContextManager[None]:
        """Return what its files are opened and run in: what an engine's library raises over them is the artefact's fault."""
        return nullcontext() if self.source is None else self.source.reading()


@dataclass
class CompositeForm:
    """Other functions, and the task that makes one of them.

    :param parts: by the names that the task gives them.
    """

    kind: ClassVar[str] = "composite"
    parts: Mapping[str, Function]
    tolerance: float = 1e-4

    @property
    def name(self) -> str:
        return "composite of " + ", ".join(part.name for part in self.parts.values())

    def reading(self) -> AbstractContextManager[None]:
        """Return what it is run in: nothing special, because each part has its own."""
        return nullcontext()


Form = TorchForm | EngineForm | CompositeForm


def _opened(engine: Engine[Any], program: Program, options: SessionOptions) -> Session:
    """Return an engine's session on a program; what the processor is slow at is told."""
    engine.check_precision(options)
    if options.precision == "bf16" and options.device == "cpu" and not has_bf16():
        note_once(
            "this processor has no instructions for bfloat16 (avx512_bf16, amx_bf16): a session in it is slower here than in the "
            "form's own precision, and further off. Leave precision out."
        )
    return engine.open(program, options)


def torch_form(
    engine: Engine[Any], backbone: Backbone[Any], adaptation: Adaptation[Any], put: str, formulation: Formulation,
    state: Any, model: Any,
) -> TorchForm:  # fmt: skip
    """Return the form of a model that an engine assembled.

    :param put: the name of the formulation.
    :param state: the task's State.
    """
    is_forward, spec = formulation.program == "forward", backbone.spec
    program = Program(  # what writes has inputs and outputs of its own in training alone
        kind=formulation.program,
        inputs=(*spec.ports(formulation.texts), *(formulation.inputs(spec, state) if is_forward else ()), *adaptation.beside),
        outputs=formulation.outputs(spec, state) if is_forward else (),
        model=model,
    )
    return TorchForm(engine, backbone, adaptation, put, formulation, program)

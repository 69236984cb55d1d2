"""Files that one engine opens, with no backbone, torch or transformers."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.engine import Engine, Session, SessionOptions
from functory.contracts.formulation import Formulation
from functory.contracts.rows import Program
from functory.errors import NotSupported
from functory.machine.boundary import Source
from functory.machine.folders import files_of
from functory.reading.tokenizer import Tokenizer
from functory.running.forms.program import ProgramForm
from functory.running.replays import machine


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

    def weight(self) -> int:
        return sum(file.stat().st_size for file in files_of(self.folder).values())

    def described(self) -> dict[str, Any]:
        return {**super().described(), "engine": self.engine.name}

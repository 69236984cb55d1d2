"""A form with a program: what an engine opens, and what makes rows for it and reads its outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from functory.contracts.backbone import BackboneSpec
from functory.contracts.engine import Engine, Session, SessionOptions
from functory.contracts.formulation import Formulation, Target
from functory.contracts.rows import Program, Row
from functory.errors import NotSupported
from functory.machine.keeping import note_once
from functory.reading.tokenizer import Tokenizer
from functory.running.forms.form import Form
from functory.running.replays import has_bf16
from functory.running.working import Work

if TYPE_CHECKING:
    from functory.contracts.batching import Told
    from functory.contracts.component import Component
    from functory.contracts.decoding import Decoding
    from functory.function import Function
    from functory.running.golden import Golden
    from functory.running.reruns import Rerun
    from functory.running.streaming import Stream


ROUNDED = 0.75
"""By how much the log-probability of a written token may be off on another processor in a form whose weights are integers: what
they meet is rounded too, as each processor does it, and differences grow from layer to layer. Up to 0.5 was measured between ways
of rounding, .04 in the mean."""


class ProgramForm(Form):
    """What forms with a program have in common: encode → run → decode.

    A subclass is a dataclass, and `using` replaces its formulation.
    """

    engine: Engine[Any]
    put: str
    """The name of the formulation."""
    formulation: Formulation
    program: Program

    if TYPE_CHECKING:  # fields of some, found by others

        @property
        def spec(self) -> BackboneSpec:
            """The facts of the backbone that it is, or was made from."""

        @property
        def tokenizer(self) -> Tokenizer:
            """What turns texts into tokens for it."""

    @property
    def name(self) -> str:
        return f"{self.engine.name} {self.program.precision}"

    @property
    def is_written(self) -> bool:
        return self.program.kind == "generate"

    @property
    def is_streamed(self) -> bool:
        return self.formulation.decoding is not None

    @property
    def rounding(self) -> float:
        return ROUNDED if self.is_written and self.program.precision != "fp32" else 0.0

    # -- computing --------------------------------------------------------------------------------------

    def outputs(self, function: Function, values: Sequence[Any], told: Told | None = None) -> list[Any]:
        return [self.formulation.decode(side, rows, function.state) for side, rows in function.trace(values, told)]

    def stream(self, function: Function, value: Any) -> Stream:
        """Return what is written for one Input, as it is written.

        :raises NotSupported: by a function that does not write, and where several samples are asked for.
        """
        decoding = self._decoding(function, "call it: its output comes whole.")
        if decoding.samples > 1:
            raise NotSupported(f"a stream is one text, and not {decoding.samples}.", do="ask for one: using(samples=1).")
        return self.work(function).stream(value)

    def using(self, function: Function, decoding: Mapping[str, Any]) -> Function:
        from functory.contracts.component import read_options
        from functory.contracts.decoding import Decoding
        from functory.running.rewritten import rewritten

        now = self._decoding(function, "only what writes has a decoding.")
        how = read_options(Decoding, {**now.model_dump(exclude_unset=True), **decoding}, "the decoding")
        form = copy(self)
        form.formulation = self.formulation.using(how)
        return function.replaced(form=form, **rewritten(function, how))

    def _decoding(self, function: Function, do: str) -> Decoding:
        """Return how it writes.

        :param do: what to do where it does not.
        :raises NotSupported: where it does not.
        """
        how = self.formulation.decoding
        if how is None:
            raise NotSupported(f"{function.name} does not write text.", do=do)
        return how

    def work(self, function: Function) -> Work:
        return Work(self, function.state, function.about, function.held, function.session_options)

    def open(self, options: SessionOptions) -> Session:
        """Open its program; what the processor is slow at is told.

        :raises NotSupported: for a precision that the engine does not know.
        """
        self.engine.check_precision(options)
        if options.precision == "bf16" and options.device == "cpu" and not has_bf16():
            note_once(
                "this processor has no instructions for bfloat16 (avx512_bf16, amx_bf16): a session in it is slower here than "
                "in the form's own precision, and further off. Leave precision out."
            )
        return self.engine.open(self.program, options)

    # -- explaining -------------------------------------------------------------------------------------

    def targets(self, function: Function, value: Any) -> Sequence[Target]:
        [(side, rows)] = function.trace([value])
        output = self.formulation.decode(side, rows, function.state)
        return self.formulation.targets(output, side, function.state)

    def evidence(
        self, function: Function, values: Sequence[Any], target: Target, told: Callable[[float], None]
    ) -> list[float]:
        traced = function.trace(values, told)
        return [self.formulation.evidence(target, side, rows, function.state) for side, rows in traced]

    # -- golden examples --------------------------------------------------------------------------------

    def recorded(self, function: Function, values: Sequence[Any]) -> list[tuple[Any, list[Row]]]:
        from functory.running.reruns import written

        if self.program.kind == "generate":
            return written(function, self.formulation, values)
        return [(self.formulation.decode(side, rows, function.state), rows) for side, rows in function.trace(values)]

    def rerun(self, function: Function, golden: Sequence[Golden], values: Sequence[Any]) -> list[Rerun]:
        from functory.running.reruns import compared, leads, rewritten

        ran = self.recorded(function, values)
        if self.program.kind == "generate":
            return rewritten(function, self.formulation, golden, values, ran)
        return compared(golden, ran, lambda: leads(function, self.formulation, golden, values))

    # -- describing -------------------------------------------------------------------------------------

    def components(self) -> Iterable[Component[Any]]:
        yield self.engine

    def described(self) -> dict[str, Any]:
        return {"backbone": self.spec.model_dump(mode="json"), "program": self.program.as_json()}

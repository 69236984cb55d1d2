"""A backbone with φ inside, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from functory.contracts.adaptation import Adaptation
from functory.contracts.backbone import Backbone, BackboneSpec
from functory.contracts.component import Component
from functory.contracts.engine import Engine
from functory.contracts.formulation import Formulation
from functory.contracts.rows import Program
from functory.reading.tokenizer import Tokenizer
from functory.running.forms.program import ProgramForm


@dataclass
class TorchForm(ProgramForm):
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
    def spec(self) -> BackboneSpec:
        return self.backbone.spec

    @property
    def tokenizer(self) -> Tokenizer:
        return self.backbone.tokenizer

    def weight(self) -> int:
        return sum(array.nbytes for array in self.engine.phi(self.program.model).values())

    def components(self) -> Iterable[Component[Any]]:
        return (self.engine, self.backbone, self.adaptation)

    def described(self) -> dict[str, Any]:
        adaptation = {"name": self.adaptation.name, "options": self.adaptation.options.model_dump(mode="json")}
        return {**super().described(), "adaptation": adaptation}


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

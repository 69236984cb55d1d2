"""A backbone with φ inside, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from functory.contracts.adaptation import Adaptation
from functory.contracts.backbone import Backbone, BackboneSpec
from functory.contracts.component import Component
from functory.contracts.engine import Engine
from functory.contracts.formulation import Formulation
from functory.contracts.putting import formulated
from functory.contracts.rows import Program
from functory.machine.boundary import corrupt
from functory.reading.tokenizer import Tokenizer
from functory.running.forms.form import Form
from functory.running.forms.program import ProgramForm
from functory.running.forms.record import (
    MANIFEST,
    FormRecord,
    Formulated,
    Kept,
    Opening,
    ProgramData,
    Saving,
    Tolerance,
)

WEIGHTS = "weights.safetensors"
"""The member that holds φ."""
FRESH = "get a fresh copy."
OTHER_BACKBONE = (
    "get a fresh copy; where the backbone's plugin is another version than it was made with, build it again."
)


class TorchRecord(FormRecord):
    """A torch form: a backbone by reference, φ in weights.safetensors."""

    kind: Literal["torch"] = "torch"
    engine: Kept
    backbone: Kept
    spec: BackboneSpec
    adaptation: Kept
    formulation: Formulated
    program: ProgramData
    has_phi: bool
    tolerance: Tolerance

    is_whole: ClassVar[bool] = False

    @property
    def label(self) -> str:
        return f"{self.engine.name} {self.program['precision']}"

    def read(self, place: Opening) -> TorchForm:
        with place.within(f"backbone {self.backbone.name!r}"):
            backbone = place.backbone(self.backbone, self.spec.weights_hash)
        engine, adaptation = place.component("engines", self.engine), place.component("adaptations", self.adaptation)
        with place.within():
            formulation = formulated(place.task, backbone.spec, self.formulation)
            model = place.adapted(engine, backbone, formulation, adaptation)
            form = torch_form(engine, backbone, adaptation, self.formulation, formulation, place.state, model)
        self._read_phi(place, engine, model)
        form.tolerance = self.tolerance
        return form

    def _read_phi(self, place: Opening, engine: Engine[Any], model: Any) -> None:
        """Put φ into the model.

        :raises ArtefactCorrupt: when it is not there, or there and none is to be, or another model's.
        """
        from safetensors.numpy import load_file

        file = place.folder / WEIGHTS
        if self.has_phi != file.is_file():
            there = "is missing" if self.has_phi else f"is there, and {MANIFEST} says that there is no φ"
            raise corrupt(f"{WEIGHTS} {there}")
        if self.has_phi:
            with place.within(WEIGHTS):
                engine.load_phi(model, load_file(file))

    def components(self) -> Iterator[tuple[str, Kept]]:
        yield "engines", self.engine
        yield "backbones", self.backbone
        yield "adaptations", self.adaptation

    def members(self) -> tuple[str, ...]:
        return (WEIGHTS,)

    def fitted_to(self) -> tuple[Kept, str] | None:
        return self.backbone, self.spec.weights_hash

    def licences(self) -> set[str]:
        return {self.spec.licence} - {""}

    def difference(self, form: Form, *, is_same_task: bool) -> tuple[str, str] | None:
        """Compare the form's name, its program and the facts of the backbone."""
        if not isinstance(form, TorchForm) or self.label != form.name:
            return f"the form is called {self.label!r} and is {form.name!r}", FRESH
        if is_same_task and self.program != form.program.as_json():
            return f"the ports of the program are not those of form {form.name!r}", FRESH
        kept, here = self.spec.model_dump(mode="json"), form.spec.model_dump(mode="json")
        open_to_change = {"revision"}  # the same weights may have several
        if self.backbone.name != form.backbone.reference:
            open_to_change |= {"reference", "licence"}  # the same weights, which lie elsewhere now
        elif not self.backbone.is_version_of(form.backbone):
            open_to_change.add("licence")  # a newer version may know it better
        for name in kept.keys() - open_to_change:
            if kept[name] != here[name]:
                return f"the backbone's {name} is {here[name]!r}, and not {kept[name]!r}", OTHER_BACKBONE
        return None

    def sentence(self, task: str) -> str:
        return f"A function for {task}: {self.spec.reference} with the adaptation {self.adaptation.name}."

    def base_model(self) -> str:
        return self.spec.reference

    def summary(self) -> dict[str, Any]:
        return {
            "engine": self.engine.name,
            "backbone": self.spec.reference,
            "context": self.spec.context,
            "adaptation": self.adaptation.name,
            "weights_hash": self.spec.weights_hash,
        }


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
    Record: ClassVar[type[FormRecord] | None] = TorchRecord
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

    def write(self, place: Saving) -> TorchRecord:
        from safetensors.numpy import save_file

        phi = self.engine.phi(self.program.model)
        if phi:
            save_file(phi, place.folder / WEIGHTS)
        return TorchRecord(
            engine=Kept.of_component(self.engine),
            backbone=Kept.of_component(self.backbone, self.backbone.reference),
            spec=self.spec,
            adaptation=Kept.of_component(self.adaptation),
            formulation=self.put,
            program=self.program.as_json(),
            has_phi=bool(phi),
            tolerance=self.tolerance,
        )

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

"""Other functions, and the task that makes one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator

from functory.contracts.counted import compose
from functory.errors import NotSupported
from functory.machine.boundary import corrupt
from functory.running.forms.form import Form
from functory.running.forms.record import MANIFEST, FormRecord, Opening, Saving, Tolerance, check_inside

if TYPE_CHECKING:
    from functory.contracts.batching import Told
    from functory.function import Function


class CompositeRecord(FormRecord):
    """A composite: whole artefacts under parts/<name>/."""

    kind: Literal["composite"] = "composite"
    parts: dict[str, str] = Field(min_length=1)
    tolerance: Tolerance

    @field_validator("parts")
    @classmethod
    def _apart(cls, parts: dict[str, str]) -> dict[str, str]:
        """Each part lies in a folder of its own, so that none holds another, or itself."""
        for name, place in parts.items():
            if check_inside(place) != f"parts/{name}" or "/" in name:
                raise ValueError(f"part {name!r} lies in {place!r}, and not in 'parts/{name}'")
        return parts

    def read(self, place: Opening) -> CompositeForm:
        """Return the parts, which must be those that the task is made of.

        :raises ArtefactCorrupt: when they are others.
        """
        wanted = place.task.parts
        if self.parts.keys() != wanted.keys():
            wants, has = (", ".join(names) or "none" for names in (wanted, self.parts))
            raise corrupt(f"task {place.task.name!r} is made of {wants}; {MANIFEST} gives the parts {has}")
        parts = {}
        for name, folder in self.parts.items():
            with place.within(f"{folder}/"):
                parts[name] = part = place.part(folder)
            if wanted[name] and part.task.name != wanted[name]:
                raise corrupt(f"part {name!r} must do {wanted[name]}; {folder} does {part.task.name}")
        return CompositeForm(parts, self.tolerance)

    def places(self) -> Mapping[str, str]:
        return self.parts

    def members(self) -> tuple[str, ...]:
        return tuple(f"{place}/" for place in self.parts.values())

    def sentence(self, task: str) -> str:
        return f"A composite for {task}, made of {', '.join(self.parts)}."

    def summary(self) -> dict[str, Any]:
        return {"parts": list(self.parts)}


@dataclass
class CompositeForm(Form):
    """Functions, of which a task makes one.

    :param parts: by the names that the task gives them.
    """

    kind: ClassVar[str] = "composite"
    Record: ClassVar[type[FormRecord] | None] = CompositeRecord
    parts: Mapping[str, Function] = field()
    tolerance: float = 1e-4

    @property
    def name(self) -> str:
        return "composite of " + ", ".join(part.name for part in self.parts.values())

    def outputs(self, function: Function, values: Sequence[Any], told: Told | None = None) -> list[Any]:
        outputs = compose(function.task, self.parts, values)
        if told is not None:
            told(1.0)
        return outputs

    def opened(self, options: Mapping[str, Any]) -> Self:
        return replace(self, parts={name: part.opened(**options) for name, part in self.parts.items()})

    def without_program(self, function: Function) -> NotSupported:
        return NotSupported(
            f"{function.name} is made of functions and has no program of its own.",
            do=f"ask one of its parts: {', '.join(self.parts)}.",
        )

    def write(self, place: Saving) -> CompositeRecord:
        for name, part in self.parts.items():
            place.part(part, f"parts/{name}")
        return CompositeRecord(parts={name: f"parts/{name}" for name in self.parts}, tolerance=self.tolerance)

    def described(self) -> dict[str, Any]:
        return {"parts": {name: part.info() for name, part in self.parts.items()}}

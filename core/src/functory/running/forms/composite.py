"""Other functions, and the task that makes one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from functory.contracts.counted import compose
from functory.errors import NotSupported
from functory.running.forms.form import Form

if TYPE_CHECKING:
    from functory.contracts.batching import Told
    from functory.function import Function


@dataclass
class CompositeForm(Form):
    """Functions, of which a task makes one.

    :param parts: by the names that the task gives them.
    """

    kind: ClassVar[str] = "composite"
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

    def described(self) -> dict[str, Any]:
        return {"parts": {name: part.info() for name, part in self.parts.items()}}

"""Training examples that are shown in a prompt: part of the state of tasks that can show some, so that the manifest holds them.

Apart from `task`, because adaptations choose them and formulations put them before a prompt.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from functory.contracts.task import State


class Shown(BaseModel):
    """Examples, and how many of them stand in a prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: tuple[dict[str, Any], ...] = ()
    """Each as plain data, by the fields of the task's Example, in the order in which they are shown."""
    nearest: int = 0
    """So many, those that an input is nearest to, the nearest last; all of them when 0."""


class ShowingState(State):
    """The state of a task whose prompts may show examples."""

    shown: Shown | None = None
    """The examples that an adaptation chose; None where none are shown."""

    def said(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"shown"})

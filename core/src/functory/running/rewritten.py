"""What else changes of a function that writes otherwise: what is saved of it, and what builds it again."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functory.contracts.decoding import Decoding

if TYPE_CHECKING:
    from functory.function import Function


def rewritten(function: Function, how: Decoding) -> dict[str, Any]:
    """Return the task and the about of a function that writes otherwise, where it is the task's options that say how."""
    task, about = function.task, function.about
    if not isinstance(task.options, Decoding):
        return {}
    made = copy(task)
    made.options = task.options.model_copy(update={name: getattr(how, name) for name in how.model_fields_set})
    named = about.recipe.get("task")
    if isinstance(named, dict):
        options = {**named.get("options", {}), **how.model_dump(mode="json", exclude_unset=True)}
        about = replace(about, recipe={**about.recipe, "task": {**named, "options": options}})
    return {"task": made, "about": about}

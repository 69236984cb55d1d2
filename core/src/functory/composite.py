"""Functions made of functions: the applications are such composites."""

from __future__ import annotations

from typing import Any

from functory.contracts.task import Task
from functory.errors import UsageError
from functory.function import Function
from functory.running.about import About
from functory.running.forms import CompositeForm
from functory.running.golden import record
from functory.running.replays import versions
from functory.wording.harmless import is_showable
from functory.wording.told import kind as kind_of


def compose(
    task: str | Task[Any],
    *,
    name: str = "",
    version: str = "0.1.0",
    licence: str = "",
    options: dict[str, Any] | None = None,
    **parts: Function,
) -> Function:
    """Return a function that a task computes from others.

    :param task: the name of a task that has parts, or such a task.
    :param parts: the functions, by the names that the task gives its parts.
    :raises UsageError: when the task is none, or a part is lacking, unknown, or does another task; when a name, version or
        licence cannot be shown.
    """
    if isinstance(task, str):
        from functory.building.parts import component
        from functory.contracts.component import Part

        task = component("tasks", Part(name=task, options=options or {}))
    if not isinstance(task, Task):
        raise UsageError(f"{task!r} is no task.", do="give the name of a task that has parts, or such a task: Alert().")
    _check(task, parts)
    _check_shown(name=name, version=version, licence=licence)
    about = About(
        name=name or task.name,
        version=version,
        licence=licence,
        licences=tuple(sorted({found for part in parts.values() for found in part.about.licences})),
        recipe={"task": task.name, "parts": {key: part.about.name for key, part in parts.items()}},
        versions=versions(),
    )
    function = Function(task, task.learn([]), CompositeForm(dict(parts)), about)
    function.golden = record(function)
    return function


def _check(task: Task[Any], parts: dict[str, Function]) -> None:
    if not task.parts:
        raise UsageError(f"task {task.name!r} is not made of functions.", do="build it with functory.build.")
    lacking, unknown = task.parts.keys() - parts.keys(), parts.keys() - task.parts.keys()
    if lacking or unknown:
        raise UsageError(
            f"task {task.name!r} wants the parts {', '.join(task.parts)}; "
            + (f"lacking: {', '.join(sorted(lacking))}" if lacking else f"unknown: {', '.join(sorted(unknown))}")
            + ".",
            do="give each part by its name: "
            + ", ".join(f"{key}=<a {kind} function>" for key, kind in task.parts.items())
            + ".",
        )
    for key, kind in task.parts.items():
        if kind and parts[key].task.name != kind:
            raise UsageError(
                f"part {key!r} of {task.name!r} must do {kind}; {parts[key].about.name!r} does {parts[key].task.name}.",
                do=f"build it with task = {kind!r}.",
            )


def _check_shown(**texts: str) -> None:
    """Refuse what a recipe refuses too, of what is shown wherever the function is.

    :raises UsageError: naming it.
    """
    for key, value in texts.items():
        if not isinstance(value, str):
            raise UsageError(f"{key} is a text, and no {kind_of(value)}.", do=f"write {key}='…'.")
        if not is_showable(value):
            raise UsageError(f"{key} = {value!r} is not allowed: it holds a character that cannot be shown.", do="leave it out.")

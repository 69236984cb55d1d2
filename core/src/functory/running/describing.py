"""What a function says of itself: its signature, its schemas, its documentation."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from functory.contracts.task import Task
from functory.contracts.trust import TrustOutput
from functory.plugins.describing import type_name
from functory.wording.harmless import harmless

if TYPE_CHECKING:
    from functory.function import Function


def signature(task: Task[Any]) -> inspect.Signature:
    """Return a function's signature: the Input's fields, those of the shorthand by position."""
    parameters = []
    fields = task.Input.model_fields
    for name in (*task.shorthand, *(name for name in fields if name not in task.shorthand)):
        by_position = name in task.shorthand
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if by_position else inspect.Parameter.KEYWORD_ONLY
        field = fields[name]
        default = inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True)
        parameters.append(inspect.Parameter(name, kind, default=default, annotation=field.annotation))
    return inspect.Signature(parameters, return_annotation=task.Output)


def caller(task: Task[Any], called: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function's `__call__` with the task's own signature, for help() and editors.

    :param called: what it does.
    """

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return called(self, *args, **kwargs)

    plain = signature(task)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    call.__signature__ = plain.replace(parameters=[own, *plain.parameters.values()])  # type: ignore[attr-defined]
    call.__name__, call.__doc__ = "__call__", called.__doc__
    return call


def schemas(task: Task[Any], state: Any) -> dict[str, Any]:
    """Return the JSON Schemas of input and output, and what each parameter means."""
    given = task.Input.model_json_schema()
    return {
        "input": given,
        "output": task.output_schema(state),
        "parameters": {name: field.description or "" for name, field in task.Input.model_fields.items()},
        "shorthand": list(task.shorthand),
    }


def doc(function: Function) -> str:
    """Return a docstring that reads well in `help`: what it computes, what goes in, what comes out, how good it is."""
    task, about = function.task, function.about
    lines = [f"{about.name} {about.version}: {type(task).summary()}", "", "Parameters:"]
    for name, what in fields(task.Input).items():
        lines.append(f"    {name}: {what}")
    lines += ["", f"Returns a {task.Output.__name__}:"]
    for name, what in fields(task.Output).items():
        lines.append(f"    {name}: {what}")
    labels = getattr(function.state, "labels", ())
    if labels:
        lines += ["", "Labels: " + ", ".join(map(str, labels[:30])) + ("" if len(labels) <= 30 else " …")]
    if about.metrics:
        lines += ["", "Measured: " + ", ".join(f"{k} {figure(v)}" for k, v in about.metrics.items())]
    lines += ["", f"Form: {function.form.name}."]
    return harmless("\n".join(lines))


def fields(model: type[BaseModel]) -> dict[str, str]:
    """Return what each field of an input or an output is, those that every task's output has last."""
    names = sorted(model.model_fields, key=lambda name: name in TrustOutput.model_fields)
    return {name: model.model_fields[name].description or "see the task" for name in names}


def call_line(function: Function) -> str:
    """Return how a function is called, with types by their short names: ``sentiment(text: str) -> Classification``."""
    return f"{function.about.name}{brief(function.__signature__)}"


def brief(signature: inspect.Signature) -> str:
    """Return a signature with types by their short names."""
    short = [
        parameter.replace(annotation=_Named(type_name(parameter.annotation)))
        for parameter in signature.parameters.values()
    ]
    named = signature.replace(parameters=short, return_annotation=_Named(type_name(signature.return_annotation)))
    return inspect.Signature.__str__(named)


class _Named:
    """A type that is written by its name alone."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


def figure(value: Any) -> str:
    """Return a metric in words, with its interval where it has one."""
    if isinstance(value, dict):
        low, high = value.get("low"), value.get("high")
        interval = f" ({low:.3f}–{high:.3f})" if low is not None and high is not None else ""
        return f"{value['value']:.3f}{interval}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def info(function: Function) -> dict[str, Any]:
    """Return what a function is, as plain data."""
    about, form = function.about, function.form
    data: dict[str, Any] = {
        "name": about.name,
        "version": about.version,
        "licence": about.licence,
        "task": function.task.name,
        "form": form.name,
        "state": function.state.model_dump(mode="json"),
        "metrics": about.metrics,
        "recipe": about.recipe,
        "data": about.data,
        "versions": about.versions,
        "long_text": about.long_text,
        "notes": list(about.notes),
        "tried": [one.model_dump(mode="json") for one in about.tried],
        "optimization": about.optimization,
    }
    return {**data, **form.described()}

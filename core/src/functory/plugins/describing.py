"""What there is to tell about a component: what it does, its options; of a task its fields, columns and metrics.

Apart from the verb that prints it, because a program asks for the same.
"""

from __future__ import annotations

from typing import Any

from functory.machine.distributions import Entry
from functory.plugins import registry as plugins
from functory.plugins.importing import CLASSES


def describe(entry: Entry) -> dict[str, Any]:  # Any: JSON
    """Import a component and return what there is to tell about it.

    :raises PluginError: it cannot be imported.
    """
    facts: dict[str, Any] = {
        "name": entry.name,
        "kind": entry.kind,
        "distribution": entry.distribution,
        "version": entry.version,
        "value": entry.value,
    }
    component = plugins.load(entry.kind, entry.qualified)
    if entry.kind == "commands":
        return facts | {"summary": component.help, "examples": component.example.strip().splitlines()}
    if entry.kind not in CLASSES and not hasattr(component, "Options"):  # a hook plugin with options is told like a component
        owner = component if isinstance(component, type) else type(component)
        doc = (getattr(component, "__doc__", None) or owner.__doc__ or "").strip()
        return facts | {"summary": doc.split("\n\n")[0].replace("\n", " ")}
    return (
        facts
        | {"summary": component.summary()}
        | (_task(component) if entry.kind == "tasks" else {})
        | {
            "paper": component.paper,
            "examples": list(component.examples),
            "options": [_option(component.Options, name) for name in component.Options.model_fields],
            "schema": component.Options.model_json_schema(),
        }
    )


def _task(task: Any) -> dict[str, Any]:  # Any: a class of tasks, and JSON
    """Return a task's fields with the columns that each is read from, its output's fields and its metrics."""
    from functory.contracts.task import Output

    inputs, outputs = task.Input.model_fields, task.Output.model_fields
    own = [name for name in outputs if name not in Output.model_fields]
    return {
        "shorthand": list(task.shorthand),
        "input": [_field(task.Input, name) for name in inputs],
        "gold": [_field(task.Example, name) for name in task.Example.model_fields if name not in inputs],
        "columns": {field: list(names) for field, names in task.columns.items()},
        "output": [_field(task.Output, name) for name in (*own, *Output.model_fields)],
        "metric": task.metric,
        "metrics": dict(task.metrics) or ({task.metric: ""} if task.metric else {}),
        "parts": dict(task.parts),
    }


def _field(model: Any, name: str) -> dict[str, Any]:  # Any: a pydantic model class, and JSON
    """Return one field of a model: its name, its type in Python, what it is."""
    field = model.model_fields[name]
    return {
        "name": name,
        "type": type_name(field.annotation),
        "required": field.is_required(),
        "description": field.description or "",
    }


def type_name(annotation: Any) -> str:
    """Return a type as one writes it: without the modules that it comes from, and what checks its values."""
    from types import NoneType, UnionType
    from typing import Annotated, Literal, Union, get_args, get_origin

    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is Ellipsis:
        return "..."
    if annotation in (None, NoneType):
        return "None"
    if origin is Annotated:
        return type_name(arguments[0])
    if origin in (Union, UnionType):
        return " | ".join(dict.fromkeys(map(type_name, arguments)))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    name = getattr(origin or annotation, "__name__", str(annotation))
    return f"{name}[{', '.join(map(type_name, arguments))}]" if arguments else name


def _option(model: Any, name: str) -> dict[str, Any]:  # Any: a pydantic model class, and JSON
    """Return one option: its name, what it may be, what it is for."""
    from functory.contracts.component import describe_range

    field = model.model_fields[name]
    annotation = type_name(field.annotation)
    allowed = describe_range(model, name)
    if field.is_required():
        allowed += ", must be given"
    return {
        "name": name,
        "type": annotation,
        "allowed": allowed or annotation,
        "description": field.description or "",
    }

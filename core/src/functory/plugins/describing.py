"""What there is to tell about a component: what it does, its options; of a task its fields, columns and metrics.

Apart from the verb that prints it, because a program asks for the same.
"""

from __future__ import annotations

from collections.abc import Callable
from json import dumps, loads  # ours, whatever a plugin puts into their place
from pathlib import Path
from typing import Any, TypeVar

from functory.errors import FunctoryError
from functory.machine.distributions import Entry
from functory.plugins import registry as plugins
from functory.plugins.importing import CLASSES, asked

T = TypeVar("T")


class Misfit(TypeError):
    """What a component says of itself is not what it has to say; told as the component's fault."""


def describe(entry: Entry) -> dict[str, Any]:  # Any: JSON
    """Import a component and return what there is to tell about it.

    :raises PluginError: it cannot be imported, or does not tell what every component must.
    """
    return describe_component(entry, plugins.load(entry.kind, entry.qualified))


def describe_component(entry: Entry, component: Any) -> dict[str, Any]:  # Any: whatever a plugin gives, and JSON
    """Return what there is to tell about a component, as plain data; `functory doctor` asks so too.

    :raises PluginContractError: it raised, or what it says of itself is no text; the attribute is named.
    """
    facts: dict[str, Any] = {
        "name": entry.name,
        "kind": entry.kind,
        "distribution": entry.distribution,
        "version": entry.version,
        "value": entry.value,
    }

    def ask(what: str, answer: Callable[[], T]) -> T:
        return asked(entry, what, answer)

    if entry.kind == "commands":
        lines = ask("its example", lambda: _text(component.example).strip().splitlines())
        return facts | {"summary": ask("its help", lambda: _text(component.help)), "examples": lines}
    if entry.kind == "faces":
        paths = ask("its paths", lambda: [_text(path) for path in component.paths])
        return facts | {"summary": ask("its help", lambda: _text(component.help)), "examples": [], "paths": paths}
    if entry.kind == "functions":
        ask("the folder of its function", lambda: _folder(component))
        return facts | {"summary": entry.summary}
    if entry.kind not in CLASSES and not ask("its options", lambda: hasattr(component, "Options")):
        return facts | {"summary": ask("its docstring", lambda: _docstring(component))}  # a hook plugin without options
    facts |= {"summary": ask("its summary", lambda: _text(component.summary()))}
    if entry.kind == "tasks":
        facts |= ask("its fields, columns and metrics", lambda: _plain(_task(component)))
        facts |= ask("what suits it", lambda: _plain({"suits": _suits(component)}))
    facts |= {
        "paper": ask("its paper", lambda: _text(component.paper)),
        "examples": ask("its examples", lambda: [_text(line) for line in component.examples]),
    }
    return facts | ask("its options", lambda: _plain(_options(component.Options)))


def _options(model: Any) -> dict[str, Any]:  # Any: a pydantic model class, and JSON
    """Return each option of a component, and the schema of all."""
    return {
        "options": [_option(model, name) for name in model.model_fields],
        "schema": model.model_json_schema(),
    }


def _docstring(component: Any) -> str:  # Any: a hook plugin, which is any object
    owner = component if isinstance(component, type) else type(component)
    doc = _text(getattr(component, "__doc__", None) or owner.__doc__ or "")
    return doc.strip().split("\n\n")[0].replace("\n", " ")


def _folder(component: object) -> Path:
    """Return where an installed function lies.

    :raises Misfit: it is no path.
    :raises FileNotFoundError: no function lies there.
    """
    if not isinstance(component, Path):
        raise Misfit(f"{type(component).__name__} is no path")
    if not (component / "function.json").is_file():
        raise FileNotFoundError(f"no function lies in {component}")
    return component


def _text(value: object) -> str:
    """Return a text that a component has.

    :raises Misfit: it is none.
    """
    if not isinstance(value, str):
        raise Misfit(f"{type(value).__name__} is no text")
    return str.__str__(value)


def _plain(facts: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """Return facts that are JSON, as a reader of it gets them.

    :raises TypeError: they are none.
    :raises ValueError: they hold themselves.
    """
    plain: dict[str, Any] = loads(dumps(facts))
    return plain


def _task(task: Any) -> dict[str, Any]:  # Any: a class of tasks, and JSON
    """Return a task's fields with the columns that each is read from, its output's fields and its metrics."""
    from functory.contracts.trust import TrustOutput

    inputs, outputs = task.Input.model_fields, task.Output.model_fields
    own = sorted(outputs, key=lambda name: name in TrustOutput.model_fields)  # what outputs have in common, last
    metric = _text(task.metric)
    return {
        "shorthand": [_text(name) for name in task.shorthand],
        "input": [_field(task.Input, name) for name in inputs],
        "gold": [_field(task.Example, name) for name in task.Example.model_fields if name not in inputs],
        "columns": {_text(field): [_text(name) for name in names] for field, names in task.columns.items()},
        "output": [_field(task.Output, name) for name in own],
        "metric": metric,
        "metrics": {_text(name): _text(what) for name, what in task.metrics.items()} or ({metric: ""} if metric else {}),
        "parts": {_text(name): _text(part) for name, part in task.parts.items()},
    }


def _suits(task: Any) -> list[dict[str, Any]]:  # Any: a class of tasks, and JSON
    """Return what the task is built with where the user names no backbone and no adaptation, with examples and without.

    Nothing for a task that is made of functions.
    """
    if task.parts:
        return []
    made, found = task(), []
    nothing = dict.fromkeys(("backbone", "adaptation", "multilingual", "multilingual_adaptation", "why"), "")
    for has_examples in (True, False):
        try:
            one = made.suits(has_examples=has_examples)
            told = {name: _text(getattr(one, name)) for name in nothing}
        except FunctoryError as error:
            told = nothing | {"why": _text(error.what)}
        found.append({"examples": has_examples, **told})
    return found


def _field(model: Any, name: str) -> dict[str, Any]:  # Any: a pydantic model class, and JSON
    """Return one field of a model: its name, its type in Python, what it is."""
    field = model.model_fields[name]
    return {
        "name": name,
        "type": type_name(field.annotation),
        "required": field.is_required(),
        "description": _text(field.description or ""),
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

"""What a server says of a function, and the function that is made of it here: the same task, the same types, the same labels."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functory_remote.errors import FunctionChanged, OtherServer
from functory_sdk import Kept, OptionError, complaint, load, reference_to

M = TypeVar("M", bound=BaseModel)
NAME = re.compile(r"[A-Za-z0-9][\w-]*", re.ASCII)
"""What a task may be called: its name goes to what loads components."""
WORDS = ("title", "description", "examples", "default")
"""What a schema says to people, or may say in two ways."""


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Maker(_Told):
    """Which distribution gave the task."""

    distribution: str = Field(default="", pattern="^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$")
    version: str = ""


class Shown(_Told):
    """A golden example."""

    input: dict[str, Any]
    output: dict[str, Any]


class Signature(_Told):
    """The types, as JSON Schemas."""

    input: dict[str, Any]
    output: dict[str, Any]
    shorthand: tuple[str, ...] = ()


class Card(_Told):
    """What a server says of a function."""

    name: str
    version: str
    task: str
    form: str
    summary: str = ""
    digest: str
    sha256: str = ""
    writes: bool
    tolerance: float = Field(ge=0)
    made_with: Maker
    options: dict[str, Any]
    state: dict[str, Any]
    signature: Signature
    metrics: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    licence: str = ""
    golden: tuple[Shown, ...] = ()


class Named(_Told):
    """What a function is served as."""

    name: str


class Listed(_Told):
    """What a server says of all."""

    functions: tuple[Named, ...]


def read(model: type[M], content: bytes, where: str) -> M:
    """Return what a server says.

    :raises OtherServer: when it says something else.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        what = f"what it says of its functions is not what this version reads: {complaint(error)}."
        do = "bring functory-serve there and functory-remote here to one version, or look at the URL."
        raise OtherServer(what, where=where, do=do) from None


def task_of(card: Card, where: str) -> tuple[Any, Any]:
    """Return a function's task, with its options, and its state, as they are there.

    :raises UnknownComponent: when the task's distribution is not installed here.
    :raises OtherServer: when it is one with other types.
    """
    if NAME.fullmatch(card.task) is None:
        raise OtherServer(f"{card.task!r} is no name of a task.", where=where)
    kind = load("tasks", reference_to("tasks", card.task, card.made_with.distribution, where=where), where=where)
    options = {name: value for name, value in card.options.items() if name not in kind.unsaid}
    try:
        task = kind.configure(options)
        state = task.State.model_validate(card.state)
        for one in card.golden:
            task.Output.model_validate(one.output)
    except OptionError as error:
        raise _other(card, kind, error.what, where) from error
    except ValidationError as error:
        raise _other(card, kind, f"{complaint(error)}.", where) from error
    here = {"input": task.Input.model_json_schema(), "output": task.output_schema(state)}
    for side, schema in here.items():
        there = getattr(card.signature, side)
        if typed(there) != typed(schema):
            raise _other(card, kind, f"the fields of its {side} differ: {told(there)} there, {told(schema)} here.", where)
    return task, state


def typed(schema: Any) -> Any:  # Any: JSON
    """Return what a schema says of types, without words for people."""
    if isinstance(schema, dict):
        # what is beneath "properties" are names, and one may be called "title"
        return {key: {name: typed(one) for name, one in value.items()} if key in ("properties", "$defs") else typed(value)
                for key, value in schema.items() if key not in WORDS}  # fmt: skip
    return [typed(one) for one in schema] if isinstance(schema, list) else schema


def check_same(before: Card, after: Card, where: str) -> None:
    """Refuse another function than the one that was loaded: another task, or other types.

    :raises FunctionChanged: saying what differs.
    """
    what = ""
    if (before.task, before.options) != (after.task, after.options):
        what = f"it was for {before.task}, and is for {after.task} with other options now."
    for side in ("input", "output"):
        old, new = (getattr(card.signature, side) for card in (before, after))
        if not what and typed(old) != typed(new):
            what = f"its {side} was {told(old)}, and is {told(new)} now."
    if what:
        raise FunctionChanged(f"another function is served there since it was loaded: {what}", where=where, do="load it again.")


def told(schema: dict[str, Any]) -> str:
    """Return a schema in a few words: its fields, each with what it may be where it is one of several."""
    fields = schema.get("properties", {})
    return ", ".join(f"{name}{_choices(part)}" for name, part in fields.items()) or "nothing"


def _choices(part: Any) -> str:
    values = part.get("enum") if isinstance(part, dict) else None
    if not isinstance(values, list):
        return ""
    return f" ({' | '.join(map(str, values[:10]))}{' …' if len(values) > 10 else ''})"


def _other(card: Card, kind: Any, what: str, where: str) -> OtherServer:
    here, there = Kept.of_component(kind.configure()), card.made_with
    versions = [f"{one.distribution or 'no distribution'} {one.version}".strip() for one in (there, here)]
    said = f"the task {card.task!r} of the server and the one here are two: {what}"
    return OtherServer(said, where=where, do=f"bring them to one version: {versions[0]} is there, {versions[1]} here.")

"""Reads what a caller gives as a task's Input: arguments as Python hands them over, and items of a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from functory.contracts.component import complaint
from functory.contracts.task import Input, Task
from functory.errors import InputError


def arguments(task: Task[Any], args: Sequence[Any], kwargs: Mapping[str, Any], call: str) -> Input:
    """Return the arguments of a call as an Input: without a name they are the task's shorthand, in its order.

    :param call: how the function is called, for the remedy: ``sentiment(text: str) -> Classification``.
    :raises InputError: when they do not make one.
    """
    if len(args) == 1 and not kwargs and isinstance(args[0], task.Input):
        return args[0]
    names = task.shorthand
    if len(args) > len(names):
        name = call.partition("(")[0]
        raise InputError(
            f"{name} takes {len(names)} positional arguments; {len(args)} were given.", do=f"call it as {call}."
        )
    placed = dict(zip(names, args, strict=False))
    twice = next((name for name in placed if name in kwargs), "")
    if twice:
        raise InputError(f"{twice} was given twice, by its place and by its name.", do=f"call it as {call}.")
    return _validated(task, {**placed, **kwargs}, call)


def item(task: Task[Any], value: Any, call: str) -> Input:  # Any: what users put into lists
    """Return one item as an Input: a text, a tuple or a dict of fields, an Input, or an Example without its answer.

    :param call: as `arguments` takes it.
    :raises InputError: when it does not make one.
    """
    if isinstance(value, task.Input):
        return task.Input.model_construct(**{name: getattr(value, name) for name in task.Input.model_fields})
    if isinstance(value, dict):
        return _validated(task, value, call)
    return arguments(task, value if isinstance(value, tuple) else (value,), {}, call)


def _validated(task: Task[Any], fields: Mapping[str, Any], call: str) -> Input:
    try:
        return task.Input.model_validate(fields)
    except ValidationError as error:
        raise InputError(f"{complaint(error)}.", do=f"call {call}.") from None  # it says all that pydantic's says

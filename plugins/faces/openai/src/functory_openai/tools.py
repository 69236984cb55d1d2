"""Functions as tools of a model that OpenAI's clients speak to, here or elsewhere: what it is told of them, and their answers to
its calls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from functory_sdk import Function, FunctoryError, InputError, purpose


def tool(function: Function, name: str = "") -> dict[str, Any]:  # Any: JSON
    """Return a function as a tool of a request, whose arguments are the fields of its input.

    :param name: the function's own when empty; what no tool's name may hold becomes ``_``.
    """
    called = re.sub(r"[^A-Za-z0-9_-]", "_", name or function.name)[:64]
    own = {"name": called, "description": purpose(function), "parameters": function.signature["input"]}
    return {"type": "function", "function": own}


def called(message: Any, functions: Mapping[str, Function]) -> list[dict[str, Any]]:  # Any: the client's message, or its JSON
    """Return what functions answer to a message that calls them: for each call a message of the role ``tool``, whose content is
    the output's JSON, the same bytes as everywhere; what is wrong with a call is told there too.

    :param functions: by the names of their tools.
    """
    calls = _field(message, "tool_calls") or ()
    return [{"role": "tool", "tool_call_id": _field(one, "id"), "content": _answer(one, functions)} for one in calls]


def _answer(call: Any, functions: Mapping[str, Function]) -> str:
    asked = _field(call, "function")
    name, arguments = _field(asked, "name"), _field(asked, "arguments")
    try:
        if name not in functions:
            raise InputError(f"there is no function {name!r}.", do=f"there are: {', '.join(functions)}.")
        return str(functions[name](**_fields(arguments)).json())
    except FunctoryError as error:
        return json.dumps(error.as_json(), ensure_ascii=False)


def _fields(arguments: str) -> dict[str, Any]:
    """Return the fields that a call's arguments write.

    :raises InputError: when they are no JSON object.
    """
    try:
        found = json.loads(arguments)
    except ValueError as error:
        raise InputError(f"the arguments are no JSON: {error}.", do="write an object of the function's fields.") from None
    if not isinstance(found, dict):
        raise InputError("the arguments are no JSON object.", do="write an object of the function's fields.")
    return found


def _field(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)

"""What a function is to an assistant: a tool with its schemas, a card to read, an output, an error. Pure translation."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import mcp_types as types

from functory_sdk import Function, card, purpose

ADDRESS = "functory://functions/"
"""What the addresses of cards begin with."""
MEDIUM = "application/json"
FAULT = "functory/error"
"""Under which the result of a call that failed keeps what, where and do, each by itself."""


def named(functions: Mapping[str, Function]) -> dict[str, str]:
    """Return the name of each tool, and the function that it is. A tool's name has letters, digits, ``_``, ``-`` and ``.``."""
    found: dict[str, str] = {}
    for name in functions:
        told = short = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:120]
        number = 1
        while told in found:
            number += 1
            told = f"{short}_{number}"
        found[told] = name
    return found


def tool(told: str, function: Function) -> types.Tool:
    """Return a function as a tool, whose arguments are the fields of its input.

    :param told: the tool's name.
    """
    own = function.signature
    hints = types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    return types.Tool(
        name=told, title=function.name, description=purpose(function), input_schema=own["input"],
        output_schema=own["output"], annotations=hints,
    )  # fmt: skip


def resource(name: str, function: Function) -> types.Resource:
    """Return where a function's card is read."""
    what = f"What {name} takes and gives, what it was measured at, and examples."
    return types.Resource(uri=ADDRESS + name, name=name, title=f"The card of {name}", description=what, mime_type=MEDIUM)


def contents(name: str, function: Function) -> types.ReadResourceResult:
    """Return a function's card."""
    text = json.dumps(card(name, function), ensure_ascii=False, indent=1)
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=ADDRESS + name, mime_type=MEDIUM, text=text)])


def result(output: bytes) -> types.CallToolResult:
    """Return an output: its JSON as text, byte for byte as everywhere, and the same as structure.

    :param output: its JSON.
    """
    text = output.decode()
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=json.loads(text))


def failure(told: Mapping[str, str]) -> types.CallToolResult:
    """Return what is wrong with a call, for the model that made it.

    :param told: ``error``, ``what`` and, where there are such, ``where`` and ``do``.
    """
    lines = [f"{told['error']}: {told['what']}", *(f"{name}: {told[name]}" for name in ("where", "do") if told.get(name))]
    return types.CallToolResult(content=[types.TextContent(text="\n".join(lines))], is_error=True, _meta={FAULT: dict(told)})


def unknown(what: str, name: str, names: Any) -> str:  # Any: names, to be listed
    """Return what is told of a name that is none here."""
    return f"there is no {what} {name!r} here; there are: {', '.join(names) or 'none'}."

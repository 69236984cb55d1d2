"""Tools that a model may call: what it is told of them, the guide that holds it to their schemas, and the call that it wrote.

A call is JSON alone, ``{"name": …, "arguments": {…}}``. Where a model may also answer in words, its first character decides: what
begins with a brace is a call.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from functory_sdk import Guide, InputError, OptionError, bounded
from functory_sdk.guides.walks import STYLE

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
Choice = Literal["none", "auto", "required"]


@dataclass(frozen=True)
class Tool:
    """A function that may be called, as a request describes it.

    :param parameters: the JSON Schema of its arguments.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]

    @property
    def beginning(self) -> str:
        """What a call of it begins with, up to its arguments."""
        return f'{{"name": {json.dumps(self.name)}, "arguments": '


@dataclass(frozen=True)
class Calling:
    """Which tools may be called, and whether one must be.

    :param tools: those that may; none where no call is wanted.
    :param is_needed: whether words are no answer.
    """

    tools: tuple[Tool, ...] = ()
    is_needed: bool = False

    @property
    def told(self) -> str:
        """What a model is told of its tools; empty where it has none."""
        if not self.tools:
            return ""
        how = 'To call one, answer with JSON alone: {"name": "NAME", "arguments": {…}}.'
        lines = ["You can call these functions:", *(json.dumps(asdict(one), ensure_ascii=False) for one in self.tools), how]
        return "\n".join(lines if self.is_needed else [*lines, "Where none of them helps, answer in words."])

    @property
    def guide(self) -> dict[str, Any]:
        """What the answer must be: a call, or words that do not look like one."""
        schema = self._schema()
        if self.is_needed:
            return {"json_schema": schema}
        held = bounded(Guide(json_schema=schema)).guide.json_schema or {}
        call = json.dumps({**held, "x-guidance": STYLE}, ensure_ascii=True)
        return {"grammar": f"start: words | call\nwords: /[^{{](.|\\n)*/\ncall: %json {call}\n"}

    def _schema(self) -> dict[str, Any]:
        """Return the schema of a call; what the tools' schemas define lies under their names."""
        defined: dict[str, Any] = {}
        calls = []
        for one in self.tools:
            own = dict(one.parameters)
            for key, value in (own.pop("$defs", None) or {}).items():
                defined[f"{one.name}.{key}"] = _placed(value, one.name)
            arguments = _placed({"type": "object", "properties": {}, **own}, one.name)
            fields = {"name": {"const": one.name}, "arguments": arguments}
            calls.append({"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False})
        whole = {"anyOf": calls} if len(calls) > 1 else calls[0]
        return {**whole, "$defs": defined} if defined else whole


def calling(tools: Sequence[Mapping[str, Any]], choice: Any) -> Calling:  # Any: JSON
    """Return which of a request's tools may be called.

    :param choice: ``none``, ``auto``, ``required``, a tool by its name, or None for auto.
    :raises InputError: for a tool that is none, and a choice of one that is not there.
    """
    read = tuple(_tool(one, f"tools[{place}]") for place, one in enumerate(tools))
    twice = next((one.name for place, one in enumerate(read) if one.name in [other.name for other in read[:place]]), None)
    if twice is not None:
        raise InputError(f"two tools are called {twice!r}.", where="tools", do="give each a name of its own.")
    if isinstance(choice, Mapping):
        name = (choice.get("function") or {}).get("name") if choice.get("type") == "function" else None
        chosen = tuple(one for one in read if one.name == name)
        if not chosen:
            do = f"there are: {', '.join(one.name for one in read)}."
            raise InputError(f"tool_choice names {name!r}, which is no tool of this request.", where="tool_choice", do=do)
        return Calling(chosen, is_needed=True)
    if choice == "required" and not read:
        raise InputError("a tool must be called, and there are none.", where="tool_choice", do="give tools.")
    return Calling() if choice == "none" else Calling(read, is_needed=choice == "required")


def _tool(one: Mapping[str, Any], where: str) -> Tool:
    """Return a tool of a request.

    :raises InputError: when it is none.
    :raises OptionError: for a kind of tool that is not held here.
    """
    if one.get("type") != "function":
        what = f"a tool of the type {one.get('type')!r} is not held here."
        raise OptionError(what, where=where, do="functions are.", field="tools")
    own = one.get("function")
    name = own.get("name") if isinstance(own, Mapping) else None
    if not isinstance(own, Mapping) or not isinstance(name, str) or NAME.fullmatch(name) is None:
        do = "a name has up to 64 letters, digits, _ and -."
        raise InputError("this tool has no name.", where=f"{where}.function.name", do=do)
    parameters = own.get("parameters") or {}
    if not isinstance(parameters, Mapping) or parameters.get("type", "object") != "object":
        what, where = "a tool's parameters are the JSON Schema of an object.", f"{where}.function.parameters"
        raise InputError(what, where=where, do='say {"type": "object", "properties": {…}}.')
    return Tool(name, str(own.get("description") or ""), dict(parameters))


def _placed(schema: Any, name: str) -> Any:  # Any: JSON
    """Return a schema whose references lead to its own definitions where they stand in the whole.

    :raises InputError: for a reference that leads elsewhere.
    """
    if isinstance(schema, list):
        return [_placed(one, name) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {key: _placed(value, name) for key, value in schema.items()}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if not reference.startswith("#/$defs/"):
            what = f"the schema of {name} refers to {reference!r}."
            raise InputError(what, where="tools", do="let its references lead to its own $defs.")
        made["$ref"] = f"#/$defs/{name}.{reference.removeprefix('#/$defs/')}"
    return made


def written(name: str, arguments: Any) -> str:  # Any: JSON
    """Return a call as a guide has it written."""
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


class Hearing:
    """Reads an answer as it comes: words, or a call of a tool.

    :param calling: which calls there may be; without tools all is words.
    """

    def __init__(self, calling: Calling) -> None:
        self._calling = calling
        self._text = ""
        self._said = 0
        self.tool: Tool | None = None
        """What is called, once that is known."""

    def take(self, piece: str) -> list[dict[str, Any]]:
        """Return what a further piece adds to the message, as streamed messages have it."""
        self._text += piece
        if not self._calling.tools or (self._text and not self._text.startswith("{")):
            return [{"content": piece}] if piece else []
        if self.tool is None:
            self.tool = next((one for one in self._calling.tools if self._text.startswith(one.beginning)), None)
            if self.tool is None:
                return []
            begun = {"name": self.tool.name, "arguments": ""}
            identity = f"call_{os.urandom(12).hex()}"
            return [_delta(id=identity, type="function", function=begun), *self._arguments(self.tool)]
        return self._arguments(self.tool)

    def end(self) -> list[dict[str, Any]]:
        """Return what is left when the answer has ended: what began like a call, and is none, is words."""
        is_silent = bool(self._calling.tools) and self.tool is None and self._text.startswith("{")
        return [{"content": self._text}] if is_silent else []

    def _arguments(self, tool: Tool) -> list[dict[str, Any]]:
        """Return what is new of the arguments; the last brace of the text is the call's own."""
        whole = self._text[len(tool.beginning) : -1]
        new, self._said = whole[self._said :], max(self._said, len(whole))
        return [_delta(function={"arguments": new})] if new else []


def _delta(**said: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, **said}]}


def joined(deltas: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the message that streamed parts are together."""
    words = "".join(one["content"] for one in deltas if "content" in one)
    calls = [one["tool_calls"][0] for one in deltas if "tool_calls" in one]
    if not calls:
        return {"role": "assistant", "content": words, "refusal": None}
    arguments = "".join(one["function"]["arguments"] for one in calls)
    call = {"id": calls[0]["id"], "type": "function", "function": {"name": calls[0]["function"]["name"], "arguments": arguments}}
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}

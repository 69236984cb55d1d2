"""A conversation as a function reads it: turns and what is told before them; for a function of another task the one text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from functory_sdk import Function, InputError, NotSupported

SYSTEM = ("system", "developer")
ROLES = (*SYSTEM, "user", "assistant", "tool")


def converses(function: Function) -> bool:
    """Return whether a function reads turns, and not one text alone."""
    return "turns" in function.task.Input.model_fields


def hears(function: Function) -> bool:
    """Return whether a function takes what is told before the first turn."""
    return "system" in function.task.Input.model_fields


def input_of(function: Function, messages: Sequence[Mapping[str, Any]], told: str = "") -> dict[str, Any]:
    """Return a function's input, by its fields, that messages are.

    :param told: what the function is to know besides: which tools it may call.
    :raises InputError: for a message that is none, or one that cannot be answered.
    :raises NotSupported: for messages that the function does not take.
    """
    read = [_message(one, f"messages[{place}]") for place, one in enumerate(messages)]
    system = "\n\n".join(filter(None, (*(text for role, text in read if role in SYSTEM), told)))
    late = next((place for place in range(1, len(read)) if read[place][0] in SYSTEM and read[place - 1][0] not in SYSTEM), None)
    if late is not None:
        raise NotSupported("a system message comes before all others here.", where=f"messages[{late}]", do="put it first.")
    if system and not hears(function):
        what = f"{function.name} takes no system message, and no tools: it is a function of the task {function.task.name!r}."
        raise NotSupported(what, where="messages", do="say it in the user's message, or build a function of the task 'dialogue'.")
    turns = _turns(read)
    if converses(function):
        return {"turns": turns, **({"system": system} if system else {})}
    if len(turns) > 1:
        what = f"{function.name} answers one message, and there are {len(turns)}."
        raise NotSupported(what, where="messages", do="send the last one, or build a function of the task 'dialogue'.")
    return fields_of(function, turns[0]["content"], "messages")


def fields_of(function: Function, text: str, where: str) -> dict[str, Any]:
    """Return a text as the fields of a function's input: its own one, or those that it writes as a JSON object.

    :param where: it stands.
    :raises NotSupported: for a function of several fields, where the text writes none.
    """
    names = function.task.shorthand
    if len(names) == 1:
        return {names[0]: text}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    what = f"{function.name} takes several fields, and not one text: {', '.join(names)}."
    raise NotSupported(what, where=where, do="write them as a JSON object.")


def _turns(read: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return messages as turns: what tools gave is told in the user's place, all of it in one turn.

    :raises InputError: where two of one speaker follow one another, where there are none, or the last is the assistant's own.
    """
    turns: list[dict[str, str]] = []
    before = ""
    for place, (role, text) in enumerate(read):
        speaker = "user" if role == "tool" else role
        if role in SYSTEM:
            continue
        if role == "tool" and before == "tool":
            turns[-1]["content"] += f"\n{text}"
        elif turns and turns[-1]["role"] == speaker:
            what = f"two messages of the {speaker} follow one another: user and assistant take turns here."
            raise InputError(what, where=f"messages[{place}]", do="join them.")
        else:
            turns.append({"role": speaker, "content": text})
        before = role
    if not turns or turns[-1]["role"] == "assistant":
        raise InputError("the last message is nobody's to answer.", where="messages", do="end with a user's message.")
    return turns


def _message(one: Mapping[str, Any], where: str) -> tuple[str, str]:
    """Return a message's role, and its text.

    :raises InputError: when it is none.
    """
    role = one.get("role")
    if role not in ROLES:
        raise InputError(f"{role!r} is no role.", where=f"{where}.role", do=f"the roles are: {', '.join(ROLES)}.")
    calls = one.get("tool_calls") or ()
    if role == "assistant" and calls:
        said = [_text(one["content"], where)] if one.get("content") else []
        return role, "\n".join([*said, *(_call(call, f"{where}.tool_calls") for call in calls)])
    return role, _text(one.get("content"), where)


def _text(content: Any, where: str) -> str:  # Any: JSON
    """Return the text of a message: a text, or parts that are texts.

    :raises InputError: for anything else.
    """
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list) or not parts:
        raise InputError("a message has no content.", where=where, do='say {"role": …, "content": "…"}.')
    for part in parts:
        if not isinstance(part, Mapping) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            kind = part.get("type") if isinstance(part, Mapping) else part
            raise InputError(f"content of the type {kind!r} is not read here.", where=where, do="send text.")
    return "".join(part["text"] for part in parts)


def _call(call: Any, where: str) -> str:  # Any: JSON
    """Return a call of a tool as its model wrote it.

    :raises InputError: when it is none.
    """
    from functory_openai.calling import written

    try:
        return written(str(call["function"]["name"]), json.loads(call["function"]["arguments"]))
    except (TypeError, KeyError, ValueError):
        do = 'say {"id": …, "type": "function", "function": {"name": …, "arguments": "{…}"}}.'
        raise InputError("this is no call of a tool.", where=where, do=do) from None

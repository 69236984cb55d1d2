"""What stands of these routes on the OpenAPI page: requests as their fields say, with the names of the functions that answer,
and the answers' shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functory_openai.embeddings import embeds
from functory_openai.messages import ROLES
from functory_openai.models import is_usable, is_writer
from functory_openai.places import CHAT, COMPLETIONS, EMBEDDINGS, MODELS
from functory_openai.requests import DECODING, NEUTRAL, SILENT, Chatting, Completing, Embedding
from functory_sdk import Decoding, Function, Options
from functory_sdk.openapi import answer, events, placed, sent

Json = dict[str, Any]  # Any: JSON
TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
NOTHING: Json = {"type": "null"}
FINISHES = ["stop", "length", "tool_calls"]
ERROR: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {
        "type": "object",
        "description": "What is wrong, in these clients' words and in functory's own.",
        "required": ["message", "type", "code", "param"],
        "properties": {
            "message": TEXT, "type": TEXT, "param": {"type": ["string", "null"], "description": "The field that is wrong."},
            "code": {"type": ["string", "null"]}, "what": TEXT, "where": TEXT, "do": TEXT,
            "request": {"type": "string", "description": "The request's id, which the log has too."},
        },
    }},
}  # fmt: skip


def described(functions: Mapping[str, Function]) -> Json:
    """Return the paths that functions answer, and the schemas that they refer to.

    :param functions: those that the reader may use, by name.
    """
    writing = [name for name, one in functions.items() if is_writer(one)]
    giving = [name for name, one in functions.items() if embeds(one)]
    usable = [name for name, one in functions.items() if is_usable(one)]
    schemas: Json = {"OpenAI.Error": ERROR, "OpenAI.Model": MODEL}
    paths: Json = {MODELS: {"get": _got("The functions that these clients can use", "openai_models", _list("OpenAI.Model"))}}
    if usable:
        named = {"name": "model", "in": "path", "required": True, "schema": {"enum": usable}}
        told = _got("One of them", "openai_model", _at("OpenAI.Model"))
        paths[f"{MODELS}/{{model}}"] = {"get": {**told, "parameters": [named]}}
    if writing:
        schemas |= {
            "OpenAI.Chat": _request(Chatting, "OpenAI.Chat", writing, {"messages": MESSAGES, "tools": TOOLS}),
            "OpenAI.Completion": _request(Completing, "OpenAI.Completion", writing),
            "OpenAI.Message": _answers("chat.completion", {"message": MESSAGE}),
            "OpenAI.MessagePart": _answers("chat.completion.chunk", {"delta": {"type": "object"}}),
            "OpenAI.Text": _answers("text_completion", {"text": TEXT}),
            "OpenAI.TextPart": _answers("text_completion", {"text": TEXT}),
        }
        asks = {"model": writing[0], "messages": [{"role": "user", "content": "Name three primary colours."}], "max_tokens": 16}
        what = "The next message of a conversation"
        paths[CHAT] = {"post": _written(what, "openai_chat", "OpenAI.Chat", "OpenAI.Message", asks)}
        asks = {"model": writing[0], "prompt": "Name three primary colours.", "max_tokens": 16}
        what = "The texts that go with prompts"
        paths[COMPLETIONS] = {"post": _written(what, "openai_completion", "OpenAI.Completion", "OpenAI.Text", asks)}
    if giving:
        schemas |= {"OpenAI.Embedding": _request(Embedding, "OpenAI.Embedding", giving), "OpenAI.Vector": VECTOR}
        asks = {"model": giving[0], "input": ["the first text", "the second"]}
        told = {"200": answer("A vector for each text, in their order.", _list("OpenAI.Vector", usage=USAGE)), **_wrong()}
        paths[EMBEDDINGS] = {"post": {"operationId": "openai_embeddings", "summary": "Texts as vectors",
                                      "requestBody": sent(_at("OpenAI.Embedding"), asks), "responses": told}}  # fmt: skip
    return {"paths": paths, "components": {"schemas": schemas}}


def _request(kind: type[Options], place: str, names: Sequence[str], more: Mapping[str, Json] | None = None) -> Json:
    """Return the schema of a request: its fields; those that say nothing; those that are not held, with the values that change
    nothing. A null is a field that is not there.

    :param names: of the functions that answer it.
    :param more: what is said better of some fields.
    """
    schema = kind.model_json_schema()
    decoding = Decoding.model_json_schema()
    fields = schema["properties"]
    for name in fields.keys() & {*DECODING} - {"guide", "control", "stop"}:
        fields[name] = {**decoding["properties"][name], "description": fields[name]["description"]}
        fields[name].pop("default", None)  # is the function's own
    for name in fields.keys() & {"max_tokens", "max_completion_tokens"}:
        fields[name] = {**decoding["properties"]["max_new_tokens"], "description": fields[name]["description"]}
        fields[name].pop("default", None)
    if "stop" in fields:
        one = {"type": "string", "minLength": 1}
        fields["stop"] = {**fields["stop"], "anyOf": [one, {"type": "array", "items": one, "maxItems": 64}]}
    for name, said in (more or {}).items():
        if name in fields:
            fields[name] = {**fields[name], **said}
    for name, field in fields.items():
        if name not in schema.get("required", ()):
            fields[name] = _or_nothing(field)
    fields["model"] = {**fields["model"], "enum": list(names)}
    fields |= {name: {"description": "Read over: it says nothing of the answer."} for name in sorted(SILENT)}
    for name, (taken, do) in NEUTRAL.items():
        if name not in kind.model_fields:
            fields[name] = {"enum": [*taken, None], "description": f"Not held, but for what changes nothing: {do}"}
    found: Json = placed(schema, place)
    return found


def _or_nothing(schema: Json) -> Json:
    """Return a field's schema that allows null."""
    about: Json = {key: schema[key] for key in ("description", "default") if key in schema}
    rest = {key: value for key, value in schema.items() if key not in about}
    ways = rest.get("anyOf") if rest.keys() <= {"anyOf", "title"} else None
    return {**about, "anyOf": [one for one in ways or [rest] if one != NOTHING] + [NOTHING]}


def _answers(kind: str, choice: Mapping[str, Json]) -> Json:
    """Return the schema of an answer, or of a part of it.

    :param choice: what each of its choices holds besides.
    """
    fields = {"index": COUNT, "finish_reason": {"enum": [*FINISHES, None]}, "logprobs": {"type": ["object", "null"]}, **choice}
    choices = {"type": "array", "items": {"type": "object", "required": [*fields], "properties": fields}}
    return {
        "type": "object",
        "required": ["id", "object", "created", "model", "choices"],
        "properties": {"id": TEXT, "object": {"const": kind}, "created": COUNT, "model": TEXT, "choices": choices,
                       "usage": {"anyOf": [USAGE, NOTHING]}},
    }  # fmt: skip


def _written(summary: str, operation: str, given: str, back: str, example: Json) -> Json:
    """Return the operation of a route that writes."""
    content = {**sent(_at(back))["content"], **events(_at(f"{back}Part"), "A part of the answer.", "[DONE]")}
    told = {"200": {"description": "The answer; with stream = true as events.", "content": content}, **_wrong()}
    return {"operationId": operation, "summary": summary, "requestBody": sent(_at(given), example), "responses": told}


def _got(summary: str, operation: str, schema: Json) -> Json:
    return {"operationId": operation, "summary": summary, "responses": {"200": answer("As asked.", schema), **_wrong()}}


def _wrong() -> Json:
    """Return the answers that say what is wrong: ours, and those of the server's borders."""
    return {"default": answer("What is wrong, and what to do.", _at("OpenAI.Error"), is_problem=True)}


def _list(each: str, **more: Json) -> Json:
    fields = {"object": {"const": "list"}, "data": {"type": "array", "items": _at(each)}, **more}
    return {"type": "object", "required": ["object", "data", *more], "properties": fields}


def _at(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


USAGE: Json = {
    "type": "object", "required": ["prompt_tokens", "total_tokens"],
    "properties": {"prompt_tokens": COUNT, "completion_tokens": COUNT, "total_tokens": COUNT},
}  # fmt: skip
MODEL: Json = {
    "type": "object", "required": ["id", "object", "created", "owned_by"],
    "properties": {"id": TEXT, "object": {"const": "model"}, "created": COUNT, "owned_by": TEXT},
}  # fmt: skip
VECTOR: Json = {
    "type": "object", "required": ["object", "index", "embedding"],
    "properties": {
        "object": {"const": "embedding"}, "index": COUNT,
        "embedding": {"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string", "contentEncoding": "base64"}]},
    },
}  # fmt: skip
_PART: Json = {"type": "object", "required": ["type", "text"], "properties": {"type": {"const": "text"}, "text": TEXT}}
MESSAGES: Json = {"items": {
    "type": "object", "required": ["role"],
    "properties": {"role": {"enum": [*ROLES]}, "content": {"anyOf": [TEXT, {"type": "array", "minItems": 1, "items": _PART}]}},
    "if": {"properties": {"role": {"const": "assistant"}}}, "else": {"required": ["content"]},
}}  # fmt: skip
TOOLS: Json = {"items": {
    "type": "object", "required": ["type", "function"],
    "properties": {
        "type": {"const": "function"},
        "function": {
            "type": "object", "required": ["name"],
            "properties": {"name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}, "parameters": {"type": "object"}},
        },
    },
}}  # fmt: skip
MESSAGE: Json = {
    "type": "object", "required": ["role", "content"],
    "properties": {"role": {"const": "assistant"}, "content": {"type": ["string", "null"]}, "refusal": NOTHING,
                   "tool_calls": {"type": "array", "items": {"type": "object"}}},
}  # fmt: skip

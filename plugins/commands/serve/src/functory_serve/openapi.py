"""The OpenAPI page: each function with its own schemas, its labels as enumerations, and its golden examples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from functory_sdk import Attribution, Face, Function, entries, message_of, tell
from functory_sdk.openapi import placed

VERSION = "3.1.0"
EXAMPLES = 3
"""Golden examples that stand on the page, of each function."""
LONGEST = 500
"""Characters of an example that is shown."""
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PROBLEM = {
    "type": "object",
    "description": "What happened, where, and what to do (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "error": {"type": "string"},
        "what": {"type": "string"},
        "where": {"type": "string"},
        "do": {"type": "string"},
        "request": {"type": "string", "description": "The request's id, which the log has too."},
    },
    "required": ["type", "title", "status", "detail", "error", "what", "request"],
}
REFUSALS = {
    "400": "The body is no JSON, or no UTF-8.",
    "401": "No token lets the request in, where tokens are needed.",
    "403": "The request comes from a page of another site.",
    "404": "There is no such function, or none for this token.",
    "408": "The body did not come in time.",
    "413": "The body, a text in it or the list is too long.",
    "415": "The body is of another medium, or compressed.",
    "421": "The server does not go by the host that the request names.",
    "422": "The input does not fit the function.",
    "429": "There is more to do than can be done in time. Retry-After says when to try again.",
    "500": "The function failed.",
    "503": "The server is draining, or the function gave no answer.",
    "504": "The time of the request ran out.",
}


def page(functions: Mapping[str, Function], version: str) -> dict[str, Any]:  # Any: JSON
    """Return the page of several functions, by the names under which they are served."""
    schemas: dict[str, Any] = {"Problem": PROBLEM, "Attribution": placed(Attribution.model_json_schema(), "Attribution")}
    paths: dict[str, Any] = {}
    for name, function in functions.items():
        own = function.signature
        key = name.replace("@", "_")
        schemas[f"{key}.Input"] = placed(own["input"], f"{key}.Input")
        schemas[f"{key}.Output"] = placed(own["output"], f"{key}.Output")
        paths[f"/v1/functions/{name}"] = {"get": _card(name), "post": _call(name, key, function)}
        paths[f"/v1/functions/{name}/explain"] = {"post": _explain(name, key)}
        if function.form.is_streamed:
            paths[f"/v1/functions/{name}/stream"] = {"post": _stream(name, key)}
    paths["/v1/functions"] = {"get": _get("List the functions", "list")}
    paths["/v1/reload"] = {"post": _reload()}
    page = {"text/html": {"schema": {"type": "string"}}}
    paths["/docs"] = {"get": _told("Tell people of all this", "docs", {"description": "A page.", "content": page})}
    paths["/healthz"] = {"get": _told("Is the server alive?", "health", _json({"type": "object"}, "It is."))}
    ready = _told("Does every function answer as it should?", "ready", _json({"type": "object"}, "It does."))
    ready["responses"]["503"] = _json({"type": "object"}, "It does not, or not yet.")
    paths["/readyz"] = {"get": ready}
    measured = {"description": "What was measured.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    paths["/metrics"] = {"get": _told("Tell Prometheus what was measured", "metrics", measured, "401")}
    return {
        "openapi": VERSION,
        "info": {"title": "functory", "version": version, "description": "Functions with language models inside."},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def add(page: dict[str, Any], face: Face, paths: Sequence[str], functions: Mapping[str, Function]) -> None:
    """Put what a face says of itself onto the page: what lies at its own paths, and schemas that are not there yet. One that
    fails to say it is told, and stands there without.

    :param paths: where it answers.
    """
    try:
        told = face.described(functions)
        own = {path: one for path, one in told.get("paths", {}).items() if _is_below(path, paths)}
        schemas = dict(told.get("components", {}).get("schemas", {}))
        own, schemas = json.loads(json.dumps([own, schemas]))  # the page's own from here on
        _named(own, face.name)
    except Exception as error:  # of a stranger's: the page is there for all others
        tell(f"functory serve: the face {face.name} stands on no OpenAPI page: {message_of(error)}")
        return
    page["paths"] |= own
    page["components"]["schemas"] = {**schemas, **page["components"]["schemas"]}


def _named(paths: Mapping[str, Any], name: str) -> None:
    """Let operations be found: by the face, and each by an id of its own."""
    for number, operations in enumerate(paths.values()):
        for method, told in operations.items():
            if method in METHODS:
                told.setdefault("tags", [name])
                told.setdefault("operationId", f"{name}_{method}_{number}")


def _is_below(path: str, paths: Sequence[str]) -> bool:
    return any(path.rstrip("/") == one or path.startswith(f"{one}/") for one in paths)


def _call(name: str, key: str, function: Function) -> dict[str, Any]:
    given, back = f"#/components/schemas/{key}.Input", f"#/components/schemas/{key}.Output"
    one = [{"$ref": given}, {"type": "string"}] if len(function.task.shorthand) == 1 else [{"$ref": given}]
    golden = [one for one in function.golden if len(str(one.value)) <= LONGEST][:EXAMPLES]
    examples = {f"golden {number}": {"value": one.value} for number, one in enumerate(golden, 1)}
    outputs = {f"golden {number}": {"value": one.output} for number, one in enumerate(golden, 1)}
    body = {"schema": {"anyOf": [*one, {"type": "array", "items": {"anyOf": one}}]}, **_examples(examples)}
    lines = {"schema": {"type": "string", "description": "An input a line, as JSON."}}
    answer = {"schema": {"anyOf": [{"$ref": back}, {"type": "array", "items": {"$ref": back}}]}, **_examples(outputs)}
    return {
        "operationId": f"call_{key}",
        "summary": f"{name}: {type(function.task).summary()}",
        "requestBody": {"required": True, "content": {"application/json": body, "application/x-ndjson": lines}},
        "responses": {"200": {"description": "The output, or one for each input.", "content": {
            "application/json": answer, "application/x-ndjson": {"schema": {"type": "string"}}}}}
        | {status: _problem(what) for status, what in REFUSALS.items()},
    }


def _explain(name: str, key: str) -> dict[str, Any]:
    given = {"anyOf": [{"$ref": f"#/components/schemas/{key}.Input"}, {"type": "string"}]}
    methods = sorted(entry.name for entry in entries("explanations"))
    asked = {"method": ("The explanation's name: occlusion, when left out.", {"enum": methods}),
             "target": ("Which label, span or token; the first when left out.", {})}  # fmt: skip
    options = [{"name": one, "in": "query", "description": what, "schema": {"type": "string", **more}}
               for one, (what, more) in asked.items()]  # fmt: skip
    attribution = {"$ref": "#/components/schemas/Attribution"}
    return {
        "operationId": f"explain_{key}",
        "summary": f"Say why {name} answers as it does: the weight of each word",
        "parameters": options,
        "requestBody": {"required": True, "content": {"application/json": {"schema": given}}},
        "responses": {"200": _json(attribution, "The weights, with their faithfulness.")}
        | {status: _problem(what) for status, what in REFUSALS.items()},
    }


def _stream(name: str, key: str) -> dict[str, Any]:
    given = {"anyOf": [{"$ref": f"#/components/schemas/{key}.Input"}, {"type": "string"}]}
    event = {
        "type": "object",
        "properties": {
            "event": {"enum": ["message", "done", "error"], "description": "A piece is a message without a name; others end it."},
            "data": {"type": "string", "contentMediaType": "application/json",
                     "description": 'The "piece"; of done, why it "finish"ed; of error, a Problem.'},
        },
        "required": ["data"],
    }  # fmt: skip
    events = {"text/event-stream": {"schema": event}}
    return {
        "operationId": f"stream_{key}",
        "summary": f"Write by {name}, piece by piece",
        "requestBody": {"required": True, "content": {"application/json": {"schema": given}}},
        "responses": {"200": {"description": "The pieces, then why the text ended.", "content": events}}
        | {status: _problem(what) for status, what in REFUSALS.items()},
    }


def _examples(examples: Mapping[str, Any]) -> dict[str, Any]:
    return {"examples": dict(examples)} if examples else {}


def _card(name: str) -> dict[str, Any]:
    answer = _json({"type": "object"}, "As asked.")
    summary = f"Tell about {name}: schemas, metrics, golden examples"
    return _told(summary, f"card_{name.replace('@', '_')}", answer, "401", "404")


def _get(summary: str, operation: str) -> dict[str, Any]:
    return _told(summary, operation, _json({"type": "object"}, "As asked."), "401")


def _reload() -> dict[str, Any]:
    answer = _json({"type": "object"}, "What came of each: the version that answers now, or why the former one does still.")
    told = _told("Take in each function as it is saved now", "reload", answer, "401")
    refused = "The request comes from a page of another site, or from whom nothing lets reload."
    return {**told, "responses": {**told["responses"], "403": _problem(refused)}}


def _told(summary: str, operation: str, answer: Mapping[str, Any], *refusals: str) -> dict[str, Any]:
    problems = {status: _problem(REFUSALS[status]) for status in (*refusals, "421")}
    return {"operationId": operation, "summary": summary, "responses": {"200": dict(answer), **problems}}


def _json(schema: Mapping[str, Any], what: str) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": dict(schema)}}}


def _problem(what: str) -> dict[str, Any]:
    return {"description": what, "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}

"""What stands of typed decisions on the OpenAPI page: what is asked, of which functions, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functory_decision.open_types import MOST
from functory_decision.systemone import LEVELS, OPTIONS
from functory_sdk.openapi import answer, sent

Json = dict[str, Any]  # Any: JSON
SAID: Json = {"description": "A text, or what becomes one: a field or an item a line.", "type": ["string", "object", "array"]}
SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}
SHARES: Json = {"type": "object", "additionalProperties": SHARE}
COUNT: Json = {"type": "integer", "minimum": 0}
ERROR: Json = {
    "type": "object", "required": ["detail"],
    "properties": {"detail": {
        "description": "What is wrong: of a body with its places, of anything else with its kind.",
        "anyOf": [
            {"type": "array", "items": {"type": "object", "required": ["loc", "msg", "type"]}},
            {"type": "object", "required": ["error_type", "message"]},
        ],
    }},
}  # fmt: skip


def described(path: str, models: str, names: Sequence[str]) -> Json:
    """Return the paths, and the schemas that they refer to; nothing where no function answers.

    :param path: where decisions are asked for, and `models` where those that decide are listed.
    :param names: of the functions that answer.
    """
    if not names:
        return {}
    questions = {
        "refund": {"type": "noul", "instructions": "Is a refund asked for?"},
        "team": {"type": "choice", "criteria": {"billing": None, "bugs": None}},
    }
    example = {"model": names[0], "state": "I was charged twice.", "questions": questions}
    wrong = {"default": answer("What is wrong, and where.", _at("Error"), is_problem=True)}
    what = "An answer to each question, with the probability of each possible one."
    told = {"200": answer(what, _at("Answers")), **wrong}
    listed = {"200": answer("Those that decide.", _at("Models")), **wrong}
    post = {"operationId": "systemone", "summary": "Typed decisions, as clients of System One ask for them",
            "requestBody": sent(_at("Request"), example), "responses": told}  # fmt: skip
    get = {"operationId": "systemone_models", "summary": "The functions that decide", "responses": listed}
    schemas = {"Question": QUESTION, "Request": _request(names), "Answers": ANSWERS, "Models": LISTED, "Error": ERROR}
    return {
        "paths": {path: {"post": post}, models: {"get": get}},
        "components": {"schemas": {f"SystemOne.{name}": one for name, one in schemas.items()}},
    }


def _request(names: Sequence[str]) -> Json:
    model = {"type": "string", "description": f"One of {', '.join(names)}; jev-latest, or nothing, is the first.",
             "anyOf": [{"enum": [*names, ""]}, {"pattern": "^jev"}]}  # fmt: skip
    asked = {"type": "object", "minProperties": 1, "maxProperties": MOST, "propertyNames": {"minLength": 1},
             "additionalProperties": _at("Question")}  # fmt: skip
    none = {"type": ["object", "array", "null"], "maxProperties": 0, "maxItems": 0}
    fields = {"model": model, "state": SAID, "questions": asked, "assets": none}
    return {"type": "object", "required": ["state", "questions"], "properties": fields}


def _at(name: str) -> Json:
    return {"$ref": f"#/components/schemas/SystemOne.{name}"}


def _kind(name: str, criteria: Json, *, is_needed: bool) -> Json:
    """Return the schema of one type of question."""
    fields = {"type": {"const": name}, "instructions": {**SAID, "type": [*SAID["type"], "null"]}, "criteria": criteria}
    return {"type": "object", "required": ["type", *(["criteria"] if is_needed else [])], "properties": fields}


QUESTION: Json = {"oneOf": [
    _kind("noul", {"description": "What true means, and false.", "type": ["object", "null"]}, is_needed=False),
    _kind("choice", {"description": "The options with their descriptions.", "type": "object", "minProperties": OPTIONS[0],
                     "maxProperties": OPTIONS[1]}, is_needed=True),
    _kind("score", {"description": "The levels, the lowest first.", "type": "array", "minItems": LEVELS[0],
                    "maxItems": LEVELS[1]}, is_needed=True),
]}  # fmt: skip
ANSWERS: Json = {
    "type": "object", "required": ["model", "answers", "usage"],
    "properties": {
        "model": {"type": "string"},
        "answers": {"type": "object", "additionalProperties": {"oneOf": [
            {"type": "object", "required": ["type", "noul"], "properties": {"type": {"const": "noul"}, "noul": SHARE}},
            {"type": "object", "required": ["type", "choice", "confidence", "probabilities"],
             "properties": {"type": {"const": "choice"}, "choice": {"type": "string"}, "confidence": SHARE,
                            "probabilities": SHARES}},
            {"type": "object", "required": ["type", "score", "confidence", "legend", "probabilities"],
             "properties": {"type": {"const": "score"}, "score": {"type": "number"}, "confidence": SHARE,
                            "legend": {"type": "object"}, "probabilities": SHARES}},
        ]}},
        "usage": {"type": "object", "properties": {"input_tokens": COUNT, "output_tokens": COUNT}},
    },
}  # fmt: skip
LISTED: Json = {
    "type": "object", "required": ["object", "data"],
    "properties": {"models": {"type": "array", "items": {"type": "object", "required": ["name", "description", "release_date"]}},
                   "object": {"const": "list"}, "data": {"type": "array", "items": {
        "type": "object", "required": ["id", "object", "created", "owned_by"],
        "properties": {"id": {"type": "string"}, "object": {"const": "model"}, "created": COUNT, "owned_by": {"type": "string"}},
    }}},
}  # fmt: skip

"""What is extracted, as a JSON Schema: of a pydantic model, or of fields in a line each.

Whatever a field is, null is what it is where the text does not say it: a guide that forbade null would make a model invent. A
list is empty there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic_core import PydanticCustomError

from functory_sdk import schema_of

Schema = dict[str, Any]  # Any: JSON
KINDS: Mapping[str, Schema] = {
    "text": {"type": "string"}, "number": {"type": "number"}, "whole": {"type": "integer"}, "yes-no": {"type": "boolean"},
    "date": {"type": "string", "format": "date"}, "list": {"type": "array", "items": {"type": "string"}},
}  # fmt: skip
"""The fields that a word names."""
PLAIN: Mapping[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
DEEP = 4
"""How deep types are told; what lies deeper is any JSON."""


def read(given: Any) -> Any:  # Any: what a recipe says, and what pydantic then checks
    """Return the JSON Schema of what is extracted: of a pydantic model, of a schema, of fields by name.

    :raises PydanticCustomError: for what is no object with properties, and for a field that is none.
    """
    given = schema_of(given)
    if not isinstance(given, Mapping) or not given:
        return given
    if not _is_schema(given):
        properties = {str(name): _spelled(str(name), one) for name, one in given.items()}
        return {"type": "object", "properties": properties, "required": [*properties]}
    schema = dict(given)
    if "$ref" in schema:
        schema = {**schema, **followed(schema, schema)}
    if not isinstance(schema.get("properties"), Mapping) or not schema["properties"]:
        raise _none("a model has fields, and this one has none")
    return schema


def properties_of(schema: Mapping[str, Any]) -> dict[str, Schema]:
    """Return the fields of a schema, each with what it refers to."""
    return {name: followed(one, schema) for name, one in schema.get("properties", {}).items()}


def followed(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Schema:
    """Return a part of a schema, that of the type that it refers to included."""
    if "$ref" not in part:
        return dict(part)
    name = str(part["$ref"]).rpartition("/")[2]
    found = {**schema.get("$defs", {}), **schema.get("definitions", {})}.get(name, {})
    own = {key: value for key, value in part.items() if key != "$ref"}
    return {**found, **own}


def nullable(schema: Mapping[str, Any]) -> Schema:
    """Return a schema in which every field is there, and null where the text does not say it; a list is empty."""
    made = dict(schema)
    for name in ("$defs", "definitions"):
        if isinstance(made.get(name), Mapping):
            made[name] = {key: nullable(one) if isinstance(one, Mapping) else one for key, one in made[name].items()}
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if isinstance(made.get(name), list):
            made[name] = [nullable(one) if isinstance(one, Mapping) else one for one in made[name]]
    if isinstance(made.get("items"), Mapping):
        made["items"] = nullable(made["items"])
    if isinstance(made.get("properties"), Mapping):
        made["properties"] = {name: _or_null(nullable(one), schema) for name, one in made["properties"].items()}
        made["required"] = [*made["properties"]]
    return made


def _or_null(part: Schema, schema: Mapping[str, Any]) -> Schema:
    if "const" in part or part.get("type") == "array" or _takes_null(part):
        return part
    told: Schema = {key: part[key] for key in ("title", "description") if key in part}
    return {**told, "anyOf": [{key: value for key, value in part.items() if key not in told}, {"type": "null"}]}


def _takes_null(part: Mapping[str, Any]) -> bool:
    kinds = part.get("type", ())
    within = [one for name in ("anyOf", "oneOf") for one in part.get(name, ()) if isinstance(one, Mapping)]
    is_null = "null" in ((kinds,) if isinstance(kinds, str) else kinds) or None in part.get("enum", ())
    return is_null or any(map(_takes_null, within))


def type_of(part: Mapping[str, Any], schema: Mapping[str, Any], deep: int = DEEP) -> Any:  # Any: a type
    """Return the Python type of a part of a schema, as near as plain data have one."""
    part = followed(part, schema)
    if "const" in part or "enum" in part:
        return Literal[tuple(part.get("enum", [part.get("const")]))]
    several = [*part.get("anyOf", ()), *part.get("oneOf", ())]
    if several and deep:
        return _union([type_of(one, schema, deep - 1) for one in several])
    kinds = part.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    return _union([_one(kind, part, schema, deep) for kind in kinds]) if kinds else Any


def _one(kind: str, part: Mapping[str, Any], schema: Mapping[str, Any], deep: int) -> Any:  # Any: a type
    if kind == "array":
        items = part.get("items")
        return list[type_of(items, schema, deep - 1)] if isinstance(items, Mapping) and deep else list[Any]  # type: ignore[misc]
    return {"object": dict[str, Any], "null": None, **PLAIN}.get(kind, Any)


def _union(types: list[Any]) -> Any:  # Any: types
    if Any in types or not types:
        return Any
    made = types[0]
    for one in types[1:]:
        made = made | one if made is not None else one | None
    return made


def _is_schema(given: Mapping[str, Any]) -> bool:
    return bool(given.keys() & {"properties", "$ref", "$defs"}) and ("$ref" in given or given.get("type") == "object")


def _spelled(name: str, given: Any) -> Schema:  # Any: a word, options, a schema
    """Return a field's schema.

    :raises PydanticCustomError: for a word that is no kind.
    """
    if isinstance(given, Mapping):
        return dict(given)
    if isinstance(given, (list, tuple)):
        return {"enum": list(given)}
    kind, _, told = str(given).partition(":")
    described = {"description": told.strip()} if told.strip() else {}
    if kind.strip() in KINDS:
        return {**KINDS[kind.strip()], **described}
    options = [one.strip() for one in kind.replace("，", ",").split(",") if one.strip()]
    if len(options) < 2:
        raise _none(f"{name} is {kind.strip()!r}, and a field is one of {', '.join(KINDS)}, or some choices: 'red, blue'")
    return {"enum": options, **described}


def _none(why: str) -> PydanticCustomError:
    """Return the error of what cannot be extracted, which pydantic collects and the options' owner tells."""
    return PydanticCustomError("no_fields", "{why}", {"why": why})

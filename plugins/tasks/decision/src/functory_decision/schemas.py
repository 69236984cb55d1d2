"""Questions from a JSON Schema, which is what a pydantic model of Literals, bools and bounded numbers is to us.

A field is a question: its description is what is asked. ``Literal`` and ``Enum`` are choices, and options with descriptions
of their own (``Annotated[Literal["billing"], Field(description="about invoices")] | …``) are written so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functory_decision.questions import unanswerable

Schema = Mapping[str, Any]  # Any: JSON
NUMBERS = ("integer", "number")


def is_schema(given: Schema) -> bool:
    """Whether data are the JSON Schema of an object, and no questions by name."""
    return given.get("type") == "object" and isinstance(given.get("properties"), Mapping)


def questions_of(schema: Schema) -> dict[str, dict[str, Any]]:
    """Return the questions of a model's fields, by name, as plain data.

    :raises PydanticCustomError: for a field that is no question, naming it.
    """
    types = schema.get("$defs", {})
    return {name: _question(name, _followed(field, types), types) for name, field in schema["properties"].items()}


def _question(name: str, field: Schema, types: Schema) -> dict[str, Any]:
    """Return one field's question."""
    asked = {"ask": str(field.get("description") or "").strip()}
    options = _options(name, field, types)
    if options:
        return {**asked, "options": options}
    if field.get("type") == "boolean":
        return asked
    if field.get("type") in NUMBERS:
        return {**asked, **_bounds(name, field)}
    raise unanswerable(
        f"{name} is a {_told(field)}, and a question is a choice (Literal, Enum), a bool, or a number with both bounds "
        "(Field(ge=1, le=5))"
    )


def _options(name: str, field: Schema, types: Schema) -> list[dict[str, Any]]:
    """Return the options of a choice; none where the field is none."""
    if "enum" in field:
        return [{"value": value} for value in field["enum"]]
    if "const" in field:
        return [{"value": field["const"], "words": str(field.get("description") or "")}]
    parts = [_followed(part, types) for part in field.get("anyOf", ())]
    if any(part.get("type") == "null" for part in parts):
        raise unanswerable(f"{name} may be None, and every question is answered: leave None out of its type")
    return [option for part in parts for option in _options(name, part, types)]


def _bounds(name: str, field: Schema) -> dict[str, Any]:
    """Return the bounds of a number; those that are themselves excluded lie a step, or a hundredth of the way, further in.

    :raises PydanticCustomError: where one is lacking.
    """
    is_whole, step = field["type"] == "integer", field.get("multipleOf")
    low, above = field.get("minimum"), field.get("exclusiveMinimum")
    high, below = field.get("maximum"), field.get("exclusiveMaximum")
    first, last = low if above is None else above, high if below is None else below
    if first is None or last is None:
        raise unanswerable(f"{name} is a number without {'bounds' if first is last else 'one bound'}: Field(ge=1, le=5)")
    inward = step or (1 if is_whole else (last - first) / 100)
    return {
        "low": first + inward * (above is not None), "high": last - inward * (below is not None),
        "step": step, "is_whole": is_whole,
    }  # fmt: skip


def _followed(field: Schema, types: Schema) -> Schema:
    """Return a field's schema, that of the type that it refers to included."""
    if "$ref" not in field:
        return field
    named: Schema = types.get(str(field["$ref"]).rpartition("/")[2], {})
    return {**{key: value for key, value in named.items() if key != "description"}, **field}


def _told(field: Schema) -> str:
    """Return what a field is, in words."""
    return {"string": "free text", "array": "list", "object": "model", "null": "None"}.get(str(field.get("type")), "mixture")

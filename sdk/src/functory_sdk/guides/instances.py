"""A short JSON text that a schema allows, read off the schema itself: what a guided text may end as, found without a search.

It need not be right for every schema: llguidance checks it, and what it does not take is looked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from functory_sdk.guides.witness import MOST, Unseen, witness

DEEP = 6
"""How often one may follow references within one another."""
FORMATS = {
    "date": "2000-01-01", "time": "00:00:00Z", "date-time": "2000-01-01T00:00:00Z", "duration": "P1D", "email": "a@b.c",
    "hostname": "a", "ipv4": "0.0.0.0", "ipv6": "::", "uri": "a:b", "uuid": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip

Schema = Mapping[str, Any]  # Any: JSON


def short_json(schema: Schema) -> str | None:
    """Return a short JSON text, as guides space it, that a schema allows; None where it is not seen at once."""
    try:
        return json.dumps(_value(schema, schema, DEEP), ensure_ascii=False)
    except (Unseen, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None


def _value(schema: Any, root: Schema, deep: int) -> Any:  # Any: JSON
    """Return a short value.

    :raises Unseen: where none is seen.
    """
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return min(schema["enum"], key=_length)
    if "$ref" in schema:
        return _value(_followed(schema["$ref"], root, deep), root, deep - 1)
    several = schema.get("anyOf") or schema.get("oneOf")
    if several or isinstance(schema["type"], list):
        return _shortest(several or [{**schema, "type": kind} for kind in schema["type"]], root, deep)
    return _of(schema["type"], schema, root, deep)


def _followed(reference: str, root: Schema, deep: int) -> Any:  # Any: a schema
    if deep == 0:
        raise Unseen
    found: Any = root
    for name in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
        found = found[name]
    return found


def _shortest(several: list[Any], root: Schema, deep: int) -> Any:  # Any: JSON
    """Return the shortest value of several schemas; null where it may be, which says nothing and costs no look at the others."""
    if any(one.get("type") == "null" for one in several):
        return None
    found = []
    for one in several:
        try:
            found.append(_value(one, root, deep))
        except (Unseen, KeyError):
            continue
    return min(found, key=_length)


def _of(kind: str, schema: Schema, root: Schema, deep: int) -> Any:  # Any: JSON
    if kind == "object":
        needed, properties = schema.get("required", ()), schema.get("properties", {})
        if not {*needed} <= properties.keys():
            raise Unseen
        return {name: _value(one, root, deep) for name, one in properties.items() if name in needed}
    if kind == "array":
        first = [_value(one, root, deep) for one in schema.get("prefixItems", ())][: schema.get("minItems", 0)]
        more = schema.get("minItems", 0) - len(first)
        return first + ([_value(schema["items"], root, deep)] * min(more, MOST) if more > 0 else [])
    if kind == "string":
        return _words(schema)
    if kind in ("integer", "number"):
        return _number(schema)
    return {"boolean": True, "null": None}[kind]


def _words(schema: Schema) -> str:
    if "format" in schema:
        return FORMATS[schema["format"]]
    if "pattern" in schema:
        text = witness(schema["pattern"])
        if text is None:
            raise Unseen
        return text
    return "a" * min(int(schema.get("minLength", 0)), MOST)


def _number(schema: Schema) -> int:
    """Return a whole number within bounds, nought where it is one."""
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    least = max(schema.get("minimum", -math.inf), -math.inf if above is None else math.floor(above + 1))
    most = min(schema.get("maximum", math.inf), math.inf if below is None else math.ceil(below - 1))
    return 0 if least <= 0 <= most else math.ceil(least) if least > 0 else math.floor(most)


def _length(value: Any) -> int:  # Any: JSON
    return len(json.dumps(value, ensure_ascii=False))

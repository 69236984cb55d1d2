"""What an output is in SQL: from its JSON Schema to DuckDB's and Arrow's types, and from its plain data to their values.

What has no one type, such as a field of texts or numbers, is a VARCHAR that holds its JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

_SCALARS: dict[str, Any] = {"string": "text", "number": "real", "integer": "whole", "boolean": "truth"}
_NAMES = {"text": "VARCHAR", "json": "VARCHAR", "real": "DOUBLE", "whole": "BIGINT", "truth": "BOOLEAN"}


@dataclass(frozen=True)
class Kind:
    """A type.

    :param fields: of a struct, its fields; of a list or a map, what they hold, as their one field.
    """

    name: Literal["text", "json", "real", "whole", "truth", "list", "map", "struct"]
    fields: tuple[tuple[str, Kind], ...] = ()

    @property
    def inner(self) -> Kind:
        """What a list or a map holds."""
        return self.fields[0][1]


def kind_of(schema: Mapping[str, Any]) -> Kind:
    """Return the type of what a JSON Schema describes."""
    return _kind(schema, schema.get("$defs", {}), ())


def _kind(schema: Mapping[str, Any], definitions: Mapping[str, Any], above: tuple[str, ...]) -> Kind:
    """Return the type of a part of a schema.

    :param above: the definitions that it lies in: what holds itself has no type.
    """
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        if name in above or name not in definitions:
            return Kind("json")
        return _kind(definitions[name], definitions, (*above, name))
    branches = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if branches:
        found = {_kind(one, definitions, above) for one in branches}
        return found.pop() if len(found) == 1 else Kind("json")
    kind = _type(schema)
    if kind in _SCALARS:
        return Kind(_SCALARS[kind])
    if kind == "array":
        items = schema.get("items", schema.get("prefixItems"))
        return Kind("list", (("", _kind(items, definitions, above)),)) if isinstance(items, Mapping) else Kind("json")
    return _object(schema, definitions, above) if kind == "object" else Kind("json")


def _object(schema: Mapping[str, Any], definitions: Mapping[str, Any], above: tuple[str, ...]) -> Kind:
    fields, more = schema.get("properties", {}), schema.get("additionalProperties", False)
    if fields and not more:
        return Kind("struct", tuple((name, _kind(one, definitions, above)) for name, one in fields.items()))
    if isinstance(more, Mapping) and more and not fields:
        return Kind("map", (("", _kind(more, definitions, above)),))
    return Kind("json")


def _type(schema: Mapping[str, Any]) -> str:
    """Return the one type that a schema names, null aside; that of its values, where it lists them."""
    said = schema.get("type")
    if isinstance(said, list):
        kinds = [one for one in said if one != "null"]
        return kinds[0] if len(kinds) == 1 else ""
    if said is None:
        values = [one for one in (*schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])) if one is not None]
        return "string" if values and all(isinstance(one, str) for one in values) else ""
    return str(said)


def named(kind: Kind) -> str:
    """Return a type's name in DuckDB."""
    if kind.name == "struct":
        return f"STRUCT({', '.join(f'{_quoted(name)} {named(one)}' for name, one in kind.fields)})"
    if kind.name == "map":
        return f"MAP(VARCHAR, {named(kind.inner)})"
    return f"{named(kind.inner)}[]" if kind.name == "list" else _NAMES[kind.name]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def arrow(kind: Kind) -> Any:  # Any: pyarrow has no types
    """Return a type in Arrow."""
    import pyarrow as pa

    if kind.name == "struct":
        return pa.struct([(name, arrow(one)) for name, one in kind.fields])
    if kind.name == "map":
        return pa.map_(pa.string(), arrow(kind.inner))
    if kind.name == "list":
        return pa.list_(arrow(kind.inner))
    plain = {"real": pa.float64, "whole": pa.int64, "truth": pa.bool_}
    return plain.get(kind.name, pa.string)()


def value_of(value: Any, kind: Kind) -> Any:  # Any: plain data
    """Return plain data as Arrow takes it for a type."""
    if value is None:
        return None
    if kind.name == "json":
        return json.dumps(value, ensure_ascii=False)
    if kind.name == "struct":
        return {name: value_of(value.get(name), one) for name, one in kind.fields}
    if kind.name == "map":
        return [(name, value_of(one, kind.inner)) for name, one in value.items()]
    return [value_of(one, kind.inner) for one in value] if kind.name == "list" else value

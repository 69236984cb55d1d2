"""Python types from JSON Schema: classes for objects, Literals for enumerations, and names for both.

Arrays become `Sequence` and maps `Mapping`: the schema does not tell a list from a tuple, and reading needs no more.
"""

from __future__ import annotations

import json
import keyword
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]

_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


@dataclass
class Field:
    """A field of a class: its name, its type, its default in Python, and what it means."""

    name: str
    type: str
    default: str
    """Empty where the field must be given."""
    about: str


@dataclass
class Class:
    """An object of a schema."""

    name: str
    about: str
    fields: list[Field]


@dataclass
class Types:
    """The named types of some schemas, collected while their types are asked for.

    :param taken: names that are something else where the types are written.
    """

    taken: frozenset[str] = frozenset()
    aliases: dict[str, str] = field(default_factory=dict)
    """Name → ``Literal[…]``, in the order of their first use."""
    classes: dict[str, Class] = field(default_factory=dict)
    _known: dict[str, str] = field(default_factory=dict)
    """The text of a schema → the name of its class."""

    def root(self, schema: Schema) -> Class:
        """Return the class of a whole schema, and collect what it refers to."""
        return self.classes[self.of({"type": "object", "properties": {}, **schema}, schema, "Model")]

    def of(self, schema: Any, whole: Schema, hint: str) -> str:
        """Return the Python type of a schema.

        :param schema: the part to translate.
        :param whole: the schema with the ``$defs`` that the part refers to.
        :param hint: what to call an enumeration or an object without a title: ``Label``.
        """
        if not isinstance(schema, Mapping) or not schema:
            return "Any"
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            found = whole.get("$defs", {}).get(name)
            return self.of({"title": name, **found}, whole, name) if isinstance(found, Mapping) else "Any"
        if "const" in schema or "enum" in schema:
            return self._literal(schema.get("enum", [schema.get("const")]), hint)
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return _union(self.of(branch, whole, hint) for branch in schema[union])
        if len(schema.get("allOf", ())) == 1:
            return self.of(schema["allOf"][0], whole, hint)
        kind = schema.get("type")
        if isinstance(kind, list):
            return _union(self.of({**schema, "type": one}, whole, hint) for one in kind)
        if kind == "array":
            return self._array(schema, whole, hint)
        if kind == "object":
            return self._object(schema, whole, hint)
        return _PLAIN.get(str(kind), "Any")

    def _literal(self, values: Iterable[Any], hint: str) -> str:
        """Return the name of an enumeration; equal ones share it."""
        named = list(dict.fromkeys(value for value in values if value is not None))
        none = ["None"] if None in values else []
        if not named:
            return "None"
        if not all(isinstance(value, str | int) for value in named):
            return "Any"  # no Literal holds a number with a fraction, a list or an object
        literal = f"Literal[{', '.join(python(value) for value in named)}]"
        name = next((name for name, known in self.aliases.items() if known == literal), "")
        if not name:
            name = self._free(class_name(hint))
            self.aliases[name] = literal
        return _union([name, *none])

    def _array(self, schema: Schema, whole: Schema, hint: str) -> str:
        prefix = schema.get("prefixItems")
        if prefix and schema.get("maxItems") == len(prefix):
            return f"tuple[{', '.join(self.of(item, whole, hint) for item in prefix)}]"
        kind = "Collection" if schema.get("uniqueItems") else "Sequence"
        return f"{kind}[{self.of(schema.get('items'), whole, _singular(hint))}]"

    def _object(self, schema: Schema, whole: Schema, hint: str) -> str:
        if "properties" in schema:
            return self._class(schema, whole, hint)
        keys = schema.get("propertyNames")
        key = self.of({"type": "string", **keys}, whole, _singular(hint)) if isinstance(keys, Mapping) else "str"
        return f"Mapping[{key}, {self.of(schema.get('additionalProperties'), whole, _singular(hint))}]"

    def _class(self, schema: Schema, whole: Schema, hint: str) -> str:
        """Return the name of an object's class, and collect it; one object has one class, however often it is met."""
        text = json.dumps({key: value for key, value in schema.items() if key != "$defs"}, sort_keys=True)
        if text not in self._known:
            name = self._free(class_name(schema.get("title") or hint))
            self._known[text] = name
            made = self.classes[name] = Class(name, schema.get("description", ""), [])
            required = schema.get("required", ())
            for key, part in schema.get("properties", {}).items():
                if key.isidentifier() and not keyword.iskeyword(key):  # no other can be an attribute
                    known = part if isinstance(part, Mapping) else {}
                    kind = self.of(part, whole, class_name(key))
                    default = "" if key in required else _default(known)
                    made.fields.append(Field(name=key, type=kind, default=default, about=known.get("description", "")))
        return self._known[text]

    def _free(self, name: str) -> str:
        """Return a name that is not taken yet."""
        while name in self.aliases or name in self.classes or name in _TAKEN or name in self.taken:
            name += "Value"
        return name


_TAKEN = frozenset(
    {"Any", "BaseModel", "Collection", "Function", "Iterable", "Iterator", "Literal", "Mapping", "NotRequired", "Output",
     "Sequence", "TypedDict"}
)  # fmt: skip
"""What a stub or a client itself imports."""


def parameters(shorthand: Sequence[Field], by_name: Sequence[Field]) -> list[str]:
    """Return the parameters of a call: the shorthand's by position or name, the others by name."""
    written = [f"{one.name}: {one.type}{f' = {one.default}' if one.default else ''}" for one in [*shorthand, *by_name]]
    if by_name:
        written.insert(len(shorthand), "*")
    return written


def docstring(text: str, indent: str) -> str:
    """Return a docstring of any text: nothing in it can end it or be taken for an escape."""
    safe = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').strip()
    safe = "".join(letter if letter.isprintable() or letter == "\n" else repr(letter)[1:-1] for letter in safe)
    if safe.endswith('"'):
        safe = safe[:-1] + '\\"'
    closing = f"\n{indent}" if "\n" in safe else ""
    return textwrap.indent(f'"""{safe}', indent, lambda line: bool(line.strip())) + f'{closing}"""'


def python(value: Any) -> str:
    """Return a JSON value as Python, with texts in their own script and double quotes where they can be."""
    if isinstance(value, str) and value.isprintable():
        return json.dumps(value, ensure_ascii=False)  # escapes quotes and backslashes alone, as Python does
    return repr(value)


def class_name(text: str) -> str:
    """Return a text as the name of a class: ``named_entity`` and ``named entity`` are ``NamedEntity``."""
    plain = unicodedata.normalize("NFKC", text)  # as Python does with names
    words = "".join(letter if f"_{letter}".isidentifier() else "_" for letter in plain).split("_")
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"Type{name}"


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and len(name) > 2 else name


def _union(kinds: Iterable[str]) -> str:
    parts = list(dict.fromkeys(part for kind in kinds for part in _branches(kind)))
    if "Any" in parts:
        return "Any"
    return " | ".join(sorted(parts, key=lambda part: part == "None"))


def _branches(kind: str) -> list[str]:
    """Return the branches of a union, but not those inside brackets."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(kind):
        depth += (letter == "[") - (letter == "]")
        if not depth and kind.startswith(" | ", at):
            parts.append(kind[start:at])
            start = at + 3
    return [*parts, kind[start:]]


def _default(schema: Schema) -> str:
    """Return a field's default; where the schema does not tell it, that there is one."""
    value = schema.get("default", ...)
    return "..." if value is ... or isinstance(value, list | dict) else python(value)

"""Bounds a guide's schema before it is used: a model that repeats itself fills a text without end, and says nothing after it.

Apart from engines, which hold a guide to its letter and end every text in time: what is bounded here is what a person reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from functory.contracts.guiding import Guide

CHARACTERS = 200
"""The most characters of a text whose schema names no most."""
ITEMS = 16
"""Likewise the most items of a list, and the most entries of an object whose names are free."""
NAME = 40
"""The most characters of such a name."""
DIGITS = 15
"""The most digits of a number; a fraction has as many as `FRACTION` leaves."""
FRACTION = 1e-6

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"})
"""The formats that a guide holds a text to."""
SHORT = FORMATS - {"email", "hostname", "uri"}
"""Those whose texts are short whatever they are."""
SCALARS: tuple[Mapping[str, Any], ...] = ({"type": "null"}, {"type": "boolean"}, {"type": "number"}, {"type": "string"})
"""What stands for any JSON at all: nesting has no end."""

Schema = dict[str, Any]  # Any: JSON


class Bounded(NamedTuple):
    """A guide whose texts are no longer than makes sense.

    :param notes: which bounds were put in, and what of a schema is not held; empty where nothing was changed.
    """

    guide: Guide
    notes: tuple[str, ...] = ()


def bounded(guide: Guide, characters: int = CHARACTERS) -> Bounded:
    """Return a guide with the bounds that its schema lacks. Guides of other kinds are as they were.

    :param characters: the most of a text that names no most.
    """
    if guide.json_schema is None:
        return Bounded(guide)
    bounding = _Bounding(characters)
    schema = bounding.schema(guide.json_schema, "")
    return Bounded(Guide(json_schema=schema), bounding.notes())


class _Bounding:
    """One walk over a schema; it remembers what it changed, and where."""

    def __init__(self, characters: int) -> None:
        self._characters = characters
        self._changed: dict[str, dict[str, None]] = {}

    def notes(self) -> tuple[str, ...]:
        """Return what was changed, in a line."""
        told = [f"{', '.join(places) or 'the answer'}: {what}" for what, places in self._changed.items()]
        return (f"bounds of the guide: {'; '.join(told)}",) if told else ()

    def schema(self, given: Any, place: str) -> Any:  # Any: an object, or a truth value
        """Return a schema with bounds.

        :param place: where it stands, for people: ``address.street``.
        """
        if given is True or (isinstance(given, Mapping) and not _says_something(given)):
            self._tell("any JSON is a text, a number, true, false or null", place)
            return {"anyOf": [self.schema(dict(one), place) for one in SCALARS]}
        if not isinstance(given, Mapping) or "enum" in given or "const" in given:
            return given
        made = self._within({**given}, place)
        kinds = made.get("type", ())
        kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        bounds: dict[str, Callable[[Schema, str], None]] = {
            "string": self._text, "array": self._items, "object": self._entries, "integer": self._whole, "number": self._number,
        }  # fmt: skip
        for kind in kinds:
            if kind in bounds:
                bounds[kind](made, place)
        return made

    def _within(self, made: Schema, place: str) -> Schema:
        """Bound what stands inside a schema."""
        for name in ("$defs", "definitions"):
            if isinstance(made.get(name), Mapping):
                made[name] = {key: self.schema(one, key) for key, one in made[name].items()}
        for name in ("properties", "patternProperties"):
            if isinstance(made.get(name), Mapping):
                made[name] = {key: self.schema(one, f"{place}.{key}".lstrip(".")) for key, one in made[name].items()}
        for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
            if isinstance(made.get(name), list):
                made[name] = [self.schema(one, place) for one in made[name]]
        for name in ("items", "additionalProperties"):
            if isinstance(made.get(name), Mapping):
                made[name] = self.schema(made[name], f"{place}[]")
        return made

    def _text(self, made: Schema, place: str) -> None:
        if "format" in made and made["format"] not in FORMATS:
            self._tell(f"the format {made.pop('format')!r} is not held", place)
        if re.search(r"\(\?(?:=|!|<=|<!)|\\[1-9]", str(made.get("pattern", ""))):
            del made["pattern"]
            self._tell("a pattern that looks around or back is not held", place)
        if "maxLength" not in made and made.get("format") not in SHORT:
            made["maxLength"] = max(self._characters, made.get("minLength", 0))
            self._tell(f"at most {made['maxLength']} characters", place)

    def _items(self, made: Schema, place: str) -> None:
        if made.pop("uniqueItems", False):
            self._tell("items may repeat", place)
        if "items" not in made and "prefixItems" not in made:
            made["items"] = self.schema(True, f"{place}[]")
        if "maxItems" not in made:
            made["maxItems"] = max(ITEMS, made.get("minItems", 0))
            self._tell(f"at most {made['maxItems']} items", place)

    def _entries(self, made: Schema, place: str) -> None:
        """No property is there that the schema does not name; where it names none, so many short names are free."""
        more = made.get("additionalProperties", "properties" not in made)
        made["additionalProperties"] = False
        if made.get("properties") or made.get("patternProperties"):
            if more:
                self._tell("no further properties", place)
        elif more:
            value = self.schema(True, f"{place}[]") if more is True else more
            made["patternProperties"] = {f"^.{{1,{NAME}}}$": value}
        if made.get("patternProperties") and "maxProperties" not in made:
            made["maxProperties"] = max(ITEMS, made.get("minProperties", 0))
            self._tell(f"at most {made['maxProperties']} entries", place)

    def _whole(self, made: Schema, place: str) -> None:
        self._limits(made, place, 10**DIGITS - 1)

    def _number(self, made: Schema, place: str) -> None:
        made.setdefault("multipleOf", FRACTION)
        self._limits(made, place, 10**DIGITS - 1)

    def _limits(self, made: Schema, place: str, most: int) -> None:
        """Put a least and a greatest number where there are none."""
        for least, own in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if least not in made and own not in made:
                made[least] = most if least == "maximum" else -most
                self._tell(f"at most {DIGITS} digits", place)

    def _tell(self, what: str, place: str) -> None:
        self._changed.setdefault(what, {})[place] = None


def _says_something(schema: Mapping[str, Any]) -> bool:
    """Whether a schema narrows what may stand there."""
    return bool(schema.keys() & {"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const", "properties", "not", "if"})

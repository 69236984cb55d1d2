"""Compares the signature that a manifest has with the one that its task and state give: fields, types, defaults, labels.

What a schema tells people is not compared. Apart from `deriving`, because what another version may change is a matter of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NAMED = ("properties", "$defs")
"""What a schema holds by the names of fields and types, which may be called as anything else is."""
PROSE = ("description", "examples")
"""What a schema tells people; another version of a task may say it better."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two signatures are compared.

    :param may_have_more: whether there may be more fields now that need not be given: another version derives it.
    :param may_say_otherwise: whether a schema may say less or more of the same: another pydantic writes it.
    """

    may_have_more: bool = False
    may_say_otherwise: bool = False

    def difference(self, kept: Mapping[str, Any], derived: Mapping[str, Any]) -> str:
        """Return the first place where a signature says what the derived one does not; empty where there is none."""
        return next(self._of_signature(kept, json.loads(json.dumps(derived))), "")

    def _of_signature(self, kept: Mapping[str, Any], derived: Mapping[str, Any]) -> Iterator[str]:
        yield from sorted(kept.keys() ^ derived.keys())
        for side in ("input", "output"):
            yield from self._of_schema(kept[side], derived[side], side)
        names, own = kept["shorthand"], derived["shorthand"]
        if names != (own[: len(names)] if self.may_have_more and isinstance(names, list) else own):
            yield "shorthand"
        told, fields = kept["parameters"], kept["input"].get("properties", {})
        is_told = isinstance(told, dict) and all(isinstance(text, str) for text in told.values())
        if not is_told or told.keys() != fields.keys():
            yield "parameters"

    def _of_schema(self, kept: Any, derived: Any, place: str) -> Iterator[str]:  # Any: a part of a JSON Schema
        """Give the places where a part differs."""
        if isinstance(kept, dict) and isinstance(derived, dict):
            prose = PROSE if "properties" in derived else (*PROSE, "title")  # an object's title is the name of its type
            yield from (f"{place}.{key}" for key in prose if key in kept and not _is_prose(key, kept[key]))
            for key in sorted((kept.keys() | derived.keys()) - set(prose)):
                yield from self._of_key(key, kept, derived, f"{place}.{key}")
        elif isinstance(kept, list) and isinstance(derived, list) and len(kept) == len(derived):
            for number, (one, other) in enumerate(zip(kept, derived, strict=True)):
                yield from self._of_schema(one, other, f"{place}.{number}")
        elif type(kept) is not type(derived) or kept != derived:
            yield place

    def _of_key(self, key: str, kept: dict[str, Any], derived: dict[str, Any], place: str) -> Iterator[str]:
        """Give the places where one key differs."""
        if key in NAMED:
            yield from self._of_fields(kept.get(key, {}), derived.get(key, {}), derived.get("required", ()), place)
        elif key in kept and key in derived:
            yield from self._of_schema(kept[key], derived[key], place)
        elif not self.may_say_otherwise:
            yield place

    def _of_fields(self, kept: Any, derived: dict[str, Any], required: Any, place: str) -> Iterator[str]:
        """Give the places where fields, or types, differ."""
        if not isinstance(kept, dict):
            yield place
            return
        for name in sorted(kept.keys() | derived.keys()):
            if name in kept and name in derived:
                yield from self._of_schema(kept[name], derived[name], f"{place}.{name}")
            elif name in kept or name in required or not self.may_have_more:
                yield f"{place}.{name}"


def _is_prose(key: str, value: object) -> bool:
    """Whether what tells people something can be told: its words are free, its form is not."""
    return isinstance(value, list if key == "examples" else str)

"""The texts of an input, wherever they stand in it: in a field, in a list of candidates, in the fields of a part.

Each has a path, as columns have them: ``text``, ``candidates.2``, ``passages.0.title``. What is chosen from a fixed list (a
Literal, an Enum) is no text that anybody wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from functory.contracts.plain import plain_type


def texts_of(value: Any) -> dict[str, str]:  # Any: an Input, or what is in one
    """Return each text of an input by its path, in the order of the fields."""
    return dict(_texts(value, ""))


def texts_in(value: Any) -> list[str]:  # Any: an Input, or what its fields hold
    """Return every text that an input holds, however deep, chosen ones too: faster than `texts_of`, for who only measures."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in texts_in(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in texts_in(one)]
    fields = getattr(type(value), "__pydantic_fields__", ())  # `model_fields` is a property in Python
    return [text for name in fields for text in texts_in(getattr(value, name))]


def with_texts(value: Any, texts: Mapping[str, str]) -> Any:  # Any: as above
    """Return an input with other texts at some of its paths; nothing is checked again, and what has none is shared."""
    return _changed(value, texts, "")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    else:
        for name, part in _parts(value):
            yield from _texts(part, f"{path}.{name}" if path else name)


def _changed(value: Any, texts: Mapping[str, str], path: str) -> Any:
    if isinstance(value, str):
        return texts.get(path, value)
    parts = dict(_parts(value))
    made = {name: _changed(part, texts, f"{path}.{name}" if path else name) for name, part in parts.items()}
    new = {name: part for name, part in made.items() if part is not parts[name]}
    if not new:
        return value
    if isinstance(value, BaseModel):
        return value.model_copy(update=new)
    if isinstance(value, Mapping):
        return {name: new.get(str(name), part) for name, part in value.items()}
    items = [new.get(str(place), part) for place, part in enumerate(value)]
    return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)  # a named tuple takes them one by one


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Give what may hold a text in a model, a mapping, a list or a tuple, by name or place."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        yield from ((name, getattr(value, name)) for name in fields if not _is_chosen(fields[name].annotation))
    elif isinstance(value, Mapping):
        yield from ((str(name), part) for name, part in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((str(place), part) for place, part in enumerate(value))


def _is_chosen(annotation: Any) -> bool:  # Any: a type expression
    """Whether all that a field may hold is from a fixed list."""
    kind = plain_type(annotation)
    if get_origin(kind) is Literal:
        return True
    if isinstance(kind, type):
        return issubclass(kind, Enum)
    members = [one for one in get_args(kind) if one is not NoneType] if NoneType in get_args(kind) else []
    return bool(members) and all(_is_chosen(one) for one in members)

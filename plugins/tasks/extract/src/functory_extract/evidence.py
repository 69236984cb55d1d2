"""Finds where values stand in a text: words as they are written, whatever their case and spaces; numbers by what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from functory_extract.types import Evidence

NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[-+]?\d[\d,\u00a0\u202f ]*(?:\.\d+)?")
"""A number as people write it."""


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # Any: JSON
    """Give the values in plain data that have no parts, with their paths: ``lines.0.title``."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from leaves(one, f"{path}.{name}".lstrip("."))
    elif isinstance(value, (list, tuple)):
        for place, one in enumerate(value):
            yield from leaves(one, f"{path}.{place}".lstrip("."))
    else:
        yield path, value


def evidence(fields: Mapping[str, Any], text: str) -> dict[str, Evidence]:
    """Return where each value stands, by its path. One that several fields have is given to them in the order of the text, as
    long as it stands there often enough.

    :param fields: plain data.
    """
    found: dict[str, Evidence] = {}
    taken: dict[str, int] = {}
    for path, value in leaves(fields):
        places = list(_places(value, text))
        if places:
            turn = taken.get(repr(value), 0)
            taken[repr(value)] = turn + 1
            start, end = places[min(turn, len(places) - 1)]
            found[path] = Evidence(start=start, end=end, text=text[start:end])
    return found


def occurrences(value: Any, text: str) -> int:  # Any: JSON without parts
    """Return how often a value stands in a text."""
    return sum(1 for _ in _places(value, text))


def _places(value: Any, text: str) -> Iterator[tuple[int, int]]:
    """Give the first characters and the ends of where a value stands; true, false and null stand nowhere."""
    if isinstance(value, str) and value.strip():
        words = r"\s+".join(map(re.escape, value.split()))
        pattern = _edge(words[0], "?<!") + words + _edge(words[-1], "?!")
        yield from (one.span() for one in re.finditer(pattern, text, re.IGNORECASE))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        for one in NUMBER.finditer(text):
            told = re.sub(r"[,\s]+$", "", one.group())
            if _number(told) == float(value):
                yield one.start(), one.start() + len(told)


def _edge(sign: str, looks: str) -> str:
    """Return what must not stand beside a value: a letter or a digit beside one; beside other scripts words touch."""
    return f"({looks}[A-Za-z0-9])" if re.match("[A-Za-z0-9]", sign) else ""


def _number(told: str) -> float | None:
    """Return what a number is: a comma parts thousands, or is a fraction's where nothing else could be meant."""
    bare = re.sub(r"\s", "", told)
    if re.fullmatch(r"[-+]?\d+,\d{1,2}", bare):
        bare = bare.replace(",", ".")
    try:
        return float(bare.replace(",", ""))
    except ValueError:
        return None

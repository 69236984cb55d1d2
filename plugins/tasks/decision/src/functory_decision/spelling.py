"""Questions in a line, as a terminal and a recipe write them, and as plain data.

``"positive, negative"``                 a choice; the name asks
``"What is it about? sports, politics"`` a choice, asked in words
``"How urgent is it? 1..5"``             a whole number; ``0.0..1.0`` one with a fraction
``"Is a refund asked for?"``             a yes or no
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from functory_decision.schemas import is_schema, questions_of
from functory_sdk import schema_of

_ASKED = re.compile(r"(?P<ask>.*[?？])?(?P<rest>[^?？]*)", re.DOTALL)
_BOUNDS = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(?:\.\.|…)\s*([+-]?\d+(?:\.\d+)?)\s*")
_BETWEEN = re.compile(r"[,，、;；]")


def read(given: Any) -> Any:  # Any: what a recipe says, and what pydantic then checks
    """Return questions as plain data by name: from a pydantic model, its JSON Schema, or questions in any spelling.

    :raises PydanticCustomError: for a field of a model that is no question.
    """
    given = schema_of(given)
    if not isinstance(given, Mapping):
        return given
    if is_schema(given):
        return questions_of(given)
    return {name: _question(one) for name, one in given.items()}


def spelled(line: str) -> dict[str, Any]:  # Any: plain data
    """Return the question that a line spells, as plain data."""
    found = _ASKED.fullmatch(line)
    ask, rest = ((found["ask"] or "").strip(), found["rest"].strip()) if found else ("", line.strip())
    bounds = _BOUNDS.fullmatch(rest)
    if bounds:
        return {"ask": ask, "low": float(bounds[1]), "high": float(bounds[2]), "is_whole": "." not in bounds[1] + bounds[2]}
    options = [option.strip() for option in _BETWEEN.split(rest)] if rest else []
    if len(options) < 2:
        return {"ask": line.strip()}
    return {"ask": ask, "options": [{"value": option} for option in options]}


def _question(given: Any) -> Any:  # Any: as above
    """Return one question as plain data."""
    if isinstance(given, str):
        return spelled(given)
    return {"options": given} if isinstance(given, (list, tuple)) else given

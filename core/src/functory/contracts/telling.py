"""How an output is told in one line, and how it lies in the cells of a table: from its fields alone.

Apart from `task`, whose `Output` does this by default; a task that knows better overrides it there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

NOTHING = "nothing"
"""How an empty answer is told."""


def brief(fields: Mapping[str, Any], top: int) -> str:
    """Return an output's own fields in one line: the answer, and beside it the best few of what was scored.

    :param fields: the fields by name. Scores by name are told best first, after the one that another field names;
        what they say already is not said again.
    :param top: how many of them.
    """
    shares = {name: value for name, value in fields.items() if is_scores(value)}
    scored = {key: share for scores in shares.values() for key, share in scores.items()}
    chosen = next((value for value in fields.values() if isinstance(value, str) and value in scored), "")
    parts = []
    for name, value in fields.items():
        if name in shares:
            parts.append(listed(best(value, top, chosen)))
        elif not _is_said(value, scored) and (told := _told(value, top)):
            parts.append(told if len(fields) == 1 or isinstance(value, str | list | tuple) else f"{name} {told}")
    return "; ".join(parts) or NOTHING


def cells(fields: Mapping[str, Any], top: int | None) -> Iterator[tuple[str, Any]]:
    """Give an output's own fields as the cells of a table's row: column and text, number or truth value.

    Models in it lie in columns of their own, ``place.name``; scores by name likewise, or the best few of them with their
    names; lists are written as JSON.

    :param top: how many scores; a column for each of them when None.
    """
    for column, value in fields.items():
        if is_scores(value):
            yield from _scores(value, top, column)
        elif isinstance(value, BaseModel):
            nested = value.in_cells(top) if hasattr(value, "in_cells") else dict(cells(dict(value), top))
            yield from ((f"{column}.{inner}", cell) for inner, cell in nested.items())
        elif isinstance(value, dict | list | tuple | set | frozenset):
            yield column, json.dumps(_plain(value), ensure_ascii=False)
        else:
            yield column, value


def is_scores(value: object) -> bool:
    """Return whether a field holds numbers with a fraction, by name."""
    return isinstance(value, dict) and bool(value) and all(isinstance(one, float) for one in value.values())


def best(scores: Mapping[str, float], top: int | None, chosen: str = "") -> dict[str, float]:
    """Return the best few scores, the best first.

    :param chosen: the name that comes first whatever its score.
    """
    order = sorted(scores, key=lambda name: (name != chosen, -scores[name]))
    return {name: scores[name] for name in order[:top]}


def listed(scores: Mapping[str, float]) -> str:
    """Return scores in words: ``fresh 0.970, rotten 0.030``."""
    return ", ".join(f"{name} {figure(score)}" for name, score in scores.items())


def figure(number: float) -> str:
    """Return a number for people."""
    return f"{number:.3f}" if abs(number) < 1000 else f"{number:,.0f}"


def _scores(scores: Mapping[str, float], top: int | None, column: str) -> Iterator[tuple[str, Any]]:
    """Give a column for each name, or two for each of the best few: its name and its score."""
    if top is None:
        yield from ((f"{column}.{name}", score) for name, score in scores.items())
        return
    for place, (name, score) in enumerate(best(scores, top).items(), 1):
        yield f"{column}.{place}", name
        yield f"{column}.{place}.score", score


def _is_said(value: object, scored: Mapping[str, float]) -> bool:
    """Return whether the scores say a field already: a scored name, several of them, or the score of one."""
    if not scored:
        return False
    if isinstance(value, float):
        return value in scored.values()
    names = value if isinstance(value, list | tuple) else (value,)
    return all(isinstance(name, str) and name in scored for name in names)


def _told(value: Any, top: int) -> str:  # Any: a field of whatever type
    """Return one field in words; nothing for none."""
    if value is None or value == "" or value == {}:
        return ""
    if isinstance(value, BaseModel):  # an output of its own, in one that is put together
        told: str = value.in_line(top) if hasattr(value, "in_line") else brief(dict(value), top)
        return told
    if isinstance(value, float):
        return figure(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_told(one, top)}" for name, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_told(one, top) for one in value) or NOTHING
    return str(value)


def _plain(value: Any) -> Any:  # Any: as above, and plain data
    """Return a value as JSON takes it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value

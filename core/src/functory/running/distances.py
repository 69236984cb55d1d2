"""How far outputs are from what they were: numbers by their distance, typed outputs by what a tolerance allows.

Apart from `golden`, which says when outputs are compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from functory.contracts.rows import Row

CLOSE = 0.05
"""Two scores may be too close to call within twice this, and no further apart, however wide a form's tolerance is: a
form in integers may be off by much in its numbers, and has yet to give the same answers."""


def distance(then: Sequence[Mapping[str, Any]], now: Sequence[Row]) -> float:
    """Return the largest difference of any number of any row; infinity where rows or shapes differ."""
    if len(then) != len(now):
        return float("inf")
    return max((farthest(value, new.get(name, ())) for old, new in zip(then, now, strict=True) for name, value in old.items()),
               default=0.0)  # fmt: skip


def farthest(then: Any, now: Any) -> float:
    """Return the largest difference of two arrays; infinity where shapes differ, or something is no finite number."""
    old, new = np.asarray(then, dtype=np.float64), np.asarray(now, dtype=np.float64)
    if old.shape != new.shape or not np.isfinite(new).all():
        return float("inf")
    return float(np.abs(old - new).max()) if old.size else 0.0


def largest(value: Any) -> float:
    """Return the largest finite number of an array, whatever its sign; 0 where it has none."""
    numbers = np.abs(np.asarray(value, dtype=np.float64))
    return float(numbers.max(initial=0.0, where=np.isfinite(numbers)))


def is_number(value: Any) -> bool:
    """Whether an output is numbers throughout, and none of them NaN."""
    return not np.isnan(np.asarray(value, dtype=np.float64)).any()


def same(then: Any, now: Any, allowed: float, lead: float | None = None) -> bool:
    """Whether two typed outputs, as plain data, agree.

    Measures agree within a tolerance; other things, counts among them, exactly, unless the answer was too close to call
    and its scores agree. `CLOSE` bounds what is close, whatever is allowed.

    :param lead: by how much the answer led the nearest other one; the two best ``scores`` say it when None.
    """
    if isinstance(then, int) and isinstance(now, int):  # bool is one of them
        return then is now if isinstance(then, bool) or isinstance(now, bool) else then == now
    if isinstance(then, int | float) and isinstance(now, int | float):
        return abs(then - now) <= 2 * allowed
    if isinstance(then, dict) and isinstance(now, dict):
        if then.keys() != now.keys():
            return False
        differing = [key for key in then if not same(then[key], now[key], allowed, lead)]
        is_close = _is_close_call(then.get("scores"), allowed) if lead is None else lead <= margin(allowed)
        return not differing or ("scores" not in differing and is_close)
    if isinstance(then, list) and isinstance(now, list):
        return len(then) == len(now) and all(same(a, b, allowed, lead) for a, b in zip(then, now, strict=True))
    return bool(then == now)


def margin(allowed: float) -> float:
    """Return how far apart two scores may be and still be too close to call."""
    return 2 * min(allowed, CLOSE)


def _is_close_call(scores: Any, allowed: float) -> bool:
    """Whether the two best scores lie within the margin; where several questions have scores, those of any of them."""
    values = [*scores.values()] if isinstance(scores, dict) else []
    if any(isinstance(one, dict) for one in values):
        return any(_is_close_call(one, allowed) for one in values)
    best = sorted((one for one in values if isinstance(one, int | float)), reverse=True)[:2]
    return len(best) == 2 and bool(best[0] - best[1] <= margin(allowed))

"""Golden examples: inputs with this function's outputs, replayed wherever it is loaded.

The commonest failure of this field is a head, an adapter or a conversion that quietly does nothing.
So saving reloads and replays, and loading on a new processor, engine or version replays once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functory.contracts.rows import Row
from functory.errors import GoldenMismatch
from functory.forms import CompositeForm, Form

if TYPE_CHECKING:
    from functory.function import Function

FLOOR = 1e-4
"""The least tolerance: what other batches, threads and processors do to float32."""


@dataclass(frozen=True)
class Golden:
    """One input with the outputs it gave.

    :param value: the Input, as plain data.
    :param output: the typed output, as plain data.
    :param numeric: for each row, each named output as nested lists; empty for composites.
    """

    value: dict[str, Any]
    output: dict[str, Any]
    numeric: list[dict[str, Any]]

    def line(self) -> str:
        """Return it as one line of golden.jsonl."""
        return json.dumps({"input": self.value, "output": self.output, "numeric": self.numeric}, ensure_ascii=False)

    @classmethod
    def read(cls, line: str) -> Golden:
        """Return what `line` wrote."""
        data = json.loads(line)
        return cls(data["input"], data["output"], data["numeric"])


def record(function: Function, inputs: Sequence[Any] = ()) -> list[Golden]:
    """Run inputs, the task's own where none are given, and keep what came out."""
    values = [function.coerce(value) for value in inputs] or list(function.task.golden_inputs(function.state))
    return [
        Golden(value.model_dump(mode="json"), output.model_dump(mode="json"), [_plain(row) for row in rows])
        for value, (output, rows) in zip(values, _run(function, values), strict=True)
    ]


def reformed(function: Function, form: Form) -> Function:
    """Return a function in another form: the same golden inputs, with that form's outputs and tolerance."""
    made = function.replaced(form=form)
    made.golden = record(made, [one.value for one in function.golden])
    form.tolerance = tolerance(made, made.golden)
    return made


def tolerance(function: Function, golden: Sequence[Golden]) -> float:
    """Return the tolerance of a form: ten times what running each input alone changes, at least `FLOOR`."""
    return max(FLOOR, 10 * distance(function, golden))


def distance(function: Function, golden: Sequence[Golden]) -> float:
    """Return the largest difference of any number when each golden input is run alone."""
    return max((_distance(one, _alone(function, one)) for one in golden), default=0.0)


def replay(
    function: Function, golden: Sequence[Golden], allowed: float, *, close: float | None = None, where: str = ""
) -> None:
    """Run the golden inputs again and compare.

    :param allowed: the largest difference of any number.
    :param close: within how much of each other two scores are too close to call; `allowed` when None.
    :raises GoldenMismatch: naming the first input that differs.
    """
    values = [function.task.Input.model_validate(one.value) for one in golden]
    for number, (one, (output, rows)) in enumerate(zip(golden, _run(function, values), strict=True), 1):
        distance = _distance(one, rows)
        if distance > allowed or not _same(
            one.output, output.model_dump(mode="json"), allowed, allowed if close is None else close
        ):
            raise GoldenMismatch(
                f"golden example {number} comes out differently: {_told(one.output)} then, "
                f"{_told(output.model_dump(mode='json'))} now, off by {distance:.2g} where {allowed:.2g} is allowed.",
                where=where or function.about.name,
                do="use the versions that the manifest names, or build the function again here; "
                "`functory verify` says which file and version differ.",
            )


def _run(function: Function, values: Sequence[Any]) -> list[tuple[Any, list[Row]]]:
    """Return the typed output and the rows' outputs of each value."""
    form = function.form
    if isinstance(form, CompositeForm):
        return [(output, []) for output in function.map(values, progress=False)]
    traced = function.trace(values)
    return [(form.formulation.decode(side, rows, function.state), rows) for side, rows in traced]


def _alone(function: Function, one: Golden) -> list[Row]:
    [(_, rows)] = _run(function, [function.task.Input.model_validate(one.value)])
    return rows


def _plain(row: Row) -> dict[str, Any]:
    return {name: np.asarray(value).tolist() for name, value in row.items()}


def _distance(one: Golden, rows: Sequence[Row]) -> float:
    """Return the largest difference of any number; infinity where the shapes or tokens differ."""
    if len(one.numeric) != len(rows):
        return float("inf")
    worst = 0.0
    for then, now in zip(one.numeric, rows, strict=True):
        for name, value in then.items():
            old, new = np.asarray(value, dtype=np.float64), np.asarray(now.get(name, ()), dtype=np.float64)
            if old.shape != new.shape or not np.isfinite(new).all():
                return float("inf")
            if old.size:
                worst = max(worst, float(np.abs(old - new).max()))
    return worst


def _same(then: Any, now: Any, allowed: float, close: float) -> bool:
    """Whether two typed outputs agree: numbers within a tolerance; other things exactly, unless a number beside them
    shows that they were too close to call.
    """
    if isinstance(then, bool) or isinstance(now, bool):
        return bool(then == now)
    if isinstance(then, int | float) and isinstance(now, int | float):
        return abs(then - now) <= 2 * allowed
    if isinstance(then, dict) and isinstance(now, dict):
        if then.keys() != now.keys():
            return False
        differing = [key for key in then if not _same(then[key], now[key], allowed, close)]
        return not differing or _is_close_call(then.get("scores"), close)
    if isinstance(then, list) and isinstance(now, list):
        return len(then) == len(now) and all(_same(a, b, allowed, close) for a, b in zip(then, now, strict=True))
    return bool(then == now)


def _is_close_call(scores: Any, allowed: float) -> bool:
    """Whether the two best scores lie within the tolerance of each other."""
    if not isinstance(scores, dict) or len(scores) < 2:
        return False
    first, second = sorted(scores.values(), reverse=True)[:2]
    return bool(first - second <= 2 * allowed)


def _told(output: dict[str, Any]) -> str:
    text = json.dumps({k: v for k, v in output.items() if k not in ("abstained", "notes")}, ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + "…"

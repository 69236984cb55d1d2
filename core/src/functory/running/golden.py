"""Golden examples: inputs with this function's outputs, replayed wherever it is loaded.

The commonest failure of this field is a head, an adapter or a conversion that quietly does nothing.
So saving reloads and replays, and loading on a new processor, engine or version replays once.

Forward passes are compared by their numbers. Where a text is written, a rounding may take the other of two tokens that are
close, and all that follows differs; what does not jump is the log-probability of the tokens that were stored, and that is
compared. Two texts may part only where the stored token led by as little as a rounding does.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from functory.contracts.component import complaint
from functory.contracts.rows import Row
from functory.errors import ArtefactError, GoldenMismatch
from functory.machine.boundary import corrupt
from functory.machine.members import parsed
from functory.running import distances
from functory.running.reruns import Rerun
from functory.wording.harmless import harmless_json

if TYPE_CHECKING:
    from functory.function import Function
    from functory.running.forms import Form

FLOOR = 1e-4
"""The least tolerance: what other batches, threads and processors do to float32."""
NARROW = 0.05
"""The part of an example's largest number by which a session in bfloat16 may be off, of 1 where only scores are kept: each number
keeps eight bits, and thirty layers were measured to be off by a fiftieth."""
NARROW_TOKEN = 0.25
"""By how much the log-probability of a written token may be off there, whatever it is: the scores behind it are large."""
NARROW_TIE = 0.5
"""Two tokens whose log-probabilities are further apart than this are no tie in bfloat16 either, nor in integers."""


@dataclass(frozen=True)
class Golden:
    """One input with the outputs it gave.

    :param value: the Input, as plain data.
    :param output: the typed output, as plain data.
    :param numeric: for each row, each named output as nested lists; empty for composites. For what was written one row for
        each sample of each request, round after round: ``tokens`` (tokens,), ``log_probability``, as `Session.likelihood`
        gives it for them, and ``lead``.
    """

    value: dict[str, Any]
    output: dict[str, Any]
    numeric: list[dict[str, Any]]

    def line(self) -> str:
        """Return it as one line of golden.jsonl."""
        return json.dumps({"input": self.value, "output": self.output, "numeric": self.numeric}, ensure_ascii=False)

    @classmethod
    def read(cls, line: str) -> Golden:
        """Return what `line` wrote.

        :raises ArtefactCorrupt: when it is no such line.
        """
        data = parsed(line)
        if not isinstance(data, dict) or data.keys() != {"input", "output", "numeric"}:
            raise corrupt("it is no input with output and numeric")
        value, output, numeric = data["input"], data["output"], data["numeric"]
        if not isinstance(value, dict) or not isinstance(output, dict) or not _is_rows(numeric):
            raise corrupt("its input or output is no object, or its numeric no list of objects")
        return cls(value, output, numeric)


def _is_rows(numeric: Any) -> bool:
    return isinstance(numeric, list) and all(isinstance(row, dict) for row in numeric)


def record(function: Function, inputs: Iterable[Any] = ()) -> list[Golden]:
    """Run inputs, as `map` takes them or the task's own where none are given, and keep what came out, in the form's own
    precision: what a session is opened in is not the function's.
    """
    function = _wide(function)
    values = [function.coerce(value) for value in function.items(inputs)] or list(function.task.golden_inputs(function.state))
    return [
        Golden(value.model_dump(mode="json"), output.model_dump(mode="json"), [_plain(row) for row in rows])
        for value, (output, rows) in zip(values, function.form.recorded(function, values), strict=True)
    ]


def has_nan(golden: Iterable[Golden]) -> bool:
    """Return whether an output that was recorded is no number."""
    return not all(distances.is_number(value) for one in golden for row in one.numeric for value in row.values())


def reformed(function: Function, form: Form) -> Function:
    """Return a function in another form: the same golden inputs, with that form's outputs and tolerance.

    :raises GoldenMismatch: where saving would: an output is no finite number, or an input alone has another answer.
    """
    made = function.replaced(form=form)
    made.golden = record(made, [one.value for one in function.golden])
    form.tolerance = tolerance(made, made.golden)
    prove(made)
    return made


def prove(function: Function) -> None:
    """Run the golden inputs again as they are saved and loaded, together and each alone, with the session as it is now.

    :raises GoldenMismatch: where saving, or a load elsewhere, would be refused.
    """
    allowed = function.form.tolerance
    if not math.isfinite(allowed):
        raise GoldenMismatch(
            "its outputs are no finite numbers, or not as many where an input is alone: no tolerance would hold.",
            where=f"{function.about.name}, {function.form.name}",
            do="keep another form, or convert with other options.",
        )
    for some in (function.golden, *([one] for one in function.golden)):
        replay(function, some, allowed, where=f"{function.about.name}, {function.form.name}")


def tolerance(function: Function, golden: Sequence[Golden]) -> float:
    """Return the tolerance of a form: ten times what running each input alone changes, at least `FLOOR` and what it rounds."""
    return max(FLOOR, function.form.rounding, 10 * distance(function, golden))


def distance(function: Function, golden: Sequence[Golden]) -> float:
    """Return the largest difference of any number when each golden input is run alone, in the form's own precision."""
    function = _wide(function)
    return max((now.distance for one in golden for now in _rerun(function, [one])), default=0.0)


def replay(function: Function, golden: Sequence[Golden], allowed: float, *, where: str = "") -> None:
    """Run the golden inputs again and compare.

    :param allowed: the largest difference of any number; in a session that is narrower than the form more is, see `NARROW`.
    :raises GoldenMismatch: naming the first input that differs.
    """
    for number, (one, now) in enumerate(zip(golden, _rerun(function, golden), strict=True), 1):
        fault = _fault(one, now, *_bounds(function, one, allowed))
        if fault:
            raise GoldenMismatch(
                f"golden example {number} comes out differently: {_told(one.output)} then, {_told(now.output)} now; "
                f"{fault}.",
                where=where or function.about.name,
                do="use the versions that the manifest names, or build the function again here; "
                "`functory verify` says which file and version differ.",
            )


def golden_inputs(function: Function, golden: Sequence[Golden]) -> list[Any]:
    """Return the inputs of golden examples as the task's own.

    :raises ArtefactError: when the task that is installed here takes other inputs than the one that the function was made by.
    """
    try:
        return [function.task.Input.model_validate(one.value) for one in golden]
    except ValidationError as error:
        raise ArtefactError(
            f"the golden inputs of {function.name!r} are none for the installed task {function.task.name!r}: {complaint(error)}.",
            do="install the version of the task that the function was made with, or build it again.",
        ) from None


def _rerun(function: Function, golden: Sequence[Golden]) -> list[Rerun]:
    """Run golden inputs again, all together."""
    return function.form.rerun(function, golden, golden_inputs(function, golden))


def _wide(function: Function) -> Function:
    """Return a function opened in its form's own precision."""
    return function.opened(precision="auto") if function.is_narrow else function


def _bounds(function: Function, one: Golden, allowed: float) -> tuple[float, float]:
    """Return by how much numbers may differ here, and by how much a token that is taken in place of a stored one may be behind.

    :param allowed: what the form's own precision is allowed.
    """
    if not function.is_narrow:
        tie = min(2 * allowed, NARROW_TIE) if function.form.rounding else 0.0
        return allowed, max(distances.margin(allowed), tie)
    if any("tokens" in row for row in one.numeric):
        wide = max(allowed, NARROW_TOKEN)
    else:
        numbers = (distances.largest(value) for row in one.numeric for value in row.values())
        wide = max(allowed, NARROW * max(numbers, default=1.0))
    return wide, max(distances.margin(wide), min(2 * wide, NARROW_TIE))


def _fault(one: Golden, now: Rerun, allowed: float, tie: float) -> str:
    """Return what is wrong with an output that came out again; nothing where it is the same."""
    if now.distance > allowed:
        of_what = "the log-probabilities of its tokens are " if "tokens" in (*one.numeric, {})[0] else ""
        return f"{of_what}off by {now.distance:.2g} where {allowed:.2g} is allowed"
    if now.gap is not None:
        is_tie = now.gap <= tie
        what = (
            f"after {now.parted} tokens it takes another, where the stored one led by {now.gap:.2g}"
        )
        return "" if is_tie else what
    if not distances.same(one.output, now.output, allowed, now.lead):
        return f"its numbers are within {allowed:.2g}, and its answer is another"
    return ""


def _plain(row: Row) -> dict[str, Any]:
    return {name: np.asarray(value).tolist() for name, value in row.items()}


def _told(output: dict[str, Any]) -> str:
    kept = {key: value for key, value in output.items() if key not in ("abstained", "notes")}
    text = harmless_json(json.dumps(kept, ensure_ascii=False))
    return text if len(text) <= 100 else text[:97] + "…"

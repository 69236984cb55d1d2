"""Measures a function on examples with known answers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from functory.contracts.task import Task
from functory.contracts.trust import TrustState
from functory.data import Examples, Limit, checked, examples, stream
from functory.data.labels import settled
from functory.data.sources import Format
from functory.measuring.baseline import doubts
from functory.measuring.confused import confused
from functory.measuring.intervals import evaluate_with_intervals
from functory.measuring.mistakes import mistakes
from functory.measuring.origin import origin
from functory.measuring.promises import checked_promises
from functory.measuring.reliability import calibration
from functory.measuring.report import Confusion, Report
from functory.measuring.selective import coverage
from functory.measuring.slices import slices
from functory.measuring.suspects import suspects
from functory.measuring.usual import Usual

if TYPE_CHECKING:
    from functory.function import Function

SEED = 0
"""Of the resampling; the same data give the same interval."""
MOST_MISTAKES = 1000
"""How many wrong answers a report may list."""
MOST_SUSPECTS = 20
"""How many examples whose labels look wrong it lists."""


def read_examples(
    task: Task[Any],
    state: Any,
    data: Any,
    *,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    on_bad_row: str = "stop",
    format: Format | None = None,
    encoding: str = "",
    limit: int = 0,
    seed: int = 0,
    known: Iterable[str] = (),
) -> Examples:
    """Return data as the task's examples.

    :param state: labels are checked against it; None before there is one.
    :param known: labels that are spelled rightly, where there is no state yet: those of the training data.
    :param on_bad_row: ``stop`` or ``skip``.
    :param format: the reader of the files, and its options; found out when None.
    :param encoding: the files' encoding, where their bytes do not tell.
    :param limit: keep so many at most, each label by its share; all when 0.
    :param seed: decides which are kept.
    :raises BadRows: for bad rows or unknown labels, naming file and line.
    """
    found = data
    if not isinstance(data, Examples):
        found = examples(
            stream(data, format=format, encoding=encoding), task.Example, task.columns, columns,
            on_bad_row=on_bad_row, inputs=list(task.Input.model_fields),  # type: ignore[arg-type]
            limit=Limit(limit, seed, task.strata) if limit else None, gather=task.gathered,
        )  # fmt: skip
    found = settled(found, task, known or getattr(state, "spellings", getattr(state, "labels", ())))
    return found if state is None else checked(found, lambda example: task.check(example, state), on_bad_row)  # type: ignore[arg-type]


def read_inputs(
    task: Task[Any],
    data: Any,
    *,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    on_bad_row: str = "stop",
    format: Format | None = None,
    encoding: str = "",
) -> Examples:
    """Return data as the task's inputs, whatever else they hold; arguments as for `read_examples`.

    :raises BadRows: for bad rows, naming file and line.
    """
    return examples(
        stream(data, format=format, encoding=encoding), task.Input, task.columns,
        {field: column for field, column in (columns or {}).items() if field in task.Input.model_fields},
        on_bad_row=on_bad_row, gather=task.gathered,  # type: ignore[arg-type]
    )  # fmt: skip


def evaluate(function: Function, found: Examples) -> Report:
    """Run a function on examples and score it: intervals by bootstrap, a baseline that reads nothing, a floor that is simple."""
    task, state = function.task, function.state
    started = time.perf_counter()
    outputs, plain = _answered(function, found)
    seconds = time.perf_counter() - started
    base = task.baseline(list(found), state)
    floor = function.floor.answers(list(found)) if function.floor is not None else None
    scorer = task.scorer(outputs, list(found), state)
    measured = evaluate_with_intervals(
        scorer,
        len(found),
        seed=SEED,
        baseline=task.scorer(base, list(found), state) if base is not None else None,
        floor=task.scorer(floor, list(found), state) if floor is not None else None,
        lower_is_better=task.lower_is_better,
    )
    parts = task.breakdown(outputs, list(found), state)
    confusion = parts.get("confusion")
    chosen = task.metric if task.metric in measured.metrics else ""
    certainty = task.certainty(outputs, list(found), state)
    before = task.certainty(plain, list(found), state.uncalibrated()) if plain is not None else None
    wrong, surest = mistakes(task, outputs, found, state, MOST_MISTAKES)
    confusions = Confusion.model_validate(confusion) if confusion else None
    return Report(
        function=function.about.name,
        form=function.form.name,
        source=found.source,
        sha256=found.sha256,
        examples=len(found),
        skipped=len(found.skipped),
        metrics=measured.metrics,
        metric=chosen,
        floor=task.floored_by if floor is not None else "",
        confidence=measured.confidence,
        resamples=measured.resamples,
        per_class=tuple(parts.get("per_class", ())),
        confusion=confusions,
        calibration=calibration(certainty, before) if certainty is not None else None,
        coverage=coverage(certainty) if certainty is not None else None,
        promises=checked_promises(certainty, outputs, state) if certainty is not None else (),
        tried=function.about.tried,
        slices=slices(found, scorer, chosen or next(iter(measured.metrics), ""), measured.confidence, SEED),
        confused=confused(confusions, surest),
        suspects=suspects(task, outputs, found, MOST_SUSPECTS),
        wrong=wrong,
        mistakes=surest,
        seconds=seconds,
        notes=(
            *doubts(measured.metrics, chosen, task.floored_by),
            *filter(None, [found.passed_over]),
            *found.notes,
            *task.audit(found),
            *_notes(outputs),
        ),
        usual=Usual.of(task, found, outputs),
        built=origin(function),
        remarks=function.about.notes,
    )


def _answered(function: Function, found: Examples) -> tuple[list[Any], list[Any] | None]:
    """Return the outputs for examples, and what they would be without the function's calibration, where it has one."""
    state = function.state
    if not isinstance(state, TrustState) or not state.is_calibrated:
        return list(function.map(list(found))), None
    both = list(function.under(list(found), (state, state.uncalibrated())))
    return [output for output, _ in both], [plain for _, plain in both]


def _notes(outputs: list[Any]) -> tuple[str, ...]:
    """Return how many outputs carry which note."""
    counts: dict[str, int] = {}
    for output in outputs:
        for note in output.notes:
            counts[note] = counts.get(note, 0) + 1
    return tuple(f"{count:,} × {note}" for note, count in sorted(counts.items(), key=lambda item: -item[1])[:5])

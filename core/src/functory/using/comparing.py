"""Compares two functions of one task on the same examples: which is better, and where they differ."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from functory.artefact.opening import digests, listed, open_artefact
from functory.contracts.judging import Judgement, surplus
from functory.data import Examples, checked
from functory.data.sources import Format
from functory.errors import DataError, UsageError
from functory.function import Function
from functory.machine.storage import refusals_told
from functory.measuring.comparison import Comparison, Difference, Disagreement
from functory.measuring.evaluation import SEED, read_examples
from functory.measuring.intervals import Scorer, evaluate_with_intervals
from functory.measuring.mistakes import LONGEST, check_count, cut, input_text, sureness
from functory.running.backbones import Whereabouts


@refusals_told
def compare(
    first: Function | Path | str,
    second: Function | Path | str,
    data: Any,
    *,
    on_bad_row: str = "stop",
    columns: Mapping[str, str | Sequence[str]] | None = None,
    format: Format | None = None,
    encoding: str = "",
    rows: int = 20,
    components: str | Sequence[str] = (),
    backbone: str | Sequence[str] = (),
    hubs: str | Sequence[str] = (),
    sha256: str | Sequence[str] = "",
) -> Comparison:
    """Compare two functions of one task on data with known answers.

    Each metric's difference has an interval by the paired bootstrap: both are scored on the same resamples, so that what is
    hard for both counts for neither.

    :param first: a function, a saved one's folder, or an installed one's name.
    :param second: likewise; differences are the second's less the first's.
    :param data: as `Function.evaluate` takes it, with on_bad_row, columns, format and encoding.
    :param rows: how many of the examples that they answer differently to list, those first where both are surest.
    :param components: as `functory.load` takes them, and `backbone` and `hubs` too, each for whichever needs it.
    :param sha256: the digests that saved functions must have, the first's and the second's; any where none is given.
    :raises UsageError: when they do different tasks, or one of them is no function.
    :raises OptionError: when the number of rows is negative.
    :raises DataError: for a bad row, or a label that one of them does not know, naming file and line.
    """
    check_count(rows, "rows")
    whereabouts = Whereabouts(listed(backbone), listed(hubs), must_fit=False)
    pair = [
        one
        if isinstance(one, Function)
        else open_artefact(one, components=listed(components), whereabouts=whereabouts, sha256=digest)
        for one, digest in zip((first, second), digests(sha256, 2), strict=True)
    ]
    one, other = pair
    if one.task.name != other.task.name:
        raise UsageError(
            f"{one.name} does {one.task.name}, and {other.name} does {other.task.name}.",
            do="compare functions of one task.",
        )
    found = read_examples(
        one.task, one.state, data, columns=columns, on_bad_row=on_bad_row, format=format, encoding=encoding
    )
    found = checked(found, lambda example: _check(other, example), on_bad_row)  # type: ignore[arg-type]
    runs = [_run(function, found) for function in pair]
    return _compared(_names(pair, (first, second)), runs, found, rows)


@dataclass(frozen=True)
class _Run:
    """What one function answered."""

    function: Function
    outputs: list[Any]
    seconds: float

    def scorer(self, found: Examples) -> Scorer:
        scored: Scorer = self.function.task.scorer(self.outputs, list(found), self.function.state)
        return scored

    def judged(self, found: Examples) -> list[Judgement]:
        task, state = self.function.task, self.function.state
        return [task.judge(output, example, state) for output, example in zip(self.outputs, found, strict=True)]


def _check(function: Function, example: Any) -> None:
    """Refuse an example that the second function cannot be measured on, as reading did for the first.

    :raises DataError: naming the function.
    """
    try:
        function.task.check(example, function.state)
    except DataError as error:
        what = f"{function.name}, the second, cannot be measured on it: {error.what}"
        raise DataError(what, where=error.where, do=error.do) from None


def _run(function: Function, found: Examples) -> _Run:
    """Run a function on the examples; what it takes to open it is not counted among its seconds."""
    list(function.map(found[:1], progress=False))
    started = time.perf_counter()
    outputs = list(function.map(list(found)))
    return _Run(function, outputs, time.perf_counter() - started)


def _compared(names: tuple[str, str], runs: Sequence[_Run], found: Examples, most: int) -> Comparison:
    one, other = runs
    scorers = [run.scorer(found) for run in runs]
    everything = np.arange(len(found), dtype=np.int64)
    whole = [scorer(everything) for scorer in scorers]
    task = one.function.task
    measured = evaluate_with_intervals(_paired(scorers), len(found), seed=SEED, lower_is_better=task.lower_is_better)
    judged = [run.judged(found) for run in runs]
    differing = [n for n, (a, b) in enumerate(zip(*judged, strict=True)) if a.given != b.given]
    right = [_right(judged[0][n], judged[1][n]) for n in differing]
    surest = sorted(differing, key=lambda n: -min(sureness(judged[0][n]), sureness(judged[1][n])))[:most]
    is_known = all(which is not None for which in right)
    return Comparison(
        first=names[0],
        second=names[1],
        task=task.name,
        source=found.source,
        sha256=found.sha256,
        examples=len(found),
        skipped=len(found.skipped),
        metrics={
            name: Difference(
                first=whole[0][name],
                second=whole[1][name],
                value=metric.value,
                low=metric.low,
                high=metric.high,
                higher_is_better=metric.higher_is_better,
            )
            for name, metric in measured.metrics.items()
        },
        metric=task.metric if task.metric in measured.metrics else "",
        confidence=measured.confidence,
        resamples=measured.resamples,
        differing=len(differing),
        first_alone=right.count("first") if is_known else None,
        second_alone=right.count("second") if is_known else None,
        rows=tuple(_row(found, n, judged[0][n], judged[1][n], task) for n in surest),
        seconds=(one.seconds, other.seconds),
        notes=(*filter(None, [found.passed_over]), *found.notes, *_label_notes(names, runs)),
    )


def _paired(scorers: Sequence[Scorer]) -> Scorer:
    """Return the second's metrics less the first's, of those that both have, on the same examples."""

    def difference(indices: NDArray[np.int64]) -> dict[str, float]:
        one, other = (scorer(indices) for scorer in scorers)
        return {name: other[name] - one[name] for name in one if name in other}

    return difference


def _right(one: Judgement, other: Judgement) -> Any:  # Any: the literals of Disagreement.right
    """Return whose answer is right, of two that differ."""
    if one.is_right is None or other.is_right is None:
        return None
    return "first" if one.is_right else "second" if other.is_right else "neither"


def _row(found: Examples, n: int, one: Judgement, other: Judgement, task: Any) -> Disagreement:
    return Disagreement(
        place=found.places[n],
        text=input_text(task, found[n]),
        first=cut(one.given, LONGEST),
        second=cut(other.given, LONGEST),
        first_parts=surplus(one.parts, other.parts),
        second_parts=surplus(other.parts, one.parts),
        wanted=None if one.wanted is None else cut(one.wanted, LONGEST),
        right=_right(one, other),
        first_confidence=one.confidence,
        second_confidence=other.confidence,
    )


def _label_notes(names: tuple[str, str], runs: Sequence[_Run]) -> list[str]:
    """Return which labels only one of them knows: it is wrong, or right, for nothing there."""
    known = [dict.fromkeys(map(str, getattr(run.function.state, "labels", ()))) for run in runs]
    alone = [[label for label in known[n] if label not in known[1 - n]] for n in range(2)]
    return [f"{name} alone knows {_listed(labels)}." for name, labels in zip(names, alone, strict=True) if labels]


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - 5:,} labels more" if len(labels) > 5 else ""
    return ", ".join(map(repr, labels[:5])) + more


def _names(pair: Sequence[Function], references: tuple[Any, Any]) -> tuple[str, str]:
    """Return two names that tell the functions apart: their own, or as they were called for, or with version or form."""
    candidates = [
        [function.name for function in pair],
        [str(one).rstrip("/") if isinstance(one, str | Path) else "" for one in references],
        [f"{function.name} {function.about.version}" for function in pair],
        [f"{function.name} ({function.form.name})" for function in pair],
    ]
    for one, other in candidates:
        if one != other and one and other:
            return one, other
    name = pair[0].name
    return f"{name} (first)", f"{name} (second)"

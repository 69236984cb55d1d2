"""Labels that may be mistakes: alike but for what nobody sees, said to be missing, or several in one text.

Apart from `validation`, which looks at one row: here all rows of a source are looked at together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functory.contracts.labels import ALIKE, MISSING, LabelRules, folded
from functory.data.examples import Examples
from functory.data.faults import Fault
from functory.errors import DataError

if TYPE_CHECKING:
    from functory.contracts.task import Task

SHOWN = 3
"""Kinds of mistakes that an error shows; the others are counted."""

Rows = dict[str, list[int]]
"""For each label, the examples that have it, by their numbers."""


def settled(found: Examples, task: Task[Any], known: Iterable[str] = ()) -> Examples:
    """Return examples with their labels as the task's options want them: without white space around, one spelling each.

    :param known: labels that are right as they are: those of the training data, or of the options.
    :raises DataError: for labels that are alike or missing, where the options refuse them, with counts and first rows.
    """
    rules = task.options if isinstance(task.options, LabelRules) else LabelRules()
    found = task.prepared(found)
    found = _renamed(found, task, {label: label.strip() for label in _rows(found, task)})
    rows, right = _rows(found, task), {*known, *rules.labels}
    lost = _missing(found, rows, rules, right)
    kept = {label: numbers for label, numbers in rows.items() if label not in lost}  # what goes is like nothing that stays
    names = _merged(found, kept, rules, right, has_options=rules is task.options)
    found = replace(_renamed(found, task, names), notes=(*found.notes, *_noted(names, kept)))
    if not lost:
        return found
    gone = {number for label in lost for number in rows[label]}
    faults = [Fault(f"its label is {label!r}", number, found.places[number]) for label in lost for number in rows[label]]
    rest = found.take(number for number in range(len(found)) if number not in gone)
    skipped = (*found.skipped, *sorted(faults, key=lambda fault: fault.row))
    return replace(rest, skipped=skipped, notes=found.notes)


def _rows(found: Examples, task: Task[Any]) -> Rows:
    """Return which examples have each label."""
    rows: Rows = defaultdict(list)
    for number, example in enumerate(found):
        for label in dict.fromkeys(task.labels(example)):
            rows[label].append(number)
    return dict(rows)


def _renamed(found: Examples, task: Task[Any], names: Mapping[str, str]) -> Examples:
    """Return examples with other names for their labels."""
    changed = {label: name for label, name in names.items() if label != name}
    if not changed:
        return found
    items = [
        task.relabelled(example, changed) if not changed.keys().isdisjoint(task.labels(example)) else example
        for example in found
    ]
    return replace(found, items=tuple(items))


def _missing(found: Examples, rows: Rows, rules: LabelRules, right: set[str]) -> list[str]:
    """Return the labels that say there is none, whose rows are to go.

    :raises DataError: when the options refuse them.
    """
    lost = [label for label in rows if label in MISSING and label not in right]
    if not lost or rules.missing == "keep":
        return []
    if rules.missing == "drop":
        return lost
    told = _told([_place(found, label, rows[label]) for label in lost])
    raise DataError(
        f"labels that say there is none: {told}.",
        where=found.source,
        do="if it is a label, build with missing = 'keep' (--set task.missing=keep); to pass over its rows, with missing = "
        "'drop'; or correct the data.",
    )


def _merged(found: Examples, rows: Rows, rules: LabelRules, right: set[str], *, has_options: bool) -> dict[str, str]:
    """Return one spelling for all labels that are alike.

    :raises DataError: when the options refuse them.
    """
    if rules.alike == "keep":
        return {}
    groups: dict[str, list[str]] = defaultdict(list)
    for label in sorted({*rows, *right}):
        groups[folded(label)].append(label)
    alike = [group for group in groups.values() if len(group) > 1 and any(label not in right for label in group)]
    if alike and rules.alike == "refuse":
        raise _refusal(found, alike, rows, has_options=has_options)
    return {label: _chosen(group, rows, right) for group in alike for label in group if label not in right}


def _noted(names: Mapping[str, str], rows: Rows) -> list[str]:
    """Say which labels were read as another."""
    changed = [(label, name) for label, name in names.items() if label != name]
    counts = {label: len(rows.get(label, ())) for label, _ in changed}
    told = [f"{label!r} as {name!r} ({counts[label]:,} row{'s' * (counts[label] > 1)})" for label, name in changed]
    return [f"labels that are alike were merged: {_told(told)}."] if told else []


def _chosen(group: Sequence[str], rows: Rows, right: set[str]) -> str:
    """Return the label that stands for those alike: one that is right, else the commonest."""
    return min(group, key=lambda label: (label not in right, -len(rows.get(label, ())), label))


def _refusal(found: Examples, alike: Sequence[Sequence[str]], rows: Rows, *, has_options: bool) -> DataError:
    """Return the error that names labels that are alike."""
    told = _told([" and ".join(_place(found, label, rows.get(label, ())) for label in group) for group in alike])
    options = "to make them one, build with alike = 'merge' (--set task.alike=merge); to keep them, with alike = 'keep'; or "
    return DataError(
        f"labels {ALIKE}: {told}.", where=found.source, do=f"{options if has_options else ''}correct the data."
    )


def _place(found: Examples, label: str, numbers: Sequence[int]) -> str:
    """Say how often a label stands, and where first."""
    if not numbers:
        return f"{label!r} (known)"
    times = "once, in" if len(numbers) == 1 else f"{len(numbers):,} times, first in"
    return f"{label!r} ({times} {found.places[numbers[0]]})"


def _told(kinds: Sequence[str]) -> str:
    """Return the first of many kinds, and how many more there are."""
    more = f"; and {len(kinds) - SHOWN:,} more" if len(kinds) > SHOWN else ""
    return "; ".join(kinds[:SHOWN]) + more

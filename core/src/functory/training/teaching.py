"""What is taught: the rows of a split with their gold arrays, and how the outputs of dev are scored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from functory.contracts import counted
from functory.contracts.formulation import Formulation
from functory.contracts.rows import Encoded, Row, Taught
from functory.data import Examples, Splits
from functory.errors import NotSupported
from functory.reading.reader import Reader
from functory.running.forms import TorchForm

if TYPE_CHECKING:
    from functory.function import Function


def taught(
    form: TorchForm, splits: Splits, function: Function, unlabelled: Sequence[Any] = ()
) -> tuple[Taught, Taught | None, tuple[str, ...]]:
    """Return the rows to train on, those to choose by, where dev has any, and what is to be said of them.

    :param unlabelled: inputs of which nobody said what they are.

    :raises NotSupported: when there is nothing to train on.
    """
    task, state, formulation = function.task, function.state, form.formulation
    reader = function.reader
    train = _rows(task, formulation, splits.train, reader, state)
    if not train.rows:
        raise NotSupported(
            f"{type(formulation).__name__} gives no rows to train on.",
            do="choose another adaptation, or give longer texts.",
        )
    if unlabelled:
        train.unlabelled = counted.encode(formulation, unlabelled, reader, state).rows
    dev = _held_out(task, formulation, splits.dev, reader, state)
    if dev.rows:
        return train, dev, train.notes
    if not len(splits.dev):
        return train, None, train.notes
    empty = f"dev has no text to measure on ({len(splits.dev):,} empty): nothing is chosen by it."
    return train, None, (*train.notes, empty)


def rows_of(form: TorchForm, examples: Examples, function: Function) -> list[dict[str, Any]]:
    """Return the rows of examples as training sees them, with their gold arrays."""
    return _rows(function.task, form.formulation, examples, function.reader, function.state).rows


def digest(train: Taught, dev: Taught | None, held_out: Examples, among: Sequence[Row] = ()) -> str:
    """Return what tells rows from any other: the names, types, shapes and numbers of all their arrays, whose they are and which
    come together; and of those to choose by, what is right.

    :param among: rows of the build among which they are.
    """
    found = hashlib.sha256()
    for side in (train, dev, Taught(list(map(dict, among)), []) if among else None):
        for row in (*side.rows, *side.unlabelled) if side else ():
            for name, array in row.items():
                found.update(f"{name} {array.dtype} {array.shape} ".encode())
                found.update(array.tobytes())
        found.update(f"{(side.owner, side.group) if side else None}".encode())
    for example in held_out:
        found.update(example.model_dump_json().encode())
    return found.hexdigest()


def input_of(task: Any, example: Any) -> Any:
    """Return an example's input alone."""
    return task.Input.model_construct(**{name: getattr(example, name) for name in task.Input.model_fields})


def _rows(task: Any, formulation: Formulation, side: Examples, reader: Reader, state: Any) -> Taught:
    """Return a split's rows with their gold arrays; none for texts that have none."""
    return counted.teach(formulation, list(side), [input_of(task, example) for example in side], reader, state)


def _held_out(task: Any, formulation: Formulation, side: Examples, reader: Reader, state: Any) -> Taught:
    """Return the rows to choose by, with what scores their outputs: those that are taught where the formulation appraises them
    itself, and those that a caller's inputs have where its answers decide.
    """
    examples = list(side)
    if type(formulation).appraise is not Formulation.appraise:
        judged = _rows(task, formulation, side, reader, state)
        whole = Encoded(judged.rows, judged.owner, [None] * len(examples))
        judged.score = lambda outputs: formulation.appraise(whole.rows_of(outputs), examples, state)
        return judged
    encoded = counted.encode(formulation, [input_of(task, example) for example in side], reader, state)

    def score(outputs: Sequence[Row]) -> Mapping[str, float]:
        import numpy as np

        grouped = encoded.rows_of(outputs)
        typed = [formulation.decode(one, rows, state) for one, rows in zip(encoded.side, grouped, strict=True)]
        metrics = dict(task.scorer(typed, examples, state)(np.arange(len(examples))))
        first = task.deciding(metrics)
        return {first: metrics.pop(first), **metrics}

    return Taught(encoded.rows, encoded.owner, score=score)

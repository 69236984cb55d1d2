"""What is taught: the rows of a split with their gold arrays, and how the outputs of dev are scored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from functory.contracts.counted import encode, label
from functory.contracts.engine import LabelledRows
from functory.contracts.task import Formulation
from functory.data import Examples, Splits
from functory.errors import NotSupported
from functory.reading.reader import Reader
from functory.running.forms import TorchForm

if TYPE_CHECKING:
    from functory.function import Function


def taught(form: TorchForm, splits: Splits, function: Function) -> tuple[LabelledRows, LabelledRows | None, str]:
    """Return the rows to train on, those to choose by, where dev has any, and what is to be said of them.

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
    dev = _rows(task, formulation, splits.dev, reader, state)
    if dev.rows:
        dev.score = _scored(task, formulation, splits.dev, reader, state)
        return train, dev, ""
    if not len(splits.dev):
        return train, None, ""
    return train, None, f"dev has no text to measure on ({len(splits.dev):,} empty): nothing is chosen by it."


def digest(*sides: LabelledRows | None) -> str:
    """Return what tells rows from any other: the names, types, shapes and numbers of all their arrays, and whose they are."""
    found = hashlib.sha256()
    for side in sides:
        for row in side.rows if side else ():
            for name, array in row.items():
                found.update(f"{name} {array.dtype} {array.shape} ".encode())
                found.update(array.tobytes())
        found.update(f"{side.owner if side else None}".encode())
    return found.hexdigest()


def input_of(task: Any, example: Any) -> Any:
    """Return an example's input alone."""
    return task.Input.model_construct(**{name: getattr(example, name) for name in task.Input.model_fields})


def _rows(task: Any, formulation: Formulation, side: Examples, reader: Reader, state: Any) -> LabelledRows:
    """Return a split's rows with their gold arrays; none for texts that have none."""
    encoded = encode(formulation, [input_of(task, example) for example in side], reader, state)
    golds = label(formulation, list(side), encoded, state)
    return LabelledRows([{**row, **gold} for row, gold in zip(encoded.rows, golds, strict=True)], encoded.owner)


def _scored(
    task: Any, formulation: Formulation, side: Examples, reader: Reader, state: Any
) -> Callable[[Sequence[Any]], Mapping[str, float]]:
    """Return the function that scores a split's outputs: the task's own metric first."""
    import numpy as np

    encoded = encode(formulation, [input_of(task, example) for example in side], reader, state)
    examples = list(side)

    def score(outputs: Sequence[Any]) -> Mapping[str, float]:
        grouped = encoded.rows_of(outputs)
        typed = [formulation.decode(one, rows, state) for one, rows in zip(encoded.side, grouped, strict=True)]
        metrics = dict(task.scorer(typed, examples, state)(np.arange(len(examples))))
        first = task.metric if task.metric in metrics else next(iter(metrics))
        return {first: metrics.pop(first), **metrics}

    return score

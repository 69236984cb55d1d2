"""Labels that look wrong, by confident learning (Northcutt, Jiang and Chuang 2021, Confident learning, section 3.1).

A label is suspect where a function that did not learn from the row is as sure of another label as it is in the mean of the
rows that have that other label. What it asks of each label hangs on the label: one that is hard to be sure of needs less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from functory.measuring.mistakes import input_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from functory.contracts.task import Task
    from functory.data import Examples


class Suspect(BaseModel):
    """An example whose label looks wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: str = Field(description="Where the example comes from: 'reviews.csv, line 7'.")
    text: str = Field(description="The input, its beginning where it is long.")
    label: str = Field(description="The label that it has.")
    likelier: str = Field(description="The label that it seems to want.")
    chance: float = Field(description="The probability of that one.")
    of_label: float = Field(description="The probability of the label that it has.")


def suspects(task: Task[Any], outputs: Sequence[Any], found: Examples, most: int) -> tuple[Suspect, ...]:
    """Return the examples whose labels look wrong, the likeliest first; none where outputs are no probabilities of labels.

    :param outputs: of each example, by a function that did not learn from it.
    :param most: how many to return.
    """
    import numpy as np

    having = [task.strata(example) for example in found]
    scores = [getattr(output, "scores", None) for output in outputs]
    first = scores[0] if scores else None
    if not isinstance(first, Mapping) or any(len(one) != 1 for one in having):
        return ()
    place = {label: n for n, label in enumerate(first)}
    known = [n for n, (labels, one) in enumerate(zip(having, scores, strict=True)) if one and labels[0] in place]
    if len(place) < 2 or not known:
        return ()
    given = np.array([place[having[n][0]] for n in known], dtype=np.int64)
    chances = np.array([[scores[n][label] for label in place] for n in known], dtype=np.float64)  # type: ignore[index]
    names = list(place)
    return tuple(
        _suspect(task, found, known[row], names, int(given[row]), other, chances[row])
        for row, other in doubted(given, chances)[:most]
    )


def doubted(given: NDArray[np.int64], chances: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the rows whose label looks wrong, each with the label that it seems to want; the likeliest first.

    :param given: (rows,) the labels, by number.
    :param chances: (rows, labels) their probabilities, by a function that did not learn from the row.
    """
    import numpy as np

    rows, labels = np.arange(len(given)), chances.shape[1]
    counts = np.bincount(given, minlength=labels)
    sums = np.bincount(given, weights=chances[rows, given], minlength=labels)
    wanted = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)  # (labels,): the mean sureness of each
    sure = np.where(chances >= wanted, chances, -1.0)
    other = sure.argmax(axis=1)
    margin = chances[rows, other] - chances[rows, given]
    found = np.flatnonzero((sure.max(axis=1) >= 0) & (other != given) & (margin > 0))
    order = found[np.argsort(-margin[found], kind="stable")]
    return [(int(row), int(other[row])) for row in order]


def _suspect(
    task: Task[Any], found: Examples, n: int, names: Sequence[str], given: int, other: int, chances: NDArray[np.float64]
) -> Suspect:
    return Suspect(
        place=found.places[n],
        text=input_text(task, found[n]),
        label=names[given],
        likelier=names[other],
        chance=float(chances[other]),
        of_label=float(chances[given]),
    )

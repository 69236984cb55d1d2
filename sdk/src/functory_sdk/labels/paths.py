"""Labels in a hierarchy: a label is a path, ``hardware/printer/jam``, and may end at any step.

One softmax over all whole paths is learned, and a path higher up has the sum of those that it leads to: no answer is an
impossible path, and levels never contradict each other. A plain softmax summed upwards is hard to beat by losses that know
the tree (Valmadre 2022, Hierarchical classification at multiple operating points, section 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from functory.contracts.rows import Array
from functory.errors import DataError
from functory_sdk.labels.named import named
from functory_sdk.labels.types import Labels

SEPARATOR = "/"
"""What stands between steps where nothing else is said."""


@dataclass(frozen=True)
class Level:
    """The paths down to one level.

    :param paths: those that are long enough, each once.
    :param place: (labels,) which of them each label goes through; −1 where it ended before.
    """

    paths: tuple[str, ...]
    place: Array


def steps(label: str, separator: str) -> tuple[str, ...]:
    """Return the steps of a label, from the top."""
    return tuple(part.strip() for part in label.split(separator.strip() or separator))


def written(given: str | Sequence[str], separator: str) -> str:
    """Return a path as one label, from a text or from its steps.

    :raises DataError: when a step is empty, or holds what stands between steps.
    """
    cut = separator.strip() or separator
    parts = steps(given.strip().removeprefix(cut).removesuffix(cut), separator) if isinstance(given, str) else tuple(given)
    if not parts or not all(part.strip() for part in parts):
        told = repr(given) if isinstance(given, str) else ", ".join(map(repr, given)) or "an empty list"
        raise DataError(f"a path has an empty step: {told}.", do="complete it, or end it there.")
    holds = next((part for part in parts if cut in part), "")
    if holds:
        raise DataError(
            f"the step {holds!r} holds {cut!r}, which stands between steps.",
            do="choose a sign that stands in no step: separator = ' > '.",
        )
    return separator.join(part.strip() for part in parts)


def above(label: str, separator: str) -> tuple[str, ...]:
    """Return the paths that lead to a label, from the top, itself last."""
    parts = steps(label, separator)
    return tuple(separator.join(parts[: end + 1]) for end in range(len(parts)))


@lru_cache(maxsize=8)
def tree(labels: tuple[str, ...], separator: str) -> tuple[Level, ...]:
    """Return the levels that labels go through, from the top."""
    through = [above(label, separator) for label in labels]
    made = []
    for depth in range(max(map(len, through), default=0)):
        paths = tuple(dict.fromkeys(one[depth] for one in through if len(one) > depth))
        number = {path: index for index, path in enumerate(paths)}
        made.append(Level(paths, np.asarray([number[one[depth]] if len(one) > depth else -1 for one in through])))
    return tuple(made)


def levels(shares: Array, state: Labels) -> tuple[dict[str, float], ...]:
    """Return the probability of every path at each level, from those of the labels, (labels,)."""
    made = []
    for level in tree(state.labels, state.separator):
        inside = level.place >= 0
        sums = np.bincount(level.place[inside], weights=shares[inside], minlength=len(level.paths))
        made.append(named(level.paths, sums))
    return tuple(made)

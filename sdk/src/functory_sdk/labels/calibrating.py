"""Scores of labels at a temperature, and the temperature that fits rows that nothing else was fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from functory.contracts.rows import Array, Row
from functory_sdk.labels import ratings
from functory_sdk.labels.types import Labels
from functory_sdk.temperature import fitted_temperature, surprise


def calibrated(shares_at: Callable[[float], Array], right: Sequence[Sequence[str]], state: Labels) -> Labels:
    """Return the state with the temperature at which rows are least surprising.

    :param shares_at: the probability of each label, (rows, labels), at a temperature.
    :param right: the right labels of each row; rows with one that is not known say nothing.
    """
    known = [n for n, labels in enumerate(right) if all(label in state.labels for label in labels)]
    if not known:
        return state
    wanted = np.asarray([[label in right[n] for label in state.labels] for n in known])  # (rows, labels)

    def loss(temperature: float) -> float:
        shares = shares_at(temperature)[known]
        return surprise(np.where(wanted, shares, 1 - shares) if state.mode == "multi" else shares[wanted])

    return state.model_copy(update={"temperature": fitted_temperature(loss, len(known))})


def tempered(outputs: Sequence[Row], state: Labels) -> Sequence[Row]:
    """Return a head's outputs, ``scores`` and the numbers beside them, at the state's temperature."""
    return outputs if not state.is_calibrated else [_tempered(row, state) for row in outputs]


def _tempered(row: Row, state: Labels) -> Row:
    scores = np.asarray(row["scores"], dtype=np.float64) / state.temperature
    if not state.is_one:
        return {**row, "scores": scores}
    scores = scores - np.logaddexp.reduce(scores)
    value = {"value": np.asarray(ratings.expected(np.exp(scores), state))} if "value" in row else {}
    return {**row, "scores": scores, **value}

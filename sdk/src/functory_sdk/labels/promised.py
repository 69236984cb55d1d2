"""What promises make of an answer: it is declined where the function is not sure enough, and a set of labels stands beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from functory.contracts.trust import nearest, prediction_set
from functory_sdk.labels import paths
from functory_sdk.labels.certainty import chosen, is_outside, together
from functory_sdk.labels.types import C, Labels


def promised(output: C, state: Labels) -> C:
    """Return an answer as the promises have it."""
    changed: dict[str, Any] = {"prediction_set": prediction_set(output.scores, state)} if state.sets else {}
    if state.abstaining and not output.abstained and state.declines(sureness(output, state)):
        changed |= {"label": None, "labels": (), "abstained": True}
        changed |= {"path": ()} if state.mode == "path" else {}
    return output.model_copy(update=changed) if changed else output


def answering(output: C, state: Labels) -> C:
    """Return the answer that a function would have given, where it declined because it was not sure enough.

    Metrics are of such answers, so that functions can be compared whatever they promise.
    """
    if not (state.abstaining and output.abstained and output.scores):
        return output
    shares = np.asarray([output.scores[label] for label in state.labels])
    if is_outside(shares, output, state):
        return output
    if state.mode == "multi":
        given = [n for n, limit in enumerate(state.thresholds) if shares[n] >= limit]
        labels = tuple(state.labels[n] for n in given)
        return output.model_copy(
            update={"label": max(labels, key=output.scores.__getitem__, default=None), "labels": labels, "abstained": False}
        )
    label = state.labels[chosen(shares, state)]
    changed = {"label": label, "labels": (label,), "abstained": False}
    changed |= {"path": paths.steps(label, state.separator)} if state.mode == "path" else {}
    return output.model_copy(update=changed)


def sureness(output: C, state: Labels) -> float:
    """Return the probability that an answer is right, as its scores tell it."""
    shares = np.asarray([output.scores[label] for label in state.labels])
    return float(together(shares, state) if state.mode == "multi" else shares[chosen(shares, state)])


def distance(output: C, state: Labels) -> float:
    """Return how far an answer is from where a promise would make another of it; infinity without promises."""
    return nearest(sureness(output, state), output.scores, state) if state.abstaining or state.sets else float("inf")

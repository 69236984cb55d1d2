"""How well: an entity counts where type and both ends are right, as seqeval's strict mode has it.

Counted once per example, so that a thousand resamples cost milliseconds; seqeval itself reads rows of tags and would
take seconds for each. It exists as a source archive only: the tests hold the figures to numbers worked out by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from functory.contracts.rows import Array
from functory.contracts.task import Scorer
from functory_sdk.spans.types import Entities, SpanLabels


class _Typed(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def label(self) -> str: ...


def scorer(outputs: Sequence[Entities], examples: Sequence[Any], state: SpanLabels) -> Scorer:
    """Return the metrics as a function of which examples count; `f1`, `precision` and `recall` over all entities."""
    counts = _counts(outputs, examples, state)

    def score(indices: Array) -> Mapping[str, float]:
        hit, said, true = counts[:, indices].sum(1)  # (labels,) each
        seen = (said + true) > 0
        each = _f1(hit, said, true)
        return {
            "f1": float(_f1(hit.sum(), said.sum(), true.sum())),
            "precision": float(hit.sum() / max(1, said.sum())),
            "recall": float(hit.sum() / max(1, true.sum())),
            "macro_f1": float(each[seen].mean()) if seen.any() else 0.0,
        }

    return score


def breakdown(outputs: Sequence[Entities], examples: Sequence[Any], state: SpanLabels) -> Mapping[str, Any]:
    """Return precision, recall, F1 and support of each type."""
    hit, said, true = _counts(outputs, examples, state).sum(1)
    rows = [
        {
            "label": label,
            "precision": float(hit[i] / max(1, said[i])),
            "recall": float(hit[i] / max(1, true[i])),
            "f1": float(_f1(hit[i], said[i], true[i])),
            "support": int(true[i]),
        }
        for i, label in enumerate(state.labels)
    ]
    return {"per_class": rows}


def _counts(outputs: Sequence[Entities], examples: Sequence[Any], state: SpanLabels) -> Array:
    """Return (3, examples, labels): the entities that are right, that were found, that there are."""
    counts = np.zeros((3, len(examples), len(state.labels)), dtype=np.int64)
    place = {label: i for i, label in enumerate(state.labels)}
    for row, (output, example) in enumerate(zip(outputs, examples, strict=True)):
        given, wanted = _spans(output.entities), _spans(example.entities)
        for kind, spans in enumerate((given & wanted, given, wanted)):
            for _, _, label in spans:
                counts[kind, row, place[label]] += 1
    return counts


def _spans(entities: Sequence[_Typed]) -> set[tuple[int, int, str]]:
    return {(entity.start, entity.end, entity.label) for entity in entities}


def _f1(hit: Array, said: Array, true: Array) -> Array:
    f1: Array = 2 * hit / np.maximum(1, said + true)
    return f1

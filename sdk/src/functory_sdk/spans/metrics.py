"""How well: an entity counts where type and both ends are right, as seqeval's strict mode has it.

Counted once per example, so that a thousand resamples cost milliseconds; seqeval itself reads rows of tags and would
take seconds for each. It exists as a source archive only: the tests hold the figures to numbers worked out by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from functory.contracts.rows import Array
from functory.contracts.task import Scorer
from functory_sdk.spans.types import Entities, SpanLabels
from functory_sdk.tally import Tally


class _Typed(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def label(self) -> str: ...


def scorer(outputs: Sequence[Entities], examples: Sequence[Any], state: SpanLabels) -> Scorer:
    """Return the metrics as a function of which examples count; `f1`, `precision` and `recall` over all entities."""
    tally = _tally(outputs, examples, state)

    def score(indices: Array) -> Mapping[str, float]:
        rates = tally.together(indices)
        metrics = {name: float(getattr(rates, name)) for name in ("f1", "precision", "recall")}
        return {**metrics, "macro_f1": tally.macro_f1(indices)}

    return score


def breakdown(outputs: Sequence[Entities], examples: Sequence[Any], state: SpanLabels) -> Mapping[str, Any]:
    """Return precision, recall, F1 and support of each type."""
    return {"per_class": _tally(outputs, examples, state).rows(state.labels)}


def _tally(outputs: Sequence[Entities], examples: Sequence[Any], state: SpanLabels) -> Tally:
    """Return the types of the entities that were found, that there are, and that are right."""
    place = {label: i for i, label in enumerate(state.labels)}
    given, wanted = ([_spans(one.entities) for one in some] for some in (outputs, examples))
    right = [one & other for one, other in zip(given, wanted, strict=True)]
    hit, said, true = ([[place[label] for _, _, label in spans] for spans in some] for some in (right, given, wanted))
    return Tally(hit, said, true, len(place))


def _spans(entities: Sequence[_Typed]) -> set[tuple[int, int, str]]:
    return {(entity.start, entity.end, entity.label) for entity in entities}

"""How good a function is on parts of the examples: short ones and long ones, and each language by itself.

One figure for all hides what fails: the long texts, or the hundred in another script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from functory.data import Examples
    from functory.measuring.intervals import Scorer

PARTS = 4
"""Parts by length, of about as many examples each."""
FEW = 20
"""Examples that are too few for a part of its own."""
RESAMPLES, BUDGET_SECONDS = 200, 0.5
"""Of the interval of one part."""

By = Literal["length", "language"]


class Slice(BaseModel):
    """The chosen metric on a part of the examples."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    by: By
    name: str = Field(description="Which part: '41–80 characters', 'Chinese'.")
    examples: int = Field(ge=1)
    value: float
    low: float | None = Field(None, description="The lower end of the interval; None where none was made.")
    high: float | None = Field(None, description="The upper end.")


def slices(found: Examples, scorer: Scorer, metric: str, confidence: float, seed: int) -> tuple[Slice, ...]:
    """Return the metric on parts of the examples; none where there is but one part.

    :param scorer: of all examples.
    :param metric: one that it gives.
    """
    from functory.data.units import texts  # here: reports are read by whoever opens a function, and slices made by few

    read = ["\n".join(text for _, text in texts(example, found.inputs)) for example in found]
    parts: dict[By, Iterator[tuple[str, list[int]]]] = {"length": _by_length(read), "language": _by_language(read)}
    made = [_slice(by, name, places, scorer, metric, confidence, seed) for by, cut in parts.items() for name, places in cut]
    return tuple(one for one in made if one is not None)


def _by_length(read: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    lengths = sorted(map(len, read))
    count = min(PARTS, len(read) // FEW)
    ends = sorted({lengths[(n + 1) * len(lengths) // count - 1] for n in range(count)}) if count else []
    for before, end in pairwise([-1, *ends] if len(ends) > 1 else []):
        places = [n for n, text in enumerate(read) if before < len(text) <= end]
        name = f"to {end:,}" if before < 0 else f"over {before:,}" if end == ends[-1] else f"{before + 1:,}–{end:,}"
        yield f"{name} characters", places


def _by_language(read: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    from functory.data.languages import language_of

    places: dict[str, list[int]] = {}
    for n, text in enumerate(read):
        places.setdefault(language_of(text), []).append(n)
    known = {name: found for name, found in places.items() if name and len(found) >= FEW}
    if len(known) > 1:
        yield from sorted(known.items(), key=lambda item: -len(item[1]))


def _slice(
    by: By, name: str, places: list[int], scorer: Scorer, metric: str, confidence: float, seed: int
) -> Slice | None:
    """Return the metric on some examples; None where it is not defined on them."""
    import numpy as np

    from functory.measuring.intervals import evaluate_with_intervals

    chosen = np.array(places, dtype=np.int64)
    measured = evaluate_with_intervals(
        lambda drawn: scorer(chosen[drawn]), len(chosen), seed=seed, confidence=confidence, resamples=RESAMPLES,
        budget_seconds=BUDGET_SECONDS,
    ).metrics  # fmt: skip
    if metric not in measured:
        return None
    one = measured[metric]
    return Slice(by=by, name=name, examples=len(places), value=one.value, low=one.low, high=one.high)

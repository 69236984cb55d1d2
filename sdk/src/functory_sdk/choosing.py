"""Chooses the next token of a text from its scores: the likeliest, or one that is drawn among those that may be.

For every engine that has scores, without torch. Another batch, and another processor, rounds otherwise, so a choice tells by how
much it was clear: an engine can make one that was not again, from scores that no batch has touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from functory.contracts.decoding import SURE, Decoding, Request
from functory.contracts.rows import Array

CLOSE = 1e-3
"""Where two scores are this close, another rounding might turn them around."""

COLD = 1e-30
"""At this temperature and below it the likeliest token alone is left, and quotients stay numbers."""

NEAR = 1024
"""So many of the best scores are put in order; all of them, which takes ten times as long, only where more may be drawn."""


@dataclass(frozen=True)
class Choice:
    """A token, and by how much it led: the next one, or the border of what may be chosen; 0 where it may lie beyond."""

    token: int
    lead: float

    @property
    def is_close(self) -> bool:
        """Whether another rounding might choose otherwise."""
        return self.lead < CLOSE


def choose(
    scores: Array, request: Request, sample: int, written: Sequence[int], seen: Sequence[int], may: Array | None = None
) -> Choice:
    """Choose the next token of one text, in transformers' order: what changes its scores (`changed`), the temperature, top k,
    top p, min p. A drawn token is the one whose score and noise are largest together (Gumbel-max), so that what is close can be
    told as it is without drawing.

    :param scores: float32 (vocabulary,).
    :param written: the tokens of the text so far.
    :param seen: those that a penalty on repetition is for: of the prompt and the text.
    :param may: (vocabulary,) bool, which tokens a guide lets come; all where None.
    """
    how = request.decoding
    scores, margin = changed(scores, request, written, seen, may)
    if how.temperature == 0:
        return _first(scores, margin)
    loose, exact, tight = allowed(scores, how, CLOSE, 0.0, -CLOSE)
    sums = scores.astype(np.float64) + how.temperature * request.noise(sample, len(written), len(scores))
    best = _first(np.where(loose, sums, -math.inf), margin)
    return best if tight[best.token] else Choice(int(np.where(exact, sums, -math.inf).argmax()), 0.0)


def changed(
    scores: Array, request: Request, written: Sequence[int], seen: Sequence[int], may: Array | None = None
) -> tuple[Array, float]:
    """Return scores, (vocabulary,), after all that changes them before anything is drawn: the penalty on repetition, a guide,
    what may never come, and what steers; and by how much these may be off without another token coming within reach.

    :param scores: as for the other arguments, see `choose`.
    """
    scores = penalised(scores, seen, request.decoding.repetition_penalty)
    scores = scores if may is None else np.where(may, scores, np.float32(-math.inf))
    if request.never:
        scores = scores.copy()
        scores[list(request.never)] = -math.inf
    if request.steer is None:
        return scores, SURE
    found = request.steer(written, scores)
    return found.scores, found.margin


def log_probability(scores: Array, token: int) -> float:
    """Return the log-probability of a token, from the scores of all, (vocabulary,)."""
    most = scores.max()
    return float(scores[token] - most - math.log(np.exp((scores - most).astype(np.float64)).sum()))


def penalised(scores: Array, seen: Sequence[int], penalty: float) -> Array:
    """Return scores, (vocabulary,), in which tokens that were seen are less likely (Keskar et al. 2019, section 4.1)."""
    if penalty == 1 or not len(seen):
        return scores
    places = np.unique(np.asarray(seen, dtype=np.int64))
    found, made = scores[places], scores.copy()
    made[places] = np.where(found < 0, found * np.float32(penalty), found / np.float32(penalty))
    return made


def allowed(scores: Array, how: Decoding, *slacks: float) -> list[Array]:
    """Return which tokens may be drawn, (vocabulary,) bool, for each slack; the likeliest always, but where it may be another.

    :param slacks: by how much the borders are moved outwards; where negative inwards.
    """
    if how.top_k == 0 and how.top_p == 1 and how.min_p == 0:
        return [np.ones(len(scores), dtype=bool) for _ in slacks]
    for size in (max(NEAR, 2 * how.top_k), len(scores)):
        order = _best(scores, size)
        ranked, rest = scores[order].astype(np.float64), np.delete(scores, order).astype(np.float64)
        within = [_within(ranked, how, slack, rest) for slack in slacks]
        if not len(rest) or not any(one[-1] for one in within):  # what is within borders are the first, whatever comes after
            break
    found = np.zeros((len(slacks), len(scores)), dtype=bool)
    found[:, order] = within
    return list(found)


def _best(scores: Array, size: int) -> Array:
    """Return the places of the best scores, the best first: so many, and all that are as good as the last of them."""
    least = np.partition(scores, -size)[-size] if size < len(scores) else -math.inf
    places = np.flatnonzero(scores >= least)
    best: Array = places[np.argsort(-scores[places], kind="stable")]
    return best


def _within(ranked: Array, how: Decoding, slack: float, rest: Array) -> Array:
    """Return which of the best scores, the best first, are within the borders.

    :param rest: all others. Where the last of the best is within, some of these may be.
    """
    may: Array = np.ones(len(ranked), dtype=bool)
    if 0 < how.top_k < len(ranked):
        # Inwards the border is the first score that is out: what is at least so far above it is in whatever is rounded.
        may = ranked >= ranked[how.top_k - 1] - slack if slack >= 0 else ranked > ranked[how.top_k] - slack
        if may[-1] and len(rest):
            return may
    if how.top_p < 1:
        heat = max(how.temperature, COLD)
        weights = np.where(may, np.exp((ranked - ranked[0]) / heat), 0.0)
        beyond = np.exp((rest - ranked[0]) / heat).sum() if how.top_k == 0 else 0.0
        shares = weights / max(weights.sum() + beyond, np.finfo(np.float64).tiny)
        may = may & (shares.cumsum() - shares < how.top_p + slack / max(how.temperature, CLOSE))
    if how.min_p > 0:
        may = may & (ranked >= ranked[0] + how.temperature * math.log(how.min_p) - slack)
    may[0] = slack >= 0 or len(ranked) < 2 or bool(ranked[0] - ranked[1] > -slack)
    return may


def _first(scores: Array, margin: float) -> Choice:
    """Return the token of the best score, which leads the second by their difference.

    :param margin: the most that the lead is.
    """
    best = int(scores.argmax())
    if len(scores) == 1:
        return Choice(best, min(margin, SURE))
    second = max(float(part.max()) for part in (scores[:best], scores[best + 1 :]) if len(part))
    return Choice(best, min(float(scores[best]) - second, margin, SURE))

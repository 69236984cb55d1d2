"""Chooses the next token of a text from its scores: the likeliest, or one that is drawn among those that may be.

Apart from the session, which computes scores: the same for a text alone and in any batch, bit by bit, so that no choice has to
be made twice. It tells by how much a choice led, since other processors round otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from functory_sdk import SURE, Array, Decoding, Request

CLOSE = 1e-3
"""Where two scores are this close, another processor's rounding might turn them around."""


@dataclass(frozen=True)
class Choice:
    """A token, and by how much it led: the next one, or the border of what may be chosen; 0 where it may lie beyond."""

    token: int
    lead: float


def choose(scores: Array, request: Request, sample: int, written: Sequence[int], seen: Sequence[int]) -> Choice:
    """Choose the next token of one text, in transformers' order: the penalty on what was seen, the temperature, top k, top p,
    min p. A drawn token is the one whose score and noise are largest together (Gumbel-max).

    :param scores: float32 (vocabulary,), −∞ where a guide forbids a token.
    :param written: the tokens of the text so far.
    :param seen: those that the penalty is for: of the prompt and the text.
    """
    how = request.decoding
    scores, margin = _steered(_barred(_penalised(scores, seen, how.repetition_penalty), request), request, written)
    if how.temperature == 0:
        return _first(scores, margin)
    sums = scores.astype(np.float64) + how.temperature * request.noise(sample, len(written), len(scores))
    best = _first(np.where(_allowed(scores, how), sums, -math.inf), margin)
    border = _allowed(scores, how, -CLOSE)
    return best if border[best.token] else Choice(best.token, 0.0)


def log_probability(scores: Array, token: int) -> float:
    """Return the log-probability of a token, from the scores of all."""
    most = scores.max()
    return float(scores[token] - most - math.log(np.exp((scores - most).astype(np.float64)).sum()))


def _penalised(scores: Array, seen: Sequence[int], penalty: float) -> Array:
    """Return scores, (vocabulary,), in which tokens that were seen are less likely (Keskar et al. 2019, section 4.1)."""
    if penalty == 1 or not seen:
        return scores
    places = np.unique(np.asarray(seen, dtype=np.int64))
    found = scores[places]
    changed = scores.copy()
    changed[places] = np.where(found < 0, found * np.float32(penalty), found / np.float32(penalty))
    return changed


def _barred(scores: Array, request: Request) -> Array:
    """Return scores, (vocabulary,), by which no token comes that a request never wants."""
    if not request.never:
        return scores
    changed = scores.copy()
    changed[sorted(request.never)] = -math.inf
    return changed


def _steered(scores: Array, request: Request, written: Sequence[int]) -> tuple[Array, float]:
    """Return scores, (vocabulary,), as a request's `steer` changes them, and how far they were from coming out otherwise."""
    if request.steer is None:
        return scores, SURE
    found = request.steer(written, scores)
    return found.scores, found.margin


def _allowed(scores: Array, how: Decoding, slack: float = 0.0) -> Array:
    """Return which tokens may be drawn, (vocabulary,) bool; the likeliest always, but where it may be another.

    :param slack: by how much the borders are moved outwards; where negative inwards.
    """
    may = np.ones(len(scores), dtype=bool)
    if how.top_k == 0 and how.top_p == 1 and how.min_p == 0:
        return may
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    if 0 < how.top_k < len(ranked):
        may = ranked >= ranked[how.top_k - 1] if slack >= 0 else ranked > ranked[how.top_k] - slack
        may[how.top_k :] &= slack < 0  # of equals those that come first
    if how.top_p < 1:
        weights = np.where(may, np.exp((ranked - ranked[0]) / how.temperature), 0)
        shares = weights / weights.sum()
        may = may & (shares.cumsum() - shares < how.top_p + slack / max(how.temperature, CLOSE))
    if how.min_p > 0:
        may = may & (ranked >= ranked[0] + how.temperature * math.log(how.min_p) - slack)
    may[0] = slack >= 0 or len(ranked) < 2 or bool(ranked[0] - ranked[1] > -slack)
    found = np.zeros(len(scores), dtype=bool)
    found[order] = may
    return found


def _first(scores: Array, margin: float) -> Choice:
    """Return the token of the best score, which leads the second by their difference.

    :param margin: the most that the lead is.
    """
    best = int(scores.argmax())
    if len(scores) == 1:
        return Choice(best, min(margin, SURE))
    second = max(float(part.max()) for part in (scores[:best], scores[best + 1 :]) if len(part))
    return Choice(best, min(float(scores[best]) - second, margin, SURE))

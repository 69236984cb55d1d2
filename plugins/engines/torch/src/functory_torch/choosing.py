"""Chooses the next token of a text: the likeliest, or one that is drawn among those that may be.

Apart from the loop that writes, because a choice must come out alike in every batch. Another batch rounds otherwise (some
1e-5), so a choice tells by how much it was clear, and one that was not is made again from scores that no batch has touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from functory_sdk import SURE, Decoding, Request

CLOSE = 1e-3
"""Where two scores are this close, the rounding of another batch might turn them around."""


@dataclass(frozen=True)
class Choice:
    """A token, and by how much it led: the next one, or the border of what may be chosen; 0 where it may lie beyond."""

    token: int
    lead: float

    @property
    def is_close(self) -> bool:
        """Whether another batch might choose otherwise."""
        return self.lead < CLOSE


def choose(scores: Tensor, request: Request, sample: int, written: Sequence[int], seen: Sequence[int]) -> Choice:
    """Choose the next token of one text.

    In transformers' order: the penalty on what was seen, the temperature, top k, top p, min p. A drawn token is the one whose
    score and noise are largest together (Gumbel-max), so that what is close can be told here as it is without drawing.

    :param scores: (vocabulary,) of the next token.
    :param written: the tokens of the text so far.
    :param seen: those that the penalty is for: of the prompt and the text.
    """
    how = request.decoding
    scores, margin = steered(barred(penalised(scores, seen, how.repetition_penalty), request), request, written)
    if how.temperature == 0:
        return _first(scores, margin)
    loose, tight = (allowed(scores, how, slack) for slack in (CLOSE, -CLOSE))
    noise = torch.from_numpy(request.noise(sample, len(written), len(scores))).to(scores.device)
    sums = scores.double() + how.temperature * noise
    best = _first(torch.where(loose, sums, -math.inf), margin)
    return best if tight[best.token] else Choice(best.token, 0.0)


def choose_again(scores: Tensor, request: Request, sample: int, written: Sequence[int], seen: Sequence[int]) -> int:
    """Choose as `choose` does from the scores of a text that was read by itself: the borders are where they are."""
    how = request.decoding
    scores, _ = steered(barred(penalised(scores, seen, how.repetition_penalty), request), request, written)
    if how.temperature == 0:
        return int(scores.argmax())
    noise = torch.from_numpy(request.noise(sample, len(written), len(scores))).to(scores.device)
    return int(torch.where(allowed(scores, how), scores.double() + how.temperature * noise, -math.inf).argmax())


def guided(scores: Tensor, may: Tensor | None) -> Tensor:
    """Return scores, (vocabulary,), of which those that a guide forbids are out of reach.

    :param may: (vocabulary,) which tokens may come; all where None.
    """
    return scores if may is None else torch.where(may, scores, -math.inf)


def penalised(scores: Tensor, seen: Sequence[int], penalty: float) -> Tensor:
    """Return scores, (vocabulary,), in which tokens that were seen are less likely (Keskar et al. 2019, section 4.1)."""
    if penalty == 1 or not seen:
        return scores
    places = torch.tensor(sorted(set(seen)), device=scores.device)
    found = scores[places]
    return scores.index_put((places,), torch.where(found < 0, found * penalty, found / penalty))


def barred(scores: Tensor, request: Request) -> Tensor:
    """Return scores, (…, vocabulary), by which no token comes that a request never wants."""
    if not request.never:
        return scores
    return scores.index_fill(-1, torch.tensor(sorted(request.never), device=scores.device), -math.inf)


def steered(scores: Tensor, request: Request, written: Sequence[int]) -> tuple[Tensor, float]:
    """Return scores, (vocabulary,), as a request's `steer` changes them, and how far they were from coming out otherwise."""
    if request.steer is None:
        return scores, SURE
    found = request.steer(written, scores.float().cpu().numpy())
    return torch.from_numpy(found.scores).to(scores.device), found.margin


def allowed(scores: Tensor, how: Decoding, slack: float = 0.0) -> Tensor:
    """Return which tokens may be drawn, (vocabulary,) bool; the likeliest always, but where it may be another.

    :param slack: by how much the borders are moved outwards; where negative inwards.
    """
    if how.top_k == 0 and how.top_p == 1 and how.min_p == 0:
        return torch.ones_like(scores, dtype=torch.bool)
    order = scores.argsort(descending=True, stable=True)
    ranked = scores[order].double()
    may = torch.ones_like(ranked, dtype=torch.bool)
    if 0 < how.top_k < len(ranked):
        # Inwards the border is the first score that is out: what is at least so far above it is in whatever is rounded.
        may = ranked >= ranked[how.top_k - 1] - slack if slack >= 0 else ranked > ranked[how.top_k] - slack
    if how.top_p < 1:
        shares = torch.where(may, ranked / how.temperature, -math.inf).softmax(-1)
        before = shares.cumsum(-1) - shares
        may = may & (before < how.top_p + slack / max(how.temperature, CLOSE))
    if how.min_p > 0:
        may = may & (ranked >= ranked[0] + how.temperature * math.log(how.min_p) - slack)
    may[0] = slack >= 0 or bool(len(ranked) < 2 or ranked[0] - ranked[1] > -slack)
    return torch.zeros_like(may).index_put((order,), may)


def _first(scores: Tensor, margin: float = SURE) -> Choice:
    """Return the token of the best score, which leads the second by their difference.

    :param margin: the most that the lead is.
    """
    best = scores.topk(min(2, len(scores)))
    lead = float(best.values[0] - best.values[-1]) if len(scores) > 1 else SURE
    return Choice(int(best.indices[0]), min(lead, margin, SURE))

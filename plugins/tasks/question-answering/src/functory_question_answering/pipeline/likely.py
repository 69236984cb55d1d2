"""Which stretches of tokens are likely answers, by the product of the chances that one begins and ends them.

As transformers 4 computed it, down to what it did with ties and with stretches that do not count: `..choosing` does it otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
NEVER = -10000.0
"""The logit of a token that cannot be in an answer."""


@dataclass(frozen=True)
class Stretch:
    """First and last token of an answer, and its score."""

    first: int
    last: int
    score: float


def likely(
    begins: Floats, ends: Floats, may_answer: npt.NDArray[np.bool_], most: int, longest: int
) -> tuple[list[Stretch], float]:
    """Return the likeliest stretches of one window, best first, and how likely it is that the window holds none.

    The best are taken before those are left out that begin or end where no answer may, so that fewer may come back.

    :param begins: logits of the window's tokens, (tokens,); `ends` likewise.
    :param may_answer: whether a token may be in an answer; true of the first, which stands for no answer.
    :param most: how many stretches.
    :param longest: of an answer, in tokens.
    """
    begin, end = _chances(begins, may_answer), _chances(ends, may_answer)
    none = float(begin[0] * end[0])
    begin[0] = end[0] = 0.0
    scores = np.tril(np.triu(begin[:, None] * end[None, :]), longest - 1).reshape(-1)
    first, last = np.unravel_index(_best(scores, most), (len(begin), len(end)))
    found = (
        Stretch(int(one), int(other), float(begin[one] * end[other]) if one <= other < one + longest else 0.0)
        for one, other in zip(first, last, strict=True)
    )
    return [one for one in found if may_answer[one.first] and may_answer[one.last]], none


def _chances(logits: Floats, may_answer: npt.NDArray[np.bool_]) -> Floats:
    """Return how likely each token is, among those that may be in an answer."""
    masked = np.where(may_answer, logits, np.float32(NEVER))
    raised = np.exp(masked - masked.max())
    chances: Floats = raised / raised.sum()
    return chances


def _best(scores: Floats, most: int) -> Any:  # Any: an array of places
    """Return the places of the highest scores, best first."""
    if most == 1:
        return np.array([np.argmax(scores)])
    if len(scores) < most:
        return np.argsort(-scores)
    best = np.argpartition(-scores, most)[:most] if len(scores) > most else np.arange(most)
    return best[np.argsort(-scores[best])]

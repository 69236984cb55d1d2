"""How likelihoods of answers after a prompt become probabilities: without what is likely where nothing is said, and as far as
held-out examples tell.

Zhao et al. 2021 subtract what is answered to texts without content ("N/A"). Fei et al. 2023 (Mitigating Label Biases for
In-context Learning) find that texts of the domain serve better, and random words of it. Of a domain nothing is known here; so
texts are taken that say nothing of most questions, and words in no order. On smollm2, with 80 texts each: trec .18 by "N/A"
alone, .38 by all of these; ag_news .50 and .64; sst2 .63 and .69.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from functory.contracts.rows import Array
from functory_sdk.spans.scripts import is_unspaced

SILENT = (
    "N/A", "", "[MASK]",
    "The meeting was moved to the second floor.", "He put the box on the table and left the room.",
    "In 1987 the town had three schools and a library.", "Please find the list of items below.",
    "I went there with my brother last week.", "What time does it open?", "The new version comes with several changes.",
    "They said that they would think about it.",
    "it first of them was the have any two", "on would this with more he in that been", "her and some will up to which about",
    "but from only man out there than their", "who over made we its most not into could",
)  # fmt: skip
"""Texts that say nothing of most questions."""
SILENT_UNSPACED = (
    "无", "", "[MASK]",
    "会议改到二楼了。", "他把箱子放在桌子上，然后离开了房间。", "一九八七年，镇上有三所学校和一个图书馆。",
    "请看下面的清单。", "上个星期我和弟弟去了那里。", "几点开门？", "新版本有几处改动。", "他们说会考虑一下。",
    "它第一他们曾有任何两", "在会这与更他那", "她和一些将上到", "但从只人出那里", "谁过做我们它的最",
)  # fmt: skip
"""Likewise, for questions in a script without spaces."""

PENALTY = 1.0
"""The weight of (slope − 1)² and of each bias²: that of a normal prior with variance ½."""
MOST_STEPS, ENOUGH = 50, 1e-9
MOST_BIASES = 500
"""Of so many answers each has a bias."""


def silent_texts(words: Iterable[str]) -> tuple[str, ...]:
    """Return texts that say nothing, in the script of what is asked.

    :param words: questions and answers.
    """
    return SILENT_UNSPACED if any(is_unspaced(character) for text in words for character in text) else SILENT


def mean_shares(scores: Array) -> Array:
    """Return the logarithm of each answer's mean probability, (answers,).

    :param scores: (texts, answers) log-likelihoods.
    """
    shares = log_shares(scores)
    means: Array = np.logaddexp.reduce(shares, axis=0) - np.log(len(shares))
    return means


def log_shares(scores: Array) -> Array:
    """Return the log-probability of each answer among all, (texts, answers)."""
    shares: Array = scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    return shares


def fitted(scores: Array, golds: Array) -> tuple[float, tuple[float, ...]]:
    """Return slope and biases with which softmax(slope · scores + biases) fits the right answers best, by Newton's method.

    Few examples move little: without any the probabilities are those of the scores as they are, and each example moves them as
    far as it weighs against the penalty. Of very many answers the slope alone is fitted.

    :param scores: (texts, answers) log-likelihoods.
    :param golds: (texts,) which answer is right.
    """
    if not len(scores):
        return 1.0, ()
    problem = _Problem(scores - scores.mean(axis=1, keepdims=True), golds, scores.shape[1] <= MOST_BIASES)
    weights = problem.first
    for _ in range(MOST_STEPS):
        step = problem.newton(weights)
        while problem.loss(weights - step) > problem.loss(weights) + ENOUGH:
            step = step / 2
        weights = weights - step
        if np.abs(step).max() < ENOUGH:
            break
    return round(max(float(weights[0]), 0.0), 6), tuple(round(float(one), 6) for one in weights[1:])


class _Problem:
    """What is minimised: minus the log-likelihood of the right answers, and the penalty of having moved.

    :param scores: (texts, answers) with a mean of 0 in each text.
    """

    def __init__(self, scores: Array, golds: Array, has_biases: bool) -> None:
        self.scores, self.golds, self.has_biases = scores, golds, has_biases
        self.rows = np.arange(len(golds))
        self.first = np.zeros(1 + scores.shape[1] * has_biases)  # slope, then a bias for each answer
        self.first[0] = 1.0

    def loss(self, weights: Array) -> float:
        """Return the loss at some weights."""
        likely = self._shares(weights)[self.rows, self.golds]
        return float(-likely.sum() + PENALTY * ((weights - self.first) ** 2).sum())

    def newton(self, weights: Array) -> Array:
        """Return Newton's step at some weights, (1 + answers,) or (1,)."""
        shares = np.exp(self._shares(weights))  # (texts, answers)
        mean = (shares * self.scores).sum(1)  # (texts,) the expected score
        gradient = np.empty_like(weights)
        gradient[0] = (mean - self.scores[self.rows, self.golds]).sum()
        second = np.empty((len(weights), len(weights)))
        second[0, 0] = ((shares * self.scores**2).sum(1) - mean**2).sum()
        if self.has_biases:
            gradient[1:] = shares.sum(0) - np.bincount(self.golds, minlength=shares.shape[1])
            second[0, 1:] = second[1:, 0] = (shares * (self.scores - mean[:, None])).sum(0)
            second[1:, 1:] = np.diag(shares.sum(0)) - shares.T @ shares
        gradient += 2 * PENALTY * (weights - self.first)
        step: Array = np.linalg.solve(second + 2 * PENALTY * np.eye(len(weights)), gradient)
        return step

    def _shares(self, weights: Array) -> Array:
        return log_shares(weights[0] * self.scores + (weights[1:] if self.has_biases else 0))

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
    """Return slope and biases with which softmax(slope · scores + biases) fits the right answers best.

    :param scores: (texts, answers) log-likelihoods.
    :param golds: (texts,) which answer is right.
    """
    texts, answers = scores.shape
    centred = scores - scores.mean(axis=1, keepdims=True)
    features = np.concatenate([centred[:, :, None], np.broadcast_to(np.eye(answers), (texts, answers, answers))], axis=2)
    first = np.zeros(1 + answers)
    first[0] = 1.0
    weights = first.copy()
    for _ in range(MOST_STEPS):
        step = _newton(features, golds, weights, first)
        while _loss(features, golds, weights - step, first) > _loss(features, golds, weights, first) + ENOUGH:
            step /= 2
        weights = weights - step
        if np.abs(step).max() < ENOUGH:
            break
    return round(max(float(weights[0]), 0.0), 6), tuple(round(float(one), 6) for one in weights[1:])


def _loss(features: Array, golds: Array, weights: Array, first: Array) -> float:
    """Return minus the log-likelihood, and the penalty of having moved."""
    shares = log_shares(features @ weights)
    return float(-shares[np.arange(len(golds)), golds].sum() + PENALTY * ((weights - first) ** 2).sum())


def _newton(features: Array, golds: Array, weights: Array, first: Array) -> Array:
    """Return Newton's step at some weights, (weights,)."""
    shares = np.exp(log_shares(features @ weights))  # (texts, answers)
    expected = np.einsum("ta,taw->tw", shares, features)
    gradient = (expected - features[np.arange(len(golds)), golds]).sum(0) + 2 * PENALTY * (weights - first)
    second = np.einsum("ta,taw,tav->wv", shares, features, features) - expected.T @ expected
    step: Array = np.linalg.solve(second + 2 * PENALTY * np.eye(len(weights)), gradient)
    return step

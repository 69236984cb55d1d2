"""Sums, means and softmax within the groups of a batch, however many rows each has: what losses of a group are made of."""

from __future__ import annotations

import torch
from torch import Tensor


def sums(values: Tensor, group: Tensor, count: int | None = None) -> Tensor:
    """Return the sum of each group's values, (groups,), from (rows,).

    :param group: (rows,) int64: which group each row belongs to, from 0.
    :param count: how many groups there are; as many as are named when None.
    """
    size = number(group) if count is None else count
    return torch.zeros(size, dtype=values.dtype, device=values.device).index_add(0, group, values)


def means(values: Tensor, group: Tensor, count: int | None = None) -> Tensor:
    """Return the mean of each group's values, (groups,), from (rows,); 0 for a group without rows."""
    return sums(values, group, count) / sums(torch.ones_like(values), group, count).clamp(min=1)


def log_sums(scores: Tensor, group: Tensor, count: int | None = None) -> Tensor:
    """Return the logarithm of the sum of each group's exponentials, (groups,); -inf for a group without rows."""
    size = number(group) if count is None else count
    highest = torch.full((size,), -torch.inf, dtype=scores.dtype, device=scores.device)
    highest = highest.scatter_reduce(0, group, scores.detach(), "amax")
    shift = torch.where(highest.isinf(), 0.0, highest)
    return sums((scores - shift[group]).exp(), group, size).log() + shift


def log_softmax(scores: Tensor, group: Tensor) -> Tensor:
    """Return each row's log-probability among those of its group, (rows,)."""
    return scores - log_sums(scores, group)[group]


def number(group: Tensor) -> int:
    """Return how many groups there are."""
    return int(group.max()) + 1 if len(group) else 0

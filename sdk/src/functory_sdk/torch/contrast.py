"""Losses that bring vectors together which belong together, and part the others: over all pairs of the rows of a step.

Apart from the heads, which say what belongs together: a head fitted to vectors so made needs few examples.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

TEMPERATURE = 0.1


def alike(gold: Tensor) -> Tensor:
    """Return how alike the golds of some rows are, (rows, rows), from 0 to 1.

    :param gold: (rows,) numbers of classes, the same or not; or (rows, labels) of 0 and 1, whose overlap counts (Jaccard).
    """
    if gold.ndim == 1:
        return (gold[:, None] == gold).float()
    both = gold @ gold.T
    count = gold.sum(1)
    either = count[:, None] + count - both
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def gathered(vectors: Tensor, likeness: Tensor) -> tuple[Tensor, Tensor]:
    """Return a loss and a weight for each row, (rows,) both: minus the mean log-probability of the rows like it among all others
    of the step, by their cosines (Khosla et al. 2020, Supervised contrastive learning, equation 2).

    A row that none is like loses nothing, and parts the others all the same.

    :param vectors: (rows, width).
    :param likeness: (rows, rows), what each counts as one like another.
    """
    units = normalize(vectors, dim=-1)
    itself = torch.eye(len(units), dtype=torch.bool, device=units.device)
    cosines = (units @ units.T / TEMPERATURE).masked_fill(itself, torch.finfo(units.dtype).min)
    wanted = likeness.masked_fill(itself, 0.0)
    shares = wanted / wanted.sum(1, keepdim=True).clamp(min=torch.finfo(units.dtype).tiny)
    losses = -(shares * cosines.log_softmax(-1)).sum(1)
    return losses, (wanted.sum(1) > 0).to(losses.dtype)

"""The mathematics: a hidden layer and a map, fitted to stored features by AdamW with much dropout.

A few thousand rows overfit it at once but for the dropout, half of the features and half of the units (Srivastava et al.
2014, Dropout); with it 20 passes are neither too few nor too many from some hundred rows on.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import dropout

from functory_sdk import TrainingError
from functory_sdk.torch import LinearHead, drawing
from functory_sdk.torch.linear import Block, loss_of

DROPOUT = 0.5
RATE, DECAY, WARMUP = 2e-3, 0.1, 0.1
BATCH = 128
PASSES, STEPS = 20, 4000
"""Passes over a table, and after how many steps a large one has had enough; one pass at least."""


def steps_of(count: int) -> int:
    """Return how many steps so many units are fitted in."""
    in_a_pass = -(-count // BATCH)
    return min(PASSES * in_a_pass, max(STEPS, in_a_pass))


def fit_hidden(head: LinearHead, block: Block, seed: int, told: Callable[[float], None]) -> float:
    """Fit a head with a hidden layer to standardised features; return the mean loss of its last pass.

    :param told: told the loss of each step.
    :raises TrainingError: when the loss is not finite.
    """
    count = len(block.features)
    in_a_pass = -(-count // BATCH)
    steps = steps_of(count)
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (WARMUP * steps), 1.0) * (1 - step / steps)
    )
    kept = head.dropout.p
    losses: list[float] = []
    with drawing(seed):
        head.train()
        head.dropout.p = DROPOUT
        for step in range(steps):
            if step % in_a_pass == 0:
                order = torch.randperm(count)
            start = step % in_a_pass * BATCH
            batch = block.at(order[start : start + BATCH])
            total, units = loss_of(head, Block(dropout(batch.features, DROPOUT), batch.gold))
            loss = total / units.clamp(min=1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
            told(losses[-1])
    head.dropout.p = kept
    head.eval()
    optimiser.zero_grad()
    mean = sum(losses[-in_a_pass:]) / len(losses[-in_a_pass:])
    if not torch.isfinite(torch.tensor(mean)) or not all(bool(torch.isfinite(p).all()) for p in head.parameters()):
        raise TrainingError(
            f"the loss of the hidden layer is {mean}.", do="look for infinite features, or set hidden = 0."
        )
    return mean

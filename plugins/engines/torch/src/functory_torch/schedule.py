"""What a step is, as pure functions of its number: which rows, which learning rate, which random numbers.

Nothing here has a state, so that a run that goes on from step 137 does at step 138 what any other run does.
"""

from __future__ import annotations

import numpy as np


def batches(count: int, batch_rows: int, seed: int, epoch: int) -> list[list[int]]:
    """Return the batches of one epoch: every row once, shuffled.

    Rows of like length do not come together: where length says something of the label, such steps pull to one side.

    :param count: how many rows there are.
    :param epoch: counted from 0; each has its own order.
    """
    order = np.random.default_rng((seed, epoch)).permutation(count).tolist()
    return [order[at : at + batch_rows] for at in range(0, count, batch_rows)]


def rate(step: int, total: int, warmup: float) -> float:
    """Return the factor of the learning rate at a step counted from 1: a linear rise, then a linear fall to 0."""
    rising = int(total * warmup)
    if step <= rising:
        return step / rising
    return (total - step + 1) / max(1, total - rising)


def evaluation_steps(steps_in_epoch: int, evaluations: int) -> frozenset[int]:
    """Return after which steps of an epoch, counted from 1, the dev rows are scored; the last is one of them."""
    wanted = min(evaluations, steps_in_epoch)
    return frozenset(-(-steps_in_epoch * part // wanted) for part in range(1, wanted + 1))


def step_seed(seed: int, step: int) -> int:
    """Return the seed of one step: dropout never depends on what was drawn before, by us or by others."""
    return int(np.random.SeedSequence((seed, step)).generate_state(3)[2])

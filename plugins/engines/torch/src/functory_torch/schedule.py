"""What a step is, as pure functions of its number: which rows, which learning rate, which random numbers.

Nothing here has a state, so that a run that goes on from step 137 does at step 138 what any other run does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from functory_sdk import TrainingOptions


def batches(count: int, size: int, seed: int, epoch: int, *, is_even: bool = False) -> list[list[int]]:
    """Return the batches of one epoch: every group of rows once, shuffled.

    Rows of like length do not come together: where length says something of the label, such steps pull to one side.

    :param count: how many groups there are.
    :param size: how many a step has.
    :param epoch: counted from 0; each has its own order.
    :param is_even: whether the last ones are shared out, and none is left with a few: a loss of a whole batch says the less
        the smaller that is.
    """
    order = np.random.default_rng((seed, epoch)).permutation(count)
    if is_even:
        return [part.tolist() for part in np.array_split(order, -(-count // size))]
    return [order[at : at + size].tolist() for at in range(0, count, size)]


def grouped(group: Sequence[int] | NDArray[np.int64]) -> list[list[int]]:
    """Return the rows of each group, the groups in the order of their first rows.

    :param group: the number of each row's group.
    """
    found: dict[int, list[int]] = {}
    for row, number in enumerate(np.asarray(group).tolist()):
        found.setdefault(number, []).append(row)
    return list(found.values())


def rate(step: int, total: int, warmup: float) -> float:
    """Return the factor of the learning rate at a step counted from 1: a linear rise, then a linear fall to 0."""
    rising = int(total * warmup)
    if step <= rising:
        return step / rising
    return (total - step + 1) / max(1, total - rising)


def length(per_epoch: int, options: TrainingOptions) -> int:
    """Return how many steps a run has: those of its epochs, between the least and the most that the options allow."""
    wanted = max(per_epoch * options.epochs, options.least_steps)
    return min(wanted, options.most_steps) if options.most_steps else wanted


def evaluation_steps(per_epoch: int, total: int, options: TrainingOptions) -> frozenset[int]:
    """Return after which steps of a run, counted from 1, the dev rows are scored; the last is one of them.

    They are the same number in each epoch; where a run has not the steps of its epochs, as many as they would have, as far
    apart.
    """
    if total != per_epoch * options.epochs:
        return _parted(total, options.evaluations * options.epochs)
    within = _parted(per_epoch, options.evaluations)
    return frozenset(epoch * per_epoch + step for epoch in range(options.epochs) for step in within)


def _parted(steps: int, parts: int) -> frozenset[int]:
    """Return the last step of each of so many equal parts."""
    wanted = min(parts, steps)
    return frozenset(-(-steps * part // wanted) for part in range(1, wanted + 1))


def step_seed(seed: int, step: int, part: int | None = None) -> int:
    """Return the seed of one step: dropout never depends on what was drawn before, by us or by others.

    :param part: of which pass of the step, where each draws for itself.
    """
    return int(np.random.SeedSequence((seed, step) if part is None else (seed, step, part)).generate_state(3)[2])

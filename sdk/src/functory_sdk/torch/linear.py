"""The mathematics of a head that is one affine map: its penalised loss on fixed features has one optimum, found by L-BFGS.

Features are standardised first, since those of frozen backbones are anisotropic: a common mean far larger than what tells
one text from another. Afterwards mean and deviation are folded into the map, which then reads features as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from functory.contracts.rows import Array, Port, Row
from functory.errors import TrainingError
from functory_sdk.torch.drawing import not_drawing
from functory_sdk.torch.heads import LinearHead
from functory_sdk.torch.shapes import PLAIN, Shape

TOKENS = (("tokens",), ("target",))
"""The first axis of what each token has one of."""


@dataclass(frozen=True)
class Block:
    """Features with their gold arrays, as one batch.

    :param features: (units, width); a unit is a row, or a token for heads that read tokens.
    :param gold: name → (units, …); with ``group`` for a head whose losses compare the rows of a group.
    """

    features: Tensor
    gold: dict[str, Tensor]

    def at(self, place: Tensor | slice) -> Block:
        """Return some of the units."""
        return Block(self.features[place], {name: value[place] for name, value in self.gold.items()})


def is_of_units(head: LinearHead, gold: Sequence[Port]) -> bool:
    """Whether each gold array belongs to what the head scores, a row or a token, so that units, or groups of rows, may be taken
    apart.
    """
    if head.reading.unit == "row":
        return head.together != "batch"
    return head.together == "row" and all(port.axes[:1] in TOKENS for port in gold)


def taught(row: Row, units: int, gold: Sequence[Port]) -> Array:
    """Return which of a row's units its gold says something of, (units,) bool.

    Losses pass over their port's fill, so a unit that holds nothing else teaches nothing. Where the fill may be a gold
    too, 0 or above, all units count.
    """
    ports = [port for port in gold if port.axes[:1] in TOKENS and len(row[port.name]) == units]
    if not ports or any(port.fill >= 0 for port in ports):
        return np.ones(units, dtype=bool)
    said = [(row[port.name] != port.fill).any(axis=tuple(range(1, len(port.axes)))) for port in ports]
    kept: Array = np.logical_or.reduce(said)
    return kept


def joined(parts: Sequence[Tensor], fill: float) -> Tensor:
    """Return gold of many units in one, (all units, …); inner axes that vary are padded."""
    inner = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    whole = parts[0].new_full((sum(map(len, parts)), *inner), fill)
    start = 0
    for part in parts:
        whole[(slice(start, start + len(part)), *(slice(0, size) for size in part.shape[1:]))] = part
        start += len(part)
    return whole


def standardise(features: Tensor) -> tuple[Tensor, Tensor]:
    """Standardise features, (units, width), in place; return their mean and deviation, (width,) each."""
    deviation, mean = torch.std_mean(features, dim=0, correction=0)
    deviation = deviation.clamp(min=1e-6)
    features.sub_(mean).div_(deviation)
    return mean, deviation


def alike(features: Tensor, deviation: Tensor) -> Tensor:
    """Let standardised features spread as they did beside one another, and by 1 in the mean, in place; return what each of
    them is divided by now, (width,): one number for all.

    :param deviation: (width,) what each was divided by.
    """
    whole = deviation.square().mean().sqrt().expand_as(deviation).clone()
    features.mul_(deviation / whole)
    return whole


def fold(head: LinearHead, mean: Tensor, deviation: Tensor) -> None:
    """Let a head that was fitted to standardised features read them as they are."""
    first = head.maps[0]
    with torch.no_grad():  # w·(x − μ)/σ + b  =  (w/σ)·x + (b − (w/σ)·μ)
        first.weight.div_(deviation)
        if first.bias is not None:  # else a constant says nothing
            first.bias.sub_(first.weight @ mean)


def loss_of(head: LinearHead, block: Block, shape: Shape = PLAIN) -> tuple[Tensor, Tensor]:
    """Return the weighted sum of the losses and the sum of their weights; tokens are read as one long row."""
    features, gold = block.features, block.gold
    if head.reading.unit == "token":
        features, gold = features[None], {name: value[None] for name, value in gold.items()}
    if "group" in gold:
        gold = gold | {"group": torch.unique(gold["group"], return_inverse=True)[1]}
    return shape.summed(head, head(features, gold), gold)


def mean_loss(head: LinearHead, blocks: Sequence[Block], shape: Shape = PLAIN) -> float:
    """Return the mean loss over some blocks, without gradients."""
    with torch.no_grad():
        found = [loss_of(head, block, shape) for block in blocks if len(block.features)]
        total, count = map(sum, zip(*found, strict=True))
    return float(total / count)


def prior(head: LinearHead, deviation: Tensor) -> Tensor | None:
    """Return a head's `prior` for standardised features, (outputs, width); None where it has none."""
    return None if head.prior is None else head.prior * deviation


def start(head: LinearHead, prior: Tensor | None = None) -> None:
    """Begin at zero, or at the prior: the loss is convex, and the result must not depend on what was drawn."""
    with torch.no_grad():
        for parameter in head.linear.parameters():
            parameter.zero_()
        if prior is not None:
            head.linear.weight.copy_(prior)


def looks(iterations: int) -> int:
    """Return how often the loss is looked at in so many iterations at most: line searches look more than once."""
    return iterations * 5 // 4


def minimise(
    head: LinearHead,
    blocks: Sequence[Block],
    penalty: float,
    iterations: int = 200,
    tolerance: float = 1e-9,
    told: Callable[[float], None] = lambda loss: None,
    shape: Shape = PLAIN,
    prior: Tensor | None = None,
) -> float:
    """Minimise mean loss + penalty/2 · ‖w − w₀‖² over `linear`, from where it is; return the mean loss.

    Full-batch L-BFGS (Liu and Nocedal 1989).

    :param tolerance: the change of the objective at which to stop.
    :param told: told the mean loss at each look at it.
    :param shape: what is made of the head's losses; convex, as these are.
    :param prior: w₀, (outputs, width) of features as they are given; zero when None.
    :raises TrainingError: when the loss is not finite.
    """
    weight = head.linear.weight
    solver = torch.optim.LBFGS(
        list(head.linear.parameters()),
        max_iter=iterations,
        max_eval=looks(iterations),
        tolerance_grad=1e-6,
        tolerance_change=tolerance,
        line_search_fn="strong_wolfe",
    )
    blocks = [block for block in blocks if len(block.features)]

    def closure() -> Tensor:
        solver.zero_grad()
        losses, counts = zip(*(loss_of(head, block, shape) for block in blocks), strict=True)
        mean: Tensor = torch.stack(losses).sum() / torch.stack(counts).sum()
        told(float(mean.detach()))
        apart = weight if prior is None else weight - prior
        objective = mean + penalty / 2 * (apart * apart).sum()
        objective.backward()  # type: ignore[no-untyped-call]
        return objective

    with not_drawing():  # a convex loss draws nothing, and many small calls would be looked at
        solver.step(closure)  # type: ignore[no-untyped-call]
    loss = mean_loss(head, blocks, shape)
    if not math.isfinite(loss) or not torch.isfinite(weight).all():
        raise TrainingError(
            f"the loss is {loss} at penalty {penalty}.",
            do="look for constant or infinite features, or raise the penalty.",
        )
    solver.zero_grad()
    return loss

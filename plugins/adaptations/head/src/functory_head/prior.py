"""What a head knows before it has seen an example, such as that a cosine says what is relevant, and whether to leave it.

A handful of examples teach a map of a thousand numbers less than that, and a penalty towards zero would forget it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from functory_sdk.torch import LinearHead, Shape, linear
from functory_sdk.torch.linear import Block

FIRM = 1e4
"""The penalty that leaves a head at its prior but for a hair."""
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""How sharp a prior may be, as multiples of what the head says: backbones differ in how far their cosines lie apart."""
SURE = 2.0
"""By how many standard errors what is learned must be better."""
STAYED = "the examples add nothing sure to what vectors and words say already: φ leaves that as it is"


def scaled(head: LinearHead, blocks: Sequence[Block], deviation: Tensor, shape: Shape) -> Tensor | None:
    """Return a head's prior for standardised features, as sharp as suits the examples best, (outputs, width), if it has one."""
    prior = linear.prior(head, deviation)
    if prior is None:
        return None
    losses = []
    for factor in FACTORS:
        linear.start(head, factor * prior)
        losses.append(linear.mean_loss(head, blocks, shape))
    return FACTORS[int(np.argmin(losses))] * prior


def is_better(losses: Sequence[float], known: Sequence[float]) -> bool:
    """Whether held-out losses are surely below those of the prior, by the differences' standard error; of a large table's one
    trial, whether they are below.
    """
    gains = np.subtract(known, losses)
    error = SURE * gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else 0.0
    return bool(gains.mean() > error)

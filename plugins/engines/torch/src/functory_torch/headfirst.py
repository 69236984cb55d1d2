"""The head first: fitted to the backbone's features before φ's first step moves them (Kumar et al. 2022, arXiv 2202.10054).

A head that begins at random sends noise down into the layers until it has learned to read, and on few rows of an anisotropic
backbone it never does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from functory_sdk import Port, Run, plan
from functory_sdk.torch import LinearHead, Shape, linear
from functory_sdk.torch.shapes import PLAIN
from functory_torch.schedule import grouped
from functory_torch.sources import Source
from functory_torch.training import telling

UNITS = 8192
"""Rows or tokens that are enough for a beginning."""
PRIOR = 500.0
"""The penalty times the units: what the folds of `head` choose on sentences, where standardised features are 384 wide."""
ITERATIONS, TOLERANCE = 100, 1e-5


def fit_head_first(
    source: Source, lengths: list[int], budget: int, seed: int, run: Run | None = None, shape: Shape = PLAIN
) -> float | None:
    """Fit a head of one affine map to the features of some rows, drawn by the seed; return the mean loss.

    :param lengths: of each row, in tokens.
    :param budget: tokens of one pass.
    :param run: whose observers are told how far the features are.
    :param shape: what is made of the head's losses, but for what has more than one optimum.
    :return: None, and nothing is done, for a head or a gold of another kind, or where no row has gold.
    """
    head = source.model.head
    if not isinstance(head, LinearHead) or len(head.maps) > 1 or not linear.is_of_units(head, source.model.gold):
        return None
    source.model.eval()
    groups = grouped(source.group)
    order = np.random.default_rng(seed).permutation(len(groups))
    blocks: list[linear.Block] = []
    told = telling(
        run, "features of the first head", min(UNITS, len(lengths) if head.reading.unit == "row" else sum(lengths))
    )
    for first in range(0, len(order), 64):
        rows = sorted(row for group in order[first : first + 64].tolist() for row in groups[group])
        for part in plan([lengths[row] for row in rows], budget):
            with torch.no_grad():
                blocks.append(source.block([rows[place] for place in part]))
            told(len(blocks[-1].features))
        if sum(len(block.features) for block in blocks) >= UNITS:
            break
    table = linear.Block(
        torch.cat([block.features.float() for block in blocks]),
        {
            port.name: linear.joined([block.gold[port.name] for block in blocks], port.fill)
            for port in (*source.model.gold, Port("group", "int64"))
            if port.name in blocks[0].gold
        },
    )
    if not len(table.features):
        return None
    mean, deviation = linear.standardise(table.features)
    prior = linear.prior(head, deviation)
    linear.start(head, prior)
    convex = replace(shape, focal=0.0)
    loss = linear.minimise(head, [table], PRIOR / len(table.features), ITERATIONS, TOLERANCE, shape=convex, prior=prior)
    linear.fold(head, mean, deviation)
    return loss

"""What a network owes whose rows may branch: the states of each way to go on are those that it has in a row of its own.

Apart from the suites of backbones and of families, which both hold their networks to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

BEGINNING = 6
"""Tokens that all ways begin with."""
PLAIN, KEPT, ONCE, BESIDE = "in one row", "after what is kept", "after what is kept once for all rows", "beside another batch"


@dataclass(frozen=True)
class Tree:
    """Ways to go on from one beginning, as one stretch of a row.

    :param positions: of each token, counted from the end of the beginning.
    :param ends: likewise, from which place of the stretch on it is seen no more.
    :param ways: the places of each way's tokens.
    """

    positions: tuple[int, ...]
    ends: tuple[int, ...]
    ways: tuple[tuple[int, ...], ...]


TREES = (
    Tree((0, 1, 2, 1, 2, 0, 1), (5, 3, 3, 5, 5, 7, 7), ((0, 1, 2), (0, 3, 4), (5, 6))),
    Tree((0, 1, 1), (3, 2, 3), ((0, 1), (0, 2))),
)
"""Three tokens, two others after the first of them, two others after the beginning; and a shorter one, which is padded."""


def branching_differences(network: Any) -> dict[str, float]:  # Any: a functory_sdk.torch.Network
    """Return the largest difference, as a share of the states' scale, between ways that branch and rows of their own, where all
    of it is read at once and where the beginning's keys and values are kept; skip a check for a network that knows no branches.
    """
    import torch

    if not network.has_branches:
        pytest.skip("no row of the network branches")
    drawn = _Drawn(network.spec)
    with torch.inference_mode():
        found = {PLAIN: _at_once(network, drawn), KEPT: _resumed(network, drawn)}
        if network.shares_beginnings:
            found[ONCE] = _after_shared(network, drawn)
        if network.spec.architecture == "decoder":
            found[BESIDE] = _beside(network, drawn)
        return {how: _farthest(network, drawn, states) for how, states in found.items()}


class _Drawn:
    """Random tokens: the source of an encoder-decoder, the beginning, and those of each tree."""

    def __init__(self, spec: Any) -> None:
        generator = np.random.default_rng(3)
        drawn = generator.integers(0, spec.vocabulary - 1, 64)
        ids = (drawn + (drawn >= spec.pad_id)).tolist()  # whatever is not padding
        self.pad: int = spec.pad_id
        self.source, self.beginning, rest = ids[:8], ids[8 : 8 + BEGINNING], ids[8 + BEGINNING :]
        self.trees = [rest[10 * place : 10 * place + len(tree.positions)] for place, tree in enumerate(TREES)]


def _farthest(network: Any, drawn: _Drawn, states: Any) -> float:
    """Return the largest difference of the ways' states, (trees, tokens, width), from those of rows of their own."""
    from functory_sdk.testing.backbones import scale

    off = 0.0
    for tree, ids, branched in zip(TREES, drawn.trees, states, strict=True):
        for way in tree.ways:
            [whole] = network.hidden(_batch(network, drawn, [[*drawn.beginning, *(ids[place] for place in way)]]))
            off = max(off, float((branched[list(way)] - whole[BEGINNING:]).abs().max()) / scale(whole))
    return off


def _at_once(network: Any, drawn: _Drawn) -> Any:  # Any: a tensor
    """Return the states of the trees, beginning and ways in one row."""
    batch = _batch(network, drawn, [[*drawn.beginning, *ids] for ids in drawn.trees])
    batch |= _branches(list(range(BEGINNING)), [BEGINNING + len(TREES[0].ends)] * BEGINNING)
    return network.hidden(batch)[:, BEGINNING:]


def _resumed(network: Any, drawn: _Drawn) -> Any:  # Any: a tensor
    """Return the states of the trees after a beginning whose keys and values are kept."""
    import torch

    from functory_sdk.torch import Kept

    has_source = network.spec.architecture == "encoder-decoder"
    kept, first = Kept(has_source=has_source), network.encoder_points if has_source else 0
    begun = _batch(network, drawn, [drawn.beginning] * len(TREES))
    memory = network.run(0, first, {}, network.prepare(begun)) if has_source else {}
    network.run(first, network.points, dict(memory), network.resume(begun, kept.layers))
    batch = _batch(network, drawn, drawn.trees) | _branches([], [])
    mask = network.output_mask
    batch[mask] = torch.cat([begun[mask], batch[mask]], 1)
    return network.run(first, network.points, dict(memory), network.resume(batch, kept.layers))["hidden"]


def _after_shared(network: Any, drawn: _Drawn) -> Any:  # Any: a tensor
    """Return the states of the trees after a beginning that is kept once; the first of their tokens is read with it, as a row has
    one of its own at least.
    """
    from functory_sdk.torch import Kept

    kept = Kept(has_source=False)
    begun = _batch(network, drawn, [drawn.beginning])
    network.run(0, network.points, {}, network.resume(begun, kept.layers))
    shared = [(keys[:, :, :-1], values[:, :, :-1]) for keys, values in kept.pairs()]
    own = Kept.of([(keys[:, :, -1:].repeat(len(TREES), 1, 1, 1), values[:, :, -1:].repeat(len(TREES), 1, 1, 1))
                   for keys, values in kept.pairs()])  # fmt: skip
    own.share(shared)
    batch = _trees_after(network, drawn, 1)
    batch["ends"] = batch["ends"] - (BEGINNING - 1)
    return network.run(0, network.points, {}, network.resume(batch, own.layers))["hidden"]


def _beside(network: Any, drawn: _Drawn) -> Any:  # Any: a tensor
    """Return the states of the trees after what is kept, read in a pass with other tokens before them and after."""
    from functory_sdk.torch import Kept, Unread, read

    kept = Kept(has_source=False)
    begun = _batch(network, drawn, [drawn.beginning] * len(TREES))
    network.run(0, network.points, {}, network.resume(begun, kept.layers))
    unread = [Unread.of(network, _trees_after(network, drawn, BEGINNING), kept)]
    others = [Unread.of(network, _batch(network, drawn, [row[:3]] * 2), Kept(has_source=False)) for row in drawn.trees]
    return read([others[0], *unread, others[1]])[1]


def _trees_after(network: Any, drawn: _Drawn, places: int) -> dict[str, Any]:
    """Return the trees as new tokens after a beginning of which each row has so many places of its own."""
    import torch

    batch = _batch(network, drawn, drawn.trees) | _branches([], [])
    mask = batch[network.output_mask]
    batch[network.output_mask] = torch.cat([mask.new_ones(len(mask), places), mask], 1)
    return batch


def _batch(network: Any, drawn: _Drawn, written: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return rows of written tokens, padded on the right, and the source that all of them have."""
    import torch

    longest = max(map(len, written))
    ids = torch.tensor([[*row, *[drawn.pad] * (longest - len(row))] for row in written])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in written])
    batch = {network.written: ids, network.output_mask: mask}
    if network.spec.architecture == "encoder-decoder":
        source = torch.tensor([drawn.source] * len(written))
        batch |= {"input_ids": source, "attention_mask": torch.ones_like(source)}
    return batch


def _branches(positions: Sequence[int], ends: Sequence[int]) -> dict[str, Any]:
    """Return positions and ends of the trees, padded with 0.

    :param positions: of what stands before them in the row.
    :param ends: likewise.
    """
    import torch

    longest = max(len(tree.ends) for tree in TREES)
    own = {"positions": (positions, [tree.positions for tree in TREES]), "ends": (ends, [tree.ends for tree in TREES])}
    return {
        name: torch.tensor([
            [*before, *(BEGINNING + place for place in row), *[0] * (longest - len(row))] for row in rows
        ])
        for name, (before, rows) in own.items()
    }  # fmt: skip

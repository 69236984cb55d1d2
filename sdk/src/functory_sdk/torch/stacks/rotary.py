"""Rotary positions, and the kinds of layers that have their own."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from functory_sdk.torch.network import Context

FULL, SLIDING = "full_attention", "sliding_attention"
"""transformers' names of the kinds of a layer: every token is seen, or a window of them."""


def angles_of(model: Any, positions: Tensor, kinds: tuple[str, ...]) -> Context:
    """Return the rotary angles of each kind of layer at the positions of tokens, (rows, tokens) (Su et al. 2021)."""
    like = next(model.parameters())[:1]  # says device and precision
    angles: Context = {}
    for kind in dict.fromkeys(kinds):
        by_kind = (kind,) if hasattr(model.rotary_emb, "layer_types") else ()
        angles[f"cos {kind}"], angles[f"sin {kind}"] = model.rotary_emb(like, positions, *by_kind)
    return angles

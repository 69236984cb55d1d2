"""Gives back what PiSSA and OLoRA took out of the base before training, as more ranks of the update.

Both begin with a part B₀A₀ of the weight W: W − s·B₀A₀ is frozen, s·BA is trained from B₀A₀ on, and PEFT computes the part
again from W when it loads the adapter. The function's backbone keeps W, so that its update is s·(BA − B₀A₀)::

    s · [B  −B₀] [A ]     twice the rank, and twice the alpha
                 [A₀]

PiSSA (Meng et al. 2024, arXiv 2404.02948) takes the r greatest singular values, OLoRA (Büyükakyüz 2024, arXiv 2406.01775)
the first r columns of Q and rows of R. The signs that a decomposition leaves open do not show in the product.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from functory_sdk import Array


def part_of(weight: Tensor, rank: int, scale: float, start: Literal["pissa", "olora"] | str) -> tuple[Tensor, Tensor]:
    """Return A₀ (rank, in) and B₀ (out, rank) of a weight (out, in).

    :param scale: s; PiSSA divides by it, so that s·B₀A₀ is the part itself.
    """
    weight = weight.detach().float()
    if start == "olora":
        q, r = torch.linalg.qr(weight)
        return r[:rank], q[:, :rank]
    left, values, right = torch.linalg.svd(weight, full_matrices=False)
    root = (values[:rank] / scale).sqrt()
    return root[:, None] * right[:rank], left[:, :rank] * root


def with_start(down: Array, up: Array, weight: Tensor, scale: float, start: str) -> tuple[Array, Array]:
    """Return an update with what was taken out of the base: A (2 · rank, in) and B (out, 2 · rank)."""
    first, last = part_of(weight, len(down), scale, start)
    return (
        torch.cat([torch.from_numpy(down), first]).numpy(),
        torch.cat([torch.from_numpy(up), -last], dim=1).numpy(),
    )

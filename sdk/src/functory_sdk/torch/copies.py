"""Copies of a network's structure whose parameters are the network's own: a backbone is never changed."""

from __future__ import annotations

import copy
from typing import TypeVar

from torch import nn

M = TypeVar("M", bound=nn.Module)


def structural_copy(network: M) -> M:
    """Return a copy with its own modules, hooks and mode, whose parameters and buffers alias the original's.

    Injecting layers into the copy, training it or setting its mode leaves the original as it was. The
    shared tensors stay frozen; who wants to train one replaces it in the copy first (`own`).
    """
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    return copy.deepcopy(network, memo=dict(shared))


def own(module: nn.Module) -> None:
    """Give a copied module trainable parameters of its own, equal to the shared ones. Ties stay tied."""
    made: dict[int, nn.Parameter] = {}
    for child in module.modules():
        for name, parameter in list(child.named_parameters(recurse=False)):
            if id(parameter) not in made:
                made[id(parameter)] = nn.Parameter(parameter.detach().clone(), requires_grad=True)
            setattr(child, name, made[id(parameter)])

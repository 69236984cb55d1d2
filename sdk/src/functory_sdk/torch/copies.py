"""Copies of a network's structure whose parameters hold the network's own numbers: a backbone is never changed."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


def structural_copy(network: M) -> M:
    """Return a copy with its own modules, hooks and mode, whose parameters and buffers alias the original's.

    Injecting layers into the copy, training it, setting its mode, its type or its device (``half()``) leaves the original
    as it was. The shared numbers stay frozen; who wants to train some replaces them in the copy first (`own`).
    """
    shared: dict[int, torch.Tensor] = {id(buffer): buffer for buffer in network.buffers()}
    for parameter in network.parameters():  # an object of the copy's own: `half()` sets the data of those that it finds
        shared[id(parameter)] = nn.Parameter(parameter.detach(), requires_grad=parameter.requires_grad)
    return copy.deepcopy(network, memo=dict(shared))


def own(module: nn.Module) -> None:
    """Give a copied module trainable parameters of its own, equal to the shared ones. Ties stay tied."""
    made: dict[int, nn.Parameter] = {}
    for child in module.modules():
        for name, parameter in list(child.named_parameters(recurse=False)):
            if id(parameter) not in made:
                made[id(parameter)] = nn.Parameter(parameter.detach().clone(), requires_grad=True)
            setattr(child, name, made[id(parameter)])

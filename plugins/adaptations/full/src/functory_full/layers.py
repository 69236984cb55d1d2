"""Gives the copy weights of its own (torch)."""

from __future__ import annotations

from torch import nn

from functory_sdk import NotSupported
from functory_sdk.torch import Network, own


def train_all(network: Network) -> None:
    """Let every weight be trained; the token scores of a decoder only where a head reads them (the engine sees to it)."""
    own(network)


def train_top(network: Network, layers: int) -> None:
    """Let the weights of the top layers be trained.

    :raises NotSupported: when there are fewer.
    """
    blocks = network.blocks
    if layers > len(blocks):
        raise NotSupported(
            f"{network.spec.reference} has {len(blocks)} layers; the option asks for the top {layers}.",
            do=f"set layers between 1 and {len(blocks)}, or 0 for everything.",
        )
    own(nn.ModuleList(blocks[-layers:]))

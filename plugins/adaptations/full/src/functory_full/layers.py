"""Gives the copy weights of its own (torch)."""

from __future__ import annotations

from torch import nn

from functory_sdk.torch import Network, own


def train_all(network: Network) -> None:
    """Let every weight be trained; the token scores of a decoder only where a head reads them (the engine sees to it)."""
    own(network)


def train_top(network: Network, layers: int) -> None:
    """Let the weights of the top layers be trained.

    :raises NotSupported: when there are fewer.
    """
    own(nn.ModuleList(network.top(layers)))

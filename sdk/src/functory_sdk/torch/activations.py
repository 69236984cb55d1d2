"""Activations by the names that config.json has for them, which are transformers'."""

from __future__ import annotations

import math
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from functory.errors import NotSupported


class Elementwise(nn.Module):
    """A function of each number alone.

    :param function: of a tensor.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, given: Tensor) -> Tensor:
        """Return the function of each number; the shape stays."""
        return self.function(given)


def activation(name: str) -> nn.Module:
    """Return a new activation of a name.

    :raises NotSupported: where none of that name is known.
    """
    if name not in ACTIVATIONS:
        near = get_close_matches(str(name), ACTIVATIONS, 1)
        raise NotSupported(
            f"the activation {str(name)[:100]!r} is not known here.",
            do=f"{f'did you mean {near[0]!r}? ' if near else ''}Those that are known: {', '.join(ACTIVATIONS)}.",
        )
    return ACTIVATIONS[name]()


def _tanh_gelu(given: Tensor) -> Tensor:
    """Return the GELU by a tanh, term by term as BERT's authors wrote it: torch's own differs in the last digits."""
    return 0.5 * given * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (given + 0.044715 * torch.pow(given, 3.0))))


def _fast_gelu(given: Tensor) -> Tensor:
    return 0.5 * given * (1.0 + torch.tanh(given * 0.7978845608 * (1.0 + 0.044715 * given * given)))


def _quick_gelu(given: Tensor) -> Tensor:
    return given * torch.sigmoid(1.702 * given)


def _clipped_gelu(given: Tensor) -> Tensor:
    return functional.gelu(given).clip(-10, 10)


def _laplace(given: Tensor) -> Tensor:
    """Return the cumulative distribution of a normal one with mean √½ and deviation 1 / √(4π) (Ma et al. 2022, Mega)."""
    return 0.5 * (1.0 + torch.erf((given - 0.707107) / (0.282095 * math.sqrt(2.0))))


def _squared_relu(given: Tensor) -> Tensor:
    return functional.relu(given).square()


def _root_softplus(given: Tensor) -> Tensor:
    return functional.softplus(given).sqrt()


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "gelu": nn.GELU,
    "gelu_10": partial(Elementwise, _clipped_gelu),
    "gelu_accurate": partial(Elementwise, _tanh_gelu),
    "gelu_fast": partial(Elementwise, _fast_gelu),
    "gelu_new": partial(Elementwise, _tanh_gelu),
    "gelu_python": nn.GELU,
    "gelu_python_tanh": partial(Elementwise, _tanh_gelu),
    "gelu_pytorch_tanh": partial(nn.GELU, approximate="tanh"),
    "hardswish": nn.Hardswish,
    "laplace": partial(Elementwise, _laplace),
    "leaky_relu": nn.LeakyReLU,
    "linear": nn.Identity,
    "mish": nn.Mish,
    "prelu": nn.PReLU,
    "quick_gelu": partial(Elementwise, _quick_gelu),
    "relu": nn.ReLU,
    "relu2": partial(Elementwise, _squared_relu),
    "relu6": nn.ReLU6,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "sqrtsoftplus": partial(Elementwise, _root_softplus),
    "swish": nn.SiLU,
    "tanh": nn.Tanh,
}
"""A name → what makes one. Of transformers' names xielu alone is missing: it has five numbers of its own, and no encoder."""

"""A model whose affine maps multiply in bfloat16, for sessions: the weights that are kept, and all else, stay in float32.

Matrix products take most of a pass, and are where a processor has instructions for narrow numbers. States between the maps,
attention's softmax, norms, the head, and the softmax over the vocabulary are computed as they always are.
"""

from __future__ import annotations

from typing import TypeGuard

import torch
from torch import Tensor, nn

from functory_sdk import NotSupported
from functory_sdk.torch import Model, structural_copy


class NarrowLinear(nn.Linear):
    """An affine map, (…, in) → (…, out), that multiplies in bfloat16; what comes out is float32.

    :param wide: the map as it is kept.
    """

    def __init__(self, wide: nn.Linear) -> None:
        super().__init__(wide.in_features, wide.out_features, wide.bias is not None, device="meta")
        self.weight = _narrow(wide.weight)  # (out, in)
        if wide.bias is not None:
            self.bias = _narrow(wide.bias)  # (out,)

    def forward(self, input: Tensor) -> Tensor:
        return nn.functional.linear(input.to(torch.bfloat16), self.weight, self.bias).float()


def narrowed(model: Model) -> Model:
    """Return a copy whose network's maps are narrow; all else is shared with the model, which stays as it is.

    :raises NotSupported: for a network of other maps than torch's own, with which nothing would be faster.
    """
    made = structural_copy(model).eval()
    maps = {path: module for path, module in made.network.named_modules() if is_plain(module)}
    if not maps:
        raise NotSupported(
            f"{model.network.spec.reference!r} has no maps that are torch's own, and nothing to multiply in bfloat16.",
            do="leave precision out.",
        )
    for path, module in maps.items():
        owner, _, name = path.rpartition(".")
        setattr(made.network.get_submodule(owner), name, NarrowLinear(module).eval())
    return made


def is_plain(module: nn.Module) -> TypeGuard[nn.Linear]:
    """Whether a module is a map of torch's own, that multiplies as it does."""
    return isinstance(module, nn.Linear) and type(module).forward is nn.Linear.forward


def _narrow(parameter: Tensor) -> nn.Parameter:
    return nn.Parameter(parameter.detach().to(torch.bfloat16), requires_grad=False)

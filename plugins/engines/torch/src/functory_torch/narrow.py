"""A model whose affine maps multiply in bfloat16, for sessions: the weights that are kept, and all else, stay in float32.

Matrix products take most of a pass, and are where a processor has instructions for narrow numbers. States between the maps,
attention's softmax, norms, the head, and the softmax over the vocabulary are computed as they always are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

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
    """Return a copy whose network's maps are narrow; what they are no maps of is shared with the model, which stays as it is."""
    made = structural_copy(model).eval()
    for path, module in list(made.network.named_modules()):
        if isinstance(module, nn.Linear) and type(module).forward is nn.Linear.forward:
            owner, _, name = path.rpartition(".")
            setattr(made.network.get_submodule(owner), name, NarrowLinear(module).eval())
    return made


def _narrow(parameter: Tensor) -> nn.Parameter:
    return nn.Parameter(parameter.detach().to(torch.bfloat16), requires_grad=False)

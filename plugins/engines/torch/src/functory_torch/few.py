"""A model whose affine maps take few rows at a time fast, for sessions that write: a step of a batch has a row for each text.

MKL multiplies up to three rows with a matrix as it lies. From four rows on it copies the whole matrix first, which at fifteen
takes longer than the product. As many small products do not copy: of smollm2's maps, in the processor's time, one thread,
AVX-512, 4 rows take .86 of it, 6 rows .85, 8 rows .65, 10 to 15 rows .6; its 49,152 token scores .6, .67, .4 and .4. From 16
rows on a copy is what pays. Apart from `narrow`, which rounds: here the same numbers are multiplied, and none is copied.
"""

from __future__ import annotations

from math import gcd

import torch
from torch import Tensor, nn

from functory_sdk.torch import Model, structural_copy
from functory_torch.narrow import is_plain

FEWEST, MOST = 4, 15
"""The rows that are multiplied part by part."""
PART, LEAST = 64, 16
"""The outputs of one product, or the most that divide a map's evenly; with fewer, nothing would be faster."""


class FewLinear(nn.Linear):
    """An affine map, (…, in) → (…, out), of the numbers of another.

    :param map: the other.
    """

    def __init__(self, map: nn.Linear) -> None:
        super().__init__(map.in_features, map.out_features, map.bias is not None, device="meta")
        self.weight = map.weight  # (out, in)
        if map.bias is not None:
            self.bias = map.bias  # (out,)
        self._part = gcd(map.out_features, PART)

    def forward(self, input: Tensor) -> Tensor:
        rows = input.numel() // self.in_features
        if not FEWEST <= rows <= MOST or self._part < LEAST:
            return super().forward(input)
        given = input.reshape(1, rows, -1).expand(self.out_features // self._part, -1, -1)
        parts = self.weight.view(-1, self._part, self.in_features).transpose(1, 2)  # (parts, in, outputs of a part)
        made = torch.bmm(given, parts).transpose(0, 1).reshape(*input.shape[:-1], self.out_features)
        return made if self.bias is None else made + self.bias


def for_few(model: Model) -> Model:
    """Return a copy whose network's maps are fast for few rows; all numbers are shared with the model, which stays as it is."""
    made = structural_copy(model).eval()
    for path, module in list(made.network.named_modules()):
        if is_plain(module) and module.weight.is_contiguous():
            owner, _, name = path.rpartition(".")
            setattr(made.network.get_submodule(owner), name, FewLinear(module).eval())
    return made

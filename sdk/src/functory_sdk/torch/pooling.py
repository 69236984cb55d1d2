"""How the hidden states of a row become one vector."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn.functional import normalize

from functory_sdk.readouts import Readout
from functory_sdk.torch.activations import activation


def pool(hidden: Tensor, mask: Tensor, how: str, *, is_normalised: bool = False) -> Tensor:
    """Return one vector per row, (batch, width).

    :param hidden: (batch, tokens, width).
    :param mask: (batch, tokens), 1 where a token is real.
    :param how: ``mean`` over real tokens (Reimers and Gurevych 2019), ``first``, or ``last`` real token.
    :param is_normalised: bring all to one length, √width: elements of about one are what learning rates and first values
        of heads are made for, and at unit length a head learned three times too slowly.
    """
    pooled = _pooled(hidden, mask, how)
    return normalize(pooled, dim=-1) * math.sqrt(pooled.shape[-1]) if is_normalised else pooled


def _pooled(hidden: Tensor, mask: Tensor, how: str) -> Tensor:
    if how == "first":
        return hidden[:, 0]
    if how == "last":
        last = mask.long().sum(1).sub(1).clamp(min=0)  # (batch,)
        return hidden.gather(1, last[:, None, None].expand(-1, 1, hidden.shape[-1])).squeeze(1)
    weights = mask.to(hidden.dtype).unsqueeze(-1)  # (batch, tokens, 1)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


class Pooler(nn.Module):
    """What a fine-tuned classifier has between the hidden states and its last map: a part of φ.

    An adaptation puts one on its copy of a network by `Network.read_as`, in place of the backbone's own pooling.

    :param readout: which parts there are.
    :param width: of the hidden states.
    :raises NotSupported: for an activation that is not known.
    """

    def __init__(self, readout: Readout, width: int) -> None:
        super().__init__()
        self.readout = readout
        self.map = nn.Linear(width, width, bias=readout.has_bias) if readout.has_map else nn.Identity()
        self.activation = activation(readout.activation) if readout.activation else nn.Identity()
        self.norm = (
            nn.LayerNorm(width, eps=readout.epsilon, bias=readout.has_norm_bias) if readout.epsilon else nn.Identity()
        )

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return what the last map reads: (batch, width), or (batch, tokens, width) where each token is read.

        :param hidden: (batch, tokens, width).
        :param mask: (batch, tokens), 1 where a token is real.
        """
        read = hidden if self.readout.pooling == "each" else pool(hidden, mask, self.readout.pooling)
        result: Tensor = self.norm(self.activation(self.map(read)))
        return result

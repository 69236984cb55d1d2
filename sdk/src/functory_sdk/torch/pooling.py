"""How the hidden states of a row become one vector."""

from __future__ import annotations

from torch import Tensor


def pool(hidden: Tensor, mask: Tensor, how: str) -> Tensor:
    """Return one vector per row, (batch, width).

    :param hidden: (batch, tokens, width).
    :param mask: (batch, tokens), 1 where a token is real.
    :param how: ``mean`` over real tokens (Reimers and Gurevych 2019), ``first``, or ``last`` real token.
    """
    if how == "first":
        return hidden[:, 0]
    if how == "last":
        last = mask.long().sum(1).sub(1).clamp(min=0)  # (batch,)
        return hidden.gather(1, last[:, None, None].expand(-1, 1, hidden.shape[-1])).squeeze(1)
    weights = mask.to(hidden.dtype).unsqueeze(-1)  # (batch, tokens, 1)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)

"""Tokens without the padding between them: maps that take each token alone compute nothing for padding, and attention alone sees
rows (Zeng et al. 2022, Boosting Distributed Training Performance of the Unpadded BERT Model, arXiv 2208.08124).

Apart from `attending`, which is for tokens that are read after others.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from functory_sdk.torch.attending import Sight, scaled
from functory_sdk.torch.network import is_tracing

WORTH = 0.95
"""Rows are taken apart where so large a share of their places, or less, is real: for less padding it does not pay."""


class Unpadded:
    """The real tokens of padded rows, one row after the other.

    :param mask: (rows, tokens): which places are real.
    """

    def __init__(self, mask: Tensor) -> None:
        self._rows, self._tokens = mask.shape
        self._real = mask.flatten().nonzero().squeeze(1)
        self._from = (mask.flatten().cumsum(0) - 1).clamp(min=0)  # which real token stands at each place, or before it

    @staticmethod
    def of(mask: Tensor) -> Unpadded | None:
        """Return the real tokens of rows where it pays to take them apart; None where there is little padding, and in a graph,
        where no size may depend on values.
        """
        if is_tracing() or int(mask.count_nonzero()) > WORTH * mask.numel():
            return None
        return Unpadded(mask)

    def off(self, padded: Tensor) -> Tensor:
        """Return what padded rows hold of real tokens, (1, real tokens, …), from (rows, tokens, …)."""
        return padded.flatten(0, 1).index_select(0, self._real)[None]

    def on(self, real: Tensor) -> Tensor:
        """Return padded rows, (rows, tokens, …), zero where no token is, from (1, real tokens, …)."""
        shape = real.shape[2:]
        padded = real.new_zeros(self._rows * self._tokens, *shape).index_copy(0, self._real, real[0])
        return padded.view(self._rows, self._tokens, *shape)

    def spread(self, real: Tensor) -> Tensor:
        """Return padded rows, (rows, tokens, …), as `on` does but with anything where no token is, and three times as fast."""
        return real[0].index_select(0, self._from).view(self._rows, self._tokens, *real.shape[2:])

    def places(self) -> Tensor:
        """Return where in its row each token stands, (1, real tokens)."""
        return (self._real % self._tokens)[None]

    def seen(self, mask: Tensor) -> Sight:
        """Return what the tokens see, in place of a mask of padded rows.

        :param mask: (rows, 1, 1 or tokens, tokens) bool.
        """
        return _Rows(self, mask)


@dataclass(frozen=True)
class _Rows(Sight):
    """Tokens that see those of their row.

    :param mask: of the padded rows.
    """

    tokens: Unpadded
    mask: Tensor

    def attend(
        self, module: object, query: Tensor, key: Tensor, value: Tensor, *, scaling: float, dropout: float = 0.0
    ) -> Tensor:
        query, key, value = (self.tokens.spread(array.transpose(1, 2)).transpose(1, 2) for array in (query, key, value))
        return self.tokens.off(scaled(query, key, value, self.mask, scaling=scaling, dropout=dropout))

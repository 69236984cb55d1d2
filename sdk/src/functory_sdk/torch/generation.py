"""Generation token by token, with the keys and values of what was read kept.

Apart from engines: which batch runs when is theirs; what one step computes is the architecture's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Generation(ABC):
    """A batch of texts being written.

    ``logits`` (rows, vocabulary) are the scores of each row's next token.
    """

    logits: Tensor

    @abstractmethod
    def advance(self, tokens: Tensor) -> None:
        """Append a token to each row, (rows,), and compute the next `logits`."""

    @abstractmethod
    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only."""


class DecoderGeneration(Generation):
    """A decoder's generation; prompts are padded on the left, so that all rows end together.

    :param model: a transformers decoder without token scores.
    :param scores: hidden states → token scores.
    :param ids: (rows, tokens), padded on the right as everywhere.
    :param mask: (rows, tokens).
    """

    def __init__(self, model: Any, scores: nn.Module, ids: Tensor, mask: Tensor) -> None:  # Any: a transformers model
        from transformers import DynamicCache

        self._model = model
        self._scores = scores
        self._cache = DynamicCache(config=model.config)
        lengths = mask.sum(1)  # (rows,)
        shift = (ids.shape[1] - lengths)[:, None]
        places = (torch.arange(ids.shape[1])[None] - shift).clamp(min=0)
        self._mask = (torch.arange(ids.shape[1])[None] >= shift).long()
        self._length = lengths
        self._read(ids.gather(1, places), places * self._mask)

    def _read(self, ids: Tensor, positions: Tensor) -> None:
        out = self._model(
            input_ids=ids, attention_mask=self._mask, position_ids=positions, past_key_values=self._cache, use_cache=True
        )
        self.logits = self._scores(out.last_hidden_state[:, -1])

    def advance(self, tokens: Tensor) -> None:
        self._mask = torch.cat([self._mask, torch.ones_like(tokens)[:, None]], dim=1)
        positions = self._length[:, None]
        self._length = self._length + 1
        self._read(tokens[:, None], positions)

    def keep(self, rows: Sequence[int]) -> None:
        chosen = torch.as_tensor(list(rows))
        self._cache.batch_select_indices(chosen)
        self._mask, self._length, self.logits = self._mask[chosen], self._length[chosen], self.logits[chosen]

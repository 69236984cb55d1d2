"""Writing token by token, with the keys and values of what was read kept.

Apart from engines: which batch runs when is theirs; what one step computes is the architecture's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


class Writer(ABC):
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


class DecoderWriter(Writer):
    """A decoder's generation; prompts are padded on the left, so that all rows end together.

    :param model: a transformers decoder without token scores.
    :param scores: hidden states → token scores.
    :param ids: (rows, tokens), padded on the right as everywhere.
    :param mask: (rows, tokens).
    :param written: (rows, tokens) what was written already.
    """

    def __init__(  # Any: a transformers model
        self, model: Any, scores: Callable[[Tensor], Tensor], ids: Tensor, mask: Tensor, written: Tensor | None = None
    ) -> None:
        from transformers import DynamicCache

        self._model = model
        self._scores = scores
        self._cache = DynamicCache(config=model.config)
        places = torch.arange(ids.shape[1], device=ids.device)[None]
        self._length = mask.sum(1)  # (rows,)
        shift = (ids.shape[1] - self._length)[:, None]
        self._mask = (places >= shift).long()
        ids = ids.gather(1, (places - shift).clamp(min=0))
        if written is not None:
            ids = torch.cat([ids, written], dim=1)
            self._mask = torch.cat([self._mask, torch.ones_like(written)], dim=1)
            self._length = self._length + written.shape[1]
        self._read(ids, (self._mask.cumsum(1) - 1).clamp(min=0))

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
        chosen = torch.as_tensor(list(rows), device=self._mask.device)
        self._cache.batch_select_indices(chosen)
        self._mask, self._length, self.logits = self._mask[chosen], self._length[chosen], self.logits[chosen]


class SourceWriter(Writer):
    """An encoder-decoder's generation: every target begins alike, only the sources differ in length.

    :param decoder: a transformers T5 decoder.
    :param scores: hidden states → token scores.
    :param memory: (rows, tokens, width) what the encoder made of the sources.
    :param mask: (rows, tokens).
    :param target: (rows, tokens) the first token, and what was written already.
    """

    def __init__(  # Any: a transformers decoder
        self, decoder: Any, scores: Callable[[Tensor], Tensor], memory: Tensor, mask: Tensor, target: Tensor
    ) -> None:
        from transformers import DynamicCache, EncoderDecoderCache

        self._decoder = decoder
        self._scores = scores
        self._memory = memory
        self._mask = mask
        config = decoder.config
        self._cache = EncoderDecoderCache(DynamicCache(config=config), DynamicCache(config=config))
        self._read(target)

    def _read(self, ids: Tensor) -> None:
        out = self._decoder(
            input_ids=ids, encoder_hidden_states=self._memory, encoder_attention_mask=self._mask,
            past_key_values=self._cache, use_cache=True,
        )  # fmt: skip
        self.logits = self._scores(out.last_hidden_state[:, -1])

    def advance(self, tokens: Tensor) -> None:
        self._read(tokens[:, None])

    def keep(self, rows: Sequence[int]) -> None:
        chosen = torch.as_tensor(list(rows), device=self._mask.device)
        self._cache.batch_select_indices(chosen)
        self._memory, self._mask, self.logits = self._memory[chosen], self._mask[chosen], self.logits[chosen]

"""What BERT and its kin begin with: words, kinds of token and places, added and normed (Devlin et al. 2019, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from functory_sdk.families.sizes import Sizes


class Embeddings(nn.Module):
    """Ids → (rows, tokens, width of an embedding).

    :param sizes: where it knows no kinds of token, there is no table of them.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, pad = sizes.embedding_size or sizes.hidden_size, sizes.pad_token_id
        self.from_pad = pad if sizes.counts_from_pad else None
        self.word_embeddings = nn.Embedding(sizes.vocab_size, width, padding_idx=pad)
        self.position_embeddings = nn.Embedding(sizes.max_position_embeddings, width, padding_idx=self.from_pad)
        self.token_type_embeddings = nn.Embedding(sizes.type_vocab_size, width) if sizes.type_vocab_size else None
        self.LayerNorm = nn.LayerNorm(width, eps=sizes.layer_norm_eps)
        self.dropout = nn.Dropout(sizes.hidden_dropout_prob)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """Return embeddings.

        :param input_ids: (rows, tokens).
        :param token_type_ids: likewise; of the first kind are all where None.
        """
        embedded = self.word_embeddings(input_ids)
        if self.token_type_embeddings is not None:
            types = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
            embedded = embedded + self.token_type_embeddings(types)
        embedded = embedded + self.position_embeddings(self._places(input_ids))
        result: Tensor = self.dropout(self.LayerNorm(embedded))
        return result

    def _places(self, ids: Tensor) -> Tensor:
        """Return the row of the table for each token, (1 or rows, tokens)."""
        if self.from_pad is None:
            return torch.arange(ids.shape[1], device=ids.device)[None]
        is_real = (ids != self.from_pad).long()
        return is_real.cumsum(1) * is_real + self.from_pad

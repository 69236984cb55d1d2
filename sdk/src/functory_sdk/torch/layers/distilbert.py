"""DistilBERT's layers: BERT's under other names (Sanh et al. 2019)."""

from __future__ import annotations

from torch import Tensor, nn

from functory_sdk.families.sizes import Sizes
from functory_sdk.torch.activations import activation
from functory_sdk.torch.attending import Attending, Sight
from functory_sdk.torch.layers.bert import Encoder
from functory_sdk.torch.layers.embeddings import Embeddings


class SelfAttention(Attending):
    """Every token looks at those of its row; what it sees is mapped, and nothing of that left out in training."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes.num_attention_heads)
        width = sizes.hidden_size
        self.q_lin, self.k_lin, self.v_lin, self.out_lin = (nn.Linear(width, width) for _ in range(4))
        self.dropout = nn.Dropout(sizes.attention_probs_dropout_prob)

    def forward(self, hidden: Tensor, mask: Tensor | Sight | None) -> Tensor:
        """Return what is seen, mapped, (rows, tokens, width)."""
        result: Tensor = self.out_lin(self.attended(self.q_lin(hidden), self.k_lin(hidden), self.v_lin(hidden), mask))
        return result


class Maps(nn.Module):
    """Two maps with an activation between them."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.dropout = nn.Dropout(sizes.hidden_dropout_prob)
        self.lin1 = nn.Linear(sizes.hidden_size, sizes.intermediate_size)
        self.lin2 = nn.Linear(sizes.intermediate_size, sizes.hidden_size)
        self.activation = activation(sizes.hidden_act)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return (rows, tokens, width)."""
        result: Tensor = self.dropout(self.lin2(self.activation(self.lin1(hidden))))
        return result


class Layer(nn.Module):
    """One layer."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, epsilon = sizes.hidden_size, sizes.layer_norm_eps
        self.attention, self.sa_layer_norm = SelfAttention(sizes), nn.LayerNorm(width, eps=epsilon)
        self.ffn, self.output_layer_norm = Maps(sizes), nn.LayerNorm(width, eps=epsilon)

    def forward(self, hidden: Tensor, mask: Tensor | Sight | None) -> Tensor:
        """Return hidden states, (rows, tokens, width)."""
        hidden = self.sa_layer_norm(self.attention(hidden, mask) + hidden)
        result: Tensor = self.output_layer_norm(self.ffn(hidden) + hidden)
        return result


class DistilBert(nn.Module):
    """The whole model, without heads."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.embeddings = Embeddings(sizes)
        self.transformer = Encoder([Layer(sizes) for _ in range(sizes.num_hidden_layers)])

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the last hidden states, (rows, tokens, width), from arrays of (rows, tokens)."""
        result: Tensor = self.transformer(self.embeddings(input_ids), attention_mask.bool()[:, None, None])
        return result

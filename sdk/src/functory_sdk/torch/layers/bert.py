"""BERT's layers, which RoBERTa and ELECTRA have as well: attention, then two maps, a norm after each sum (Devlin et al. 2019)."""

from __future__ import annotations

from torch import Tensor, nn

from functory_sdk.families.sizes import Sizes
from functory_sdk.torch.activations import activation
from functory_sdk.torch.attending import Attending, Sight
from functory_sdk.torch.layers.embeddings import Embeddings


class SelfAttention(Attending):
    """Every token looks at those of its row (Vaswani et al. 2017, section 3.2.2)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes.num_attention_heads)
        width = sizes.hidden_size
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.dropout = nn.Dropout(sizes.attention_probs_dropout_prob)

    def forward(self, hidden: Tensor, mask: Tensor | Sight | None) -> Tensor:
        """Return what is seen, (rows, tokens, width)."""
        return self.attended(self.query(hidden), self.key(hidden), self.value(hidden), mask)


class Added(nn.Module):
    """A map whose result is added to what was before, and normed."""

    def __init__(self, inner: int, sizes: Sizes) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, sizes.hidden_size)
        self.LayerNorm = nn.LayerNorm(sizes.hidden_size, eps=sizes.layer_norm_eps)
        self.dropout = nn.Dropout(sizes.hidden_dropout_prob)

    def forward(self, found: Tensor, before: Tensor) -> Tensor:
        """Return (rows, tokens, width) from (rows, tokens, inner) and what was before."""
        result: Tensor = self.LayerNorm(self.dropout(self.dense(found)) + before)
        return result


class Attention(nn.Module):
    """What is seen, added to what sees it."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.self = SelfAttention(sizes)
        self.output = Added(sizes.hidden_size, sizes)

    def forward(self, hidden: Tensor, mask: Tensor | Sight | None) -> Tensor:
        """Return hidden states, (rows, tokens, width)."""
        result: Tensor = self.output(self.self(hidden, mask), hidden)
        return result


class Widened(nn.Module):
    """The map to a layer's inner width, and its activation."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.dense = nn.Linear(sizes.hidden_size, sizes.intermediate_size)
        self.intermediate_act_fn = activation(sizes.hidden_act)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return (rows, tokens, inner)."""
        result: Tensor = self.intermediate_act_fn(self.dense(hidden))
        return result


class Layer(nn.Module):
    """One layer."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.attention = Attention(sizes)
        self.intermediate = Widened(sizes)
        self.output = Added(sizes.intermediate_size, sizes)

    def forward(self, hidden: Tensor, mask: Tensor | Sight | None) -> Tensor:
        """Return hidden states, (rows, tokens, width)."""
        hidden = self.attention(hidden, mask)
        result: Tensor = self.output(self.intermediate(hidden), hidden)
        return result


class Encoder(nn.Module):
    """The layers under the name that files have for them."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layer = nn.ModuleList(layers)

    def forward(self, hidden: Tensor, mask: Tensor | Sight | None) -> Tensor:
        """Return the last hidden states, (rows, tokens, width)."""
        for layer in self.layer:
            hidden = layer(hidden, mask)
        return hidden


class Bert(nn.Module):
    """The whole model, without heads and pooler. Embeddings that are narrower than the layers are mapped (ELECTRA)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.embeddings = Embeddings(sizes)
        if sizes.embedding_size not in (0, sizes.hidden_size):
            self.embeddings_project = nn.Linear(sizes.embedding_size, sizes.hidden_size)
        self.encoder = Encoder([Layer(sizes) for _ in range(sizes.num_hidden_layers)])

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """Return the last hidden states, (rows, tokens, width), from arrays of (rows, tokens)."""
        hidden = self.embeddings(input_ids, token_type_ids)
        hidden = self.embeddings_project(hidden) if hasattr(self, "embeddings_project") else hidden
        result: Tensor = self.encoder(hidden, attention_mask.bool()[:, None, None])
        return result

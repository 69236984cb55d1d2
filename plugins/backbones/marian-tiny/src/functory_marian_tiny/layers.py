"""The layers of a tiny Marian, as it was trained: the only mathematics here.

Without dropout: such a student has no room to spare. Where a tenth of its states was left out, the log-probability of its own
translation fell from −0.01 to −9 a token, and a training taught it little but to do without.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-9
"""What Marian's norms add to a variance."""


class Attention(nn.Module):
    """Attention with several heads to other states, or to the own ones (Vaswani et al. 2017, section 3.2.2)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, hidden: Tensor, seen: Tensor, mask: Tensor | None, kept: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Return what is seen, (batch, tokens, width).

        :param seen: (batch, places, width).
        :param mask: (batch, 1, 1, places) which of them are real; all where None.
        :param kept: keys and values of `seen`, where they are known.
        """
        keys, values = self.read(seen) if kept is None else kept
        found = functional.scaled_dot_product_attention(self._parted(self.q_proj(hidden)), keys, values, mask)
        result: Tensor = self.out_proj(found.transpose(1, 2).flatten(2))
        return result

    def read(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the keys and values of states, (batch, heads, places, width / heads) both."""
        return self._parted(self.k_proj(seen)), self._parted(self.v_proj(seen))

    def _parted(self, states: Tensor) -> Tensor:
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Memory(nn.Module):
    """A simpler simple recurrent unit: c_t = f_t · c_{t−1} + (1 − f_t) · W x_t, h_t = relu(c_t) (Kim et al. 2019)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value = nn.Linear(width, width, bias=False)
        self.gate = nn.Linear(width, width)

    def forward(self, hidden: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return what is read of a memory after each token, and the memory, (batch, tokens, width) both.

        :param before: the memory after the token before the first, (batch, width); empty where None.
        """
        forget = torch.sigmoid(self.gate(hidden))
        added = (1 - forget) * self.value(hidden)
        cell, cells = torch.zeros_like(added[:, 0]) if before is None else before, []
        for place in range(hidden.shape[1]):
            cell = forget[:, place] * cell + added[:, place]
            cells.append(cell)
        memory = torch.stack(cells, 1)
        return functional.relu(memory), memory


class Layer(nn.Module):
    """What layers of both stacks end with: attention and two maps, a norm after each sum."""

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.attention, self.attention_norm = Attention(width, heads), nn.LayerNorm(width, EPSILON)
        self.fc1, self.fc2, self.norm = nn.Linear(width, inner), nn.Linear(inner, width), nn.LayerNorm(width, EPSILON)

    def forward(self, hidden: Tensor, seen: Tensor, mask: Tensor | None, kept: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Return the states after this layer; see `Attention` for what is seen."""
        hidden = self.attention_norm(hidden + self.attention(hidden, seen, mask, kept))
        result: Tensor = self.norm(hidden + self.fc2(functional.relu(self.fc1(hidden))))
        return result


class DecoderLayer(Layer):
    """A layer that remembers what was written before it looks at the source."""

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__(width, inner, heads)
        self.memory, self.memory_norm = Memory(width), nn.LayerNorm(width, EPSILON)

    def remember(self, hidden: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the states with what was written before each, and the memory after each; see `Memory`."""
        read, memory = self.memory(hidden, before)
        return self.memory_norm(hidden + read), memory


class Stack(nn.Module):
    """The layers of one side."""

    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)


class Marian(nn.Module):
    """The whole model: one table of embeddings for what is read, written and scored."""

    def __init__(self, vocabulary: int, width: int, inner: int, heads: int, encoder: int, decoder: int) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(vocabulary, width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.encoder = Stack([Layer(width, inner, heads) for _ in range(encoder)])
        self.decoder = Stack([DecoderLayer(width, inner, heads) for _ in range(decoder)])

    def embed(self, ids: Tensor, positions: Tensor, *, is_written: bool) -> Tensor:
        """Return tokens at their places, (batch, tokens, width).

        :param is_written: the first token is nothing, whatever stands there: Marian begins to write without one.
        """
        words = self.embeddings(ids) * math.sqrt(self.embeddings.embedding_dim)
        if is_written:
            words = words * (positions > 0)[..., None]
        result: Tensor = words + sines(positions, self.embeddings.embedding_dim)
        return result

    def forward(self, input_ids: Tensor, attention_mask: Tensor, decoder_input_ids: Tensor, **_: Any) -> Tensor:
        """Return the decoder's last states, (batch, target, width), in one pass."""
        places, mask = torch.arange(input_ids.shape[1])[None], attention_mask.bool()[:, None, None]
        source = self.embed(input_ids, places, is_written=False)
        encoder, decoder = (list[Any](stack.layers) for stack in (self.encoder, self.decoder))  # Any: they are modules to it
        for layer in encoder:
            source = layer(source, source, mask)
        hidden = self.embed(decoder_input_ids, torch.arange(decoder_input_ids.shape[1])[None], is_written=True)
        for layer in decoder:
            hidden = layer(layer.remember(hidden, None)[0], source, mask)
        return hidden


def sines(positions: Tensor, width: int) -> Tensor:
    """Return what stands for places, (…, width): sines, then cosines, of wavelengths up to 10,000 · 2π (Vaswani et al. 2017)."""
    half = width // 2
    rates = torch.exp(torch.arange(half, device=positions.device) * (-math.log(10_000.0) / (half - 1)))
    angles = positions[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)

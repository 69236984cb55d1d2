"""The layers, and the network that can be cut (torch)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from functory_sdk import BackboneSpec
from functory_sdk.torch import Network


class Layer(nn.Module):
    """h + a · sigmoid(b), (batch, tokens, channels): one gated convolution of normed tokens."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.mix = nn.Conv1d(channels, 2 * channels, kernel, padding=kernel // 2)

    def forward(self, hidden: Tensor, real: Tensor) -> Tensor:
        read = self.norm(hidden) * real[..., None]  # padding is as what lies beyond a row's end
        value, gate = self.mix(read.mT).mT.chunk(2, -1)
        return hidden + value * torch.sigmoid(gate)


class Encoder(nn.Module):
    """The whole model, as it was trained: its tensors bear these names in model.safetensors."""

    def __init__(self, vocabulary: int, channels: int, depth: int, kernel: int) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(vocabulary, channels)
        self.layers = nn.ModuleList(Layer(channels, kernel) for _ in range(depth))
        self.norm = nn.LayerNorm(channels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.embeddings(input_ids)
        for layer in self.layers:
            hidden = layer(hidden, attention_mask)
        return self.norm(hidden)


class Steps(Network):
    """The same as steps: embeddings, one for each layer, the last norm."""

    def __init__(self, spec: BackboneSpec, encoder: Encoder) -> None:
        super().__init__(spec)
        self.encoder = encoder

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return tuple(self.encoder.layers)

    def prepare(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor | None]:
        return {"ids": batch["input_ids"], "real": batch["attention_mask"]}

    def step(self, index: int, state: dict[str, Tensor], context: dict[str, Tensor | None]) -> dict[str, Tensor]:
        if index == 0:
            return {"hidden": self.encoder.embeddings(context["ids"])}
        if index == self.points - 1:
            return {"hidden": self.encoder.norm(state["hidden"])}
        return {"hidden": self.encoder.layers[index - 1](state["hidden"], context["real"])}

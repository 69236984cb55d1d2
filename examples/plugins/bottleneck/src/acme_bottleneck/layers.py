"""The mathematics (torch)."""

import torch
from torch import Tensor, nn


class Squeeze(nn.Module):
    """Hidden states (batch, tokens, width) → what is added to them, of the same shape; nearly nothing at first."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, size)
        self.up = nn.Linear(size, width)
        nn.init.normal_(self.up.weight, std=1e-3)
        nn.init.zeros_(self.up.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.up(torch.relu(self.down(hidden)))

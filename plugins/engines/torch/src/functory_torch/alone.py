"""A text that is read by itself: the same computation in every batch, which decides what a batch's rounding might."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from functory_sdk import Array, Request
from functory_sdk.lines import Apart
from functory_sdk.torch import Network, Writing


class Alone(Apart):
    """A request, and tokens that were written of it, read in one pass.

    :param written: these tokens.
    """

    def __init__(self, network: Network, device: torch.device, request: Request, written: Sequence[int]) -> None:
        self._device = device
        ids, mask = padded([request.ids], device)
        begun = [*request.start, *written]
        with torch.inference_mode():
            self._writing = Writing(network, ids, mask, torch.tensor([begun], device=device) if begun else None)

    @property
    def scores(self) -> Array:
        with torch.inference_mode():
            return numbers(self._writing.logits)

    def go_on(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        with torch.inference_mode():
            self._writing.choose(rows)
            self._writing.advance(torch.tensor(tokens, device=self._device))


def numbers(scores: Tensor) -> Array:
    """Return scores as they are chosen by: float32, in the processor's memory."""
    found: Array = scores.float().cpu().numpy()
    return found


def padded(texts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the ids and the mask of texts, (rows, tokens), padded on the right."""
    ids = torch.zeros(len(texts), max(map(len, texts)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    return ids.to(device), mask.to(device)

"""Greedy decoding of a batch: the likeliest token each time, rows leaving as they end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from functory_sdk import Request
from functory_sdk.torch import Network

TIE = 1e-4
"""Scores this close are equal: another batch may add rounding errors of 1e-5, which must not choose a token."""


def write(network: Network, requests: Sequence[Request], device: torch.device) -> Iterator[tuple[int, int]]:
    """Give (place of the request, token) as tokens come.

    :param requests: prompts of at least one token.
    """
    with torch.inference_mode():
        writing = network.generation(*_prompts(requests, device))
    alive = list(range(len(requests)))
    written = [0] * len(requests)
    while True:
        tokens = likeliest(writing.logits)
        staying = []
        for row, place in enumerate(alive):
            token = int(tokens[row])
            if token in requests[place].stop_ids or written[place] >= requests[place].max_new_tokens:
                continue
            yield place, token
            written[place] += 1
            if written[place] < requests[place].max_new_tokens:
                staying.append(row)
        if not staying:
            return
        with torch.inference_mode():
            if len(staying) < len(alive):
                writing.keep(staying)
            alive = [alive[row] for row in staying]
            writing.advance(tokens[staying])


def likeliest(logits: torch.Tensor) -> torch.Tensor:
    """Return the likeliest token of each row, (rows,); among equals the first of the vocabulary."""
    best = logits.max(-1, keepdim=True).values
    return (logits >= best - TIE).to(torch.int8).argmax(-1)


def _prompts(requests: Sequence[Request], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask, (rows, tokens), padded on the right."""
    size = max(len(request.ids) for request in requests)
    ids = torch.zeros(len(requests), size, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, request in enumerate(requests):
        ids[row, : len(request.ids)] = torch.tensor(request.ids)
        mask[row, : len(request.ids)] = 1
    return ids.to(device), mask.to(device)

"""Greedy decoding of a batch: the likeliest token each time, rows leaving as they end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from functory_sdk import Request
from functory_sdk.torch import Network, Writing

CLOSE = 1e-3
"""Where the two best scores are this close, the rounding of another batch (some 1e-5) might choose the other token."""


def write(network: Network, requests: Sequence[Request], device: torch.device) -> Iterator[tuple[int, int]]:
    """Give (place of the request, token) as tokens come: the same for each request whatever the others are.

    :param requests: prompts of at least one token.
    """
    with torch.inference_mode():
        writing = Writing(network, *_prompts(requests, device))
    alive = list(range(len(requests)))
    written: list[list[int]] = [[] for _ in requests]
    while True:
        tokens = _likeliest(network, writing.logits, [(requests[place], written[place]) for place in alive])
        staying = []
        for row, place in enumerate(alive):
            token = int(tokens[row])
            if token in requests[place].stop_ids or len(written[place]) >= requests[place].max_new_tokens:
                continue
            yield place, token
            written[place].append(token)
            if len(written[place]) < requests[place].max_new_tokens:
                staying.append(row)
        if not staying:
            return
        with torch.inference_mode():
            if len(staying) < len(alive):
                writing.choose(staying)
            alive = [alive[row] for row in staying]
            writing.advance(tokens[staying])


def _likeliest(network: Network, logits: torch.Tensor, texts: Sequence[tuple[Request, list[int]]]) -> torch.Tensor:
    """Return the likeliest token of each row, (rows,).

    A margin alone would not do: whatever it is, some score lies on its border. So a close call is decided by reading that
    text again by itself, which is the same computation in every batch.

    :param texts: for each row its request and what was written for it.
    """
    best = logits.topk(2, dim=-1)
    tokens = best.indices[:, 0]
    for row in torch.nonzero(best.values[:, 0] - best.values[:, 1] < CLOSE).flatten().tolist():
        request, written = texts[row]
        ids = torch.tensor([request.ids], device=logits.device)
        after = torch.tensor([written], dtype=torch.long, device=logits.device) if written else None
        with torch.inference_mode():
            tokens[row] = Writing(network, ids, torch.ones_like(ids), after).logits[0].argmax()
    return tokens


def _prompts(requests: Sequence[Request], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask, (rows, tokens), padded on the right."""
    size = max(len(request.ids) for request in requests)
    ids = torch.zeros(len(requests), size, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, request in enumerate(requests):
        ids[row, : len(request.ids)] = torch.tensor(request.ids)
        mask[row, : len(request.ids)] = 1
    return ids.to(device), mask.to(device)

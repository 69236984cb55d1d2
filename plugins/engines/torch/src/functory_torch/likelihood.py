"""How likely given tokens are after prompts: one pass over prompt and tokens, no token chosen."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from functory_sdk import Array, Request
from functory_sdk.torch import Network


def likelihood(
    network: Network, requests: Sequence[Request], written: Sequence[Sequence[int]], device: torch.device
) -> list[Array]:
    """Return the log-probabilities of each request's tokens, and of its end where it has one; see `Session.likelihood`.

    :param requests: prompts of at least one token.
    """
    with torch.inference_mode():
        hidden = network.hidden(_batch(network, requests, written, device))  # (requests, tokens, width)
        return [
            _scored(network, hidden[row, _first(network, request) :], request, tokens)
            for row, (request, tokens) in enumerate(zip(requests, written, strict=True))
        ]


def _scored(network: Network, hidden: torch.Tensor, request: Request, tokens: Sequence[int]) -> Array:
    """Return the log-probabilities of one request's tokens from the states before each, (at least tokens + 1, width)."""
    spoken = torch.log_softmax(network.logits(hidden[: len(tokens) + 1]).float(), -1)  # (tokens + 1, vocabulary)
    found = spoken[: len(tokens)].gather(-1, torch.tensor(tokens, dtype=torch.long, device=hidden.device)[:, None])[
        :, 0
    ]
    if request.stop_ids and len(tokens) < request.decoding.max_new_tokens:
        found = torch.cat([found, spoken[len(tokens), sorted(request.stop_ids)].max()[None]])
    return found.cpu().numpy()


def _first(network: Network, request: Request) -> int:
    """Return the place whose state predicts the first written token: a decoder's last of the prompt."""
    return len(request.start) + (0 if _has_source(network) else len(request.ids) - 1)


def _batch(
    network: Network, requests: Sequence[Request], written: Sequence[Sequence[int]], device: torch.device
) -> dict[str, torch.Tensor]:
    """Return prompts with what was written after them, or, for an encoder-decoder, sources and targets."""
    if not _has_source(network):
        return _padded("", [(*one.ids, *one.start, *tokens) for one, tokens in zip(requests, written, strict=True)], device)
    first, pairs = network.spec.start_id or 0, zip(requests, written, strict=True)
    targets = _padded("decoder_", [(first, *request.start, *tokens) for request, tokens in pairs], device)
    return _padded("", [request.ids for request in requests], device) | targets


def _padded(prefix: str, texts: Sequence[Sequence[int]], device: torch.device) -> dict[str, torch.Tensor]:
    """Return ids and mask, (rows, tokens), padded on the right."""
    ids = torch.zeros(len(texts), max(map(len, texts)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    return {f"{prefix}input_ids": ids.to(device), f"{prefix}attention_mask": mask.to(device)}


def _has_source(network: Network) -> bool:
    return network.spec.architecture == "encoder-decoder"

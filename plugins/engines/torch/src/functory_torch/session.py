"""Runs a model in memory: forward passes and generation, on one device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch

from functory_sdk import Array, NotSupported, Program, Request, Session, SessionOptions, plan
from functory_torch.greedy import write
from functory_torch.likelihood import likelihood
from functory_torch.threads import threaded, threads


class TorchSession(Session):
    """One model on one device. Forward passes share nothing that changes, so threads need no lock."""

    def __init__(self, program: Program, options: SessionOptions) -> None:
        super().__init__(program, options)
        self.device = device(options.device)
        self.model = program.model.to(self.device).eval() if self.device.type != "cpu" else program.model.eval()

    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        with threads(self.options.threads), torch.inference_mode():
            outputs = self.model(tensors(batch, self.device))
            return {name: value.float().cpu().numpy() for name, value in outputs.items()}

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, int]]:
        for batch in self._planned(requests):
            chosen = [requests[index] for index in batch]
            for place, token in threaded(self.options.threads, write(self.model.network, chosen, self.device)):
                yield batch[place], token

    def likelihood(self, requests: Sequence[Request], written: Sequence[Sequence[int]]) -> list[Array]:
        found: dict[int, Array] = {}
        for batch in self._planned(requests):
            chosen = [requests[index] for index in batch], [written[index] for index in batch]
            with threads(self.options.threads):
                found |= zip(batch, likelihood(self.model.network, *chosen, self.device), strict=True)
        return [found[index] for index in range(len(requests))]

    def _planned(self, requests: Sequence[Request]) -> Iterator[list[int]]:
        """Return which requests run together."""
        lengths = [len(request.ids) + request.max_new_tokens for request in requests]
        return plan(lengths, 4 * (self.options.budget or 1024))

    def close(self) -> None:
        self.model = None


def tensors(batch: Mapping[str, Array], where: torch.device) -> dict[str, torch.Tensor]:
    """Return numpy arrays as tensors on a device."""
    return {name: torch.from_numpy(array).to(where) for name, array in batch.items()}


def device(name: str) -> torch.device:
    """Return a device that is really there.

    :raises NotSupported: naming those that are.
    """
    there = ["cpu"]
    if torch.cuda.is_available():
        there += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        there.append("mps")
    if name not in there:
        raise NotSupported(f"there is no device {name!r} here.", do=f"choose one of: {', '.join(there)}.")
    return torch.device(name)

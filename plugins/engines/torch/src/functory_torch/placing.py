"""Devices: which are there, and a model on one for a while.

A model is at home on the host, where sessions on other devices and other functions read the same numbers. A session elsewhere
has a copy; training takes the model there, and brings back what was learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import nn

from functory_sdk import Array, NotSupported
from functory_sdk.torch import structural_copy

M = TypeVar("M", bound=nn.Module)


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


def tensors(batch: Mapping[str, Array], where: torch.device) -> dict[str, torch.Tensor]:
    """Return numpy arrays as tensors on a device."""
    return {name: torch.from_numpy(array).to(where) for name, array in batch.items()}


def on(model: M, where: torch.device) -> M:
    """Return a model that lies on a device: itself on the host, elsewhere a copy of it."""
    return model if where.type == "cpu" else structural_copy(model).to(where)


@contextmanager
def placed(model: nn.Module, where: torch.device) -> Iterator[None]:
    """Have a model on a device for a while.

    Afterwards what learns is on the host again, and what is frozen is the memory that it was before: shared, or mapped from a
    file.
    """
    if all(parameter.device.type == where.type for parameter in model.parameters()):
        yield
        return
    kept = {parameter: parameter.data for parameter in model.parameters() if not parameter.requires_grad}
    model.to(where)
    try:
        yield
    finally:
        for parameter, numbers in kept.items():
            parameter.data = numbers
        model.to("cpu")

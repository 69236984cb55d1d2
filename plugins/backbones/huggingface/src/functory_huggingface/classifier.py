"""Reads a checkpoint's classifier, and puts what comes before its last map onto a network (torch)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from functory_huggingface.weights import weight_files
from functory_sdk import Array, Readout
from functory_sdk.torch import Network, Pooler


class Tensors(Mapping[str, Array]):
    """The tensors of a model folder, in float32; one is read when it is asked for.

    :param folder: of safetensors, in one file or in shards.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors import safe_open

        self._files: dict[str, Path] = {}
        for file in weight_files(folder):
            with safe_open(file, framework="pt") as opened:
                self._files |= dict.fromkeys(opened.keys(), file)

    def __getitem__(self, name: str) -> Array:
        from safetensors import safe_open

        with safe_open(self._files[name], framework="pt") as opened:
            array: Array = opened.get_tensor(name).float().numpy()
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def put_pooler(network: Network, readout: Readout) -> None:
    """Let the copy read its hidden states as the classifier does; the pooler's parameters are φ."""
    network.pooler = Pooler(readout, network.spec.width).train(network.training)

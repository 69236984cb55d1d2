"""Keeps what the trunk computed on disk, so that it runs once per example however long one explores.

A shard holds a fixed stretch of rows. Its key is all that decides its bits: the final token ids, the
weights' hash, the cut, the reduction and the numerics. Shards are committed whole, and batches are
fixed by the data, so that a run that was interrupted computes the same bits as one that was not.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from functory_sdk import Array, BackboneSpec, Row, pad, plan

SHARD_ROWS = 512
BATCH_TOKENS = 2048
"""Fixed, never probed: a batch's composition decides the last bits."""

Told = Callable[[float], None]

Compute = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
"""A padded batch → named arrays of (rows, width), or (rows, tokens, width) for those in `varying`."""


class FeatureStore:
    """Trunk outputs by key, under one folder.

    :param folder: where shards lie; made when first needed.
    :param spec: the backbone's facts.
    :param cut: the cut point up to which the trunk was run.
    :param reduction: what was kept: ``pooled``, ``hidden`` …
    """

    def __init__(self, folder: Path, spec: BackboneSpec, cut: int, reduction: str) -> None:
        self.folder = folder
        self.spec = spec
        threads, capability = torch.get_num_threads(), torch.backends.cpu.get_cpu_capability()
        reading = f"{reduction} {spec.pooling}{' normalised' if spec.is_normalised else ''}"
        self._about = f"{spec.weights_hash} {cut} {reading} fp32 {torch.__version__} {threads} {capability}"

    def shards(
        self, rows: Sequence[Row], compute: Compute, varying: Mapping[str, str], told: Told = lambda rows: None
    ) -> Iterator[dict[str, Array]]:
        """Give the arrays of each stretch of rows, from the store or computed now.

        :param rows: rows in the order of the data.
        :param compute: runs the trunk on one padded batch.
        :param varying: names whose second axis varies, and that axis; they come concatenated, (all tokens, width).
        :param told: told how many rows more are done; parts of rows, for long ones cost more than short ones.
        """
        for start in range(0, len(rows), SHARD_ROWS):
            yield self._shard(rows[start : start + SHARD_ROWS], compute, varying, told)

    def _shard(self, rows: Sequence[Row], compute: Compute, varying: Mapping[str, str], told: Told) -> dict[str, Array]:
        place = self.folder / self._key(rows)
        if place.exists():
            told(len(rows))
        else:
            self._commit(place, _compute(rows, self.spec, compute, varying, told))
        return {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in sorted(place.glob("*.npy"))}

    def _key(self, rows: Sequence[Row]) -> str:
        digest = hashlib.sha256(self._about.encode())
        for row in rows:
            for port in self.spec.ports():
                if port.name in row:
                    digest.update(f"{port.name}{row[port.name].shape}".encode())
                    digest.update(np.ascontiguousarray(row[port.name]).tobytes())
        return digest.hexdigest()[:32]

    def _commit(self, place: Path, arrays: dict[str, Array]) -> None:
        """Write a shard beside its place, sync it, and rename it there in one step."""
        half = place.with_name(f".{place.name}.{os.getpid()}")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        try:
            for name, array in arrays.items():
                with (half / f"{name}.npy").open("wb") as file:
                    np.save(file, array, allow_pickle=False)
                    file.flush()
                    os.fsync(file.fileno())
            sync_folder(half)
            with suppress(OSError):  # another process was faster, with the same bits
                half.rename(place)
            sync_folder(self.folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _compute(
    rows: Sequence[Row], spec: BackboneSpec, compute: Compute, varying: Mapping[str, str], told: Told
) -> dict[str, Array]:
    """Run the trunk over rows in fixed batches; arrays in the rows' order."""
    sizes = {axis: axis_sizes(rows, spec, axis) for axis in _axes(spec)}
    lengths = [max(of_row) for of_row in zip(*sizes.values(), strict=True)]
    pieces: dict[str, list[Array]] = {}
    for batch in plan(lengths, BATCH_TOKENS):
        chosen = [rows[index] for index in batch]
        ports = [port for port in spec.ports() if port.name in chosen[0]]
        arrays = {name: torch.from_numpy(array) for name, array in pad(chosen, ports).items()}
        with torch.inference_mode():
            outputs = compute(arrays)
        for name, output in outputs.items():
            slots = pieces.setdefault(name, [np.empty(0)] * len(rows))
            for place, index in enumerate(batch):
                value = output[place, : sizes[varying[name]][index]] if name in varying else output[place][None]
                slots[index] = value.cpu().numpy().copy()
        told(len(rows) * sum(lengths[index] for index in batch) / max(1, sum(lengths)))
    return {name: np.concatenate(slots) for name, slots in pieces.items()}


def axis_sizes(rows: Sequence[Row], spec: BackboneSpec, axis: str) -> list[int]:
    """Return how long a named axis of the backbone's inputs is in each row: tokens, or those of the target."""
    ports = [port.name for port in spec.ports() if axis in port.axes]
    return [next((len(row[name]) for name in ports if name in row), 1) for row in rows]


def _axes(spec: BackboneSpec) -> list[str]:
    return list(dict.fromkeys(axis for port in spec.ports() for axis in port.axes if isinstance(axis, str)))

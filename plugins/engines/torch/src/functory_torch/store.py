"""Keeps what the trunk computed on disk, so that it runs once per example however long one explores.

A shard holds a fixed stretch of rows. Its key is all that decides its bits: the final token ids, the backbone's files and
facts, the code that reads and runs them, the cut, the reduction and the numerics. Shards are committed whole and checked
when they are read; batches are fixed by the data, so that a run that was interrupted computes the same bits as one that
was not.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from functory_sdk import Array, BackboneSpec, Entries, Port, Row, code_hash, cpu, pad, plan, versions
from functory_sdk.torch import Network

SHARD_ROWS = 512
BATCH_TOKENS = 2048
"""Fixed, never probed: a batch's composition decides the last bits."""
UNREAD = {
    "reference", "revision", "licence", "chat_template", "prefixes", "languages", "parameters", "mask_id", "has_masked_logits",
}  # fmt: skip
"""Facts of a backbone that no number of its outputs hangs on."""

Told = Callable[[float], None]

Compute = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
"""A padded batch → named arrays of (rows, width), or (rows, tokens, width) for those in `varying`."""


@dataclass(frozen=True)
class Placed:
    """Rows that are computed, each once, and where those that were asked for stand among them.

    :param rows: different ones.
    :param places: (rows asked for,) the number of each.
    """

    rows: Sequence[Row]
    places: Array

    @classmethod
    def of(cls, rows: Sequence[Row], ports: Sequence[Port], among: Sequence[Row] = ()) -> Placed:
        """Return rows among all those of a build, so that each fold takes its own of what was computed once, in batches that no
        fold decides; among themselves where they are not all there.

        :param ports: what tells one row from another.
        """
        asked = [_told_apart(row, ports) for row in rows]
        known = _different(among, ports) if among else {}
        if not known.keys() >= set(asked):
            known = _different(rows, ports)
        numbers = {key: number for number, key in enumerate(known)}
        return cls(list(known.values()), np.asarray([numbers[key] for key in asked], dtype=np.int64))


class FeatureStore:
    """Trunk outputs by key, under one folder. What is used lately is safe from being dropped while the store is alive.

    :param folder: where shards lie; made when first needed.
    :param network: the backbone's network, as the adaptation has it: its trunk is the backbone's own.
    :param cut: the cut point up to which the trunk was run.
    :param reduction: what was kept: ``pooled``, ``hidden`` …
    :param ports: what is read of a row; the network's own ports when None.
    :param code: the modules that reduce, besides the network's.
    """

    def __init__(
        self, folder: Path, network: Network, cut: int, reduction: str,
        ports: Sequence[Port] | None = None, code: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.spec = network.spec
        self._ports = tuple(network.spec.ports() if ports is None else ports)
        self._entries = Entries(folder, "features")
        self._about = _about(network, cut, reduction, code)
        weakref.finalize(self, self._entries.hold())

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

    def taken(
        self, rows: Sequence[Row], among: Sequence[Row], compute: Compute, varying: Mapping[str, str],
        told: Told = lambda rows: None,
    ) -> dict[str, Array]:  # fmt: skip
        """Return the arrays of rows in their order, of all in one, from what is kept of different rows.

        :param among: rows of which what is kept is taken, where they hold all that are asked for.
        """
        placed = Placed.of(rows, self._ports, among)
        share = len(rows) / max(1, len(placed.rows))
        found: dict[str, list[Array]] = {}
        for start in range(0, len(placed.rows), SHARD_ROWS):
            part = placed.rows[start : start + SHARD_ROWS]
            here = np.flatnonzero((placed.places >= start) & (placed.places < start + len(part)))
            if not len(here):
                told(len(part) * share)
                continue
            arrays = self._shard(part, compute, varying, lambda done: told(done * share))
            for name, array in arrays.items():
                ends = ends_of(axis_sizes(part, self.spec, varying[name])) if name in varying else np.arange(len(part) + 1)
                slots = found.setdefault(name, [array[:0]] * len(rows))
                for asked in here.tolist():
                    place = int(placed.places[asked]) - start
                    slots[asked] = array[ends[place] : ends[place + 1]]
        return {name: np.concatenate(slots) for name, slots in found.items()}

    def placed(self, rows: Sequence[Row], among: Sequence[Row]) -> Placed:
        """Return where rows stand among those of which something is kept."""
        return Placed.of(rows, self._ports, among)

    def _shard(self, rows: Sequence[Row], compute: Compute, varying: Mapping[str, str], told: Told) -> dict[str, Array]:
        key = self._key(rows)
        found = _opened(self._entries.find(key))
        if found is not None:
            told(len(rows))
            return found
        arrays = _compute(rows, self.spec, self._ports, compute, varying, told)
        try:
            place = self._entries.make(key, partial(_write, arrays))
        except OSError:  # neither the cache nor a temporary folder can be written
            return arrays
        return _opened(place) or arrays  # mapped: files leave the memory to others

    def _key(self, rows: Sequence[Row]) -> str:
        digest = sha256(self._about.encode())
        for row in rows:
            digest.update(_told_apart(row, self._ports))
        return digest.hexdigest()[:32]


def _told_apart(row: Row, ports: Sequence[Port]) -> bytes:
    """Return what tells a row from others: the names, types, shapes and numbers of its arrays."""
    found = b""
    for port in ports:
        if port.name in row:
            array = np.ascontiguousarray(row[port.name])
            found += f"{port.name} {array.dtype} {array.shape}".encode() + array.tobytes()
    return found


def _different(rows: Sequence[Row], ports: Sequence[Port]) -> dict[bytes, Row]:
    """Return different rows, in their order, by what tells them apart."""
    found: dict[bytes, Row] = {}
    for row in rows:
        found.setdefault(_told_apart(row, ports), row)
    return found


def _about(network: Network, cut: int, reduction: str, code: Sequence[str] = ()) -> str:
    """Return all that decides the bits of a shard besides its rows."""
    return json.dumps(
        {
            "backbone": [network.made_of, network.spec.model_dump(mode="json", exclude=UNREAD)],
            "code": code_hash(__name__, *code, *(cls.__module__ for cls in type(network).__mro__ if issubclass(cls, Network))),
            "kept": [cut, reduction, SHARD_ROWS, BATCH_TOKENS],
            "numerics": [
                versions(), cpu(), torch.get_num_threads(), torch.backends.cpu.get_cpu_capability(),
                sorted({f"{value.device} {value.dtype}" for value in network.parameters()}),
                torch.get_float32_matmul_precision(),
            ],
        },
        sort_keys=True,
    )  # fmt: skip


def _write(arrays: Mapping[str, Array], folder: Path) -> None:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def _opened(place: Path | None) -> dict[str, Array] | None:
    """Return a shard's arrays, mapped; None where there is none, or where it was dropped this moment."""
    if place is None:
        return None
    try:
        files = sorted(place.glob("*.npy"))
        return {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in files}
    except (OSError, ValueError):
        return None


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _compute(
    rows: Sequence[Row], spec: BackboneSpec, known: Sequence[Port], compute: Compute, varying: Mapping[str, str],
    told: Told,
) -> dict[str, Array]:  # fmt: skip
    """Run the trunk over rows in fixed batches; arrays in the rows' order."""
    sizes = {axis: axis_sizes(rows, spec, axis) for axis in _axes(spec)}
    lengths = [max(of_row) for of_row in zip(*sizes.values(), strict=True)]
    pieces: dict[str, list[Array]] = {}
    for batch in plan(lengths, BATCH_TOKENS):
        chosen = [rows[index] for index in batch]
        ports = [port for port in known if port.name in chosen[0]]
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
    """Return how long a named axis of the backbone's inputs is in all texts of each row: tokens, or those of the target."""
    ports = [port.name for port in spec.ports() if axis in port.axes]
    return [next((row[name].size for name in ports if name in row), 1) for row in rows]


def ends_of(sizes: Sequence[int]) -> Array:
    """Return where each of so many sizes begins, and the last ends, (sizes + 1,)."""
    found: Array = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return found


def _axes(spec: BackboneSpec) -> list[str]:
    return list(dict.fromkeys(axis for port in spec.ports() for axis in port.axes if isinstance(axis, str)))

"""Checkpoints of a run: safetensors and JSON, written whole or not at all, two at most.

A checkpoint is a folder ``step-00000050``. It is written beside its place, synced, and renamed there; a kill
at any moment leaves the one before. It records what decides the bits, and a run that differs is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from functory_sdk import TrainingError
from functory_torch.store import sync_folder

TENSORS, RECORD = "tensors.safetensors", "record.json"
KEPT = 2


class Checkpoints:
    """The checkpoints of one run.

    :param folder: where they lie; made with the first.
    :param about: what decides the bits: versions, threads, machine, data, options, seed.
    """

    def __init__(self, folder: Path, about: Mapping[str, str]) -> None:
        self.folder = folder
        self.about = dict(about)

    def write(self, step: int, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
        """Commit a checkpoint, then drop what is older than the last two.

        :raises OSError: where the system refuses, as a full disk does; what was begun is gone, and the earlier ones stay.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(".*-step-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        place = self.folder / f"step-{step:08d}"
        half = self.folder / f".half-{place.name}"
        content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
        whole = {"about": self.about, "step": step, "sha256": hashlib.sha256(content).hexdigest(), **record}
        try:
            half.mkdir()
            _synced(half / TENSORS, content)
            _synced(half / RECORD, json.dumps(whole, indent=1).encode())
            sync_folder(half)
            if place.exists():
                self._drop(place)
            half.rename(place)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
        sync_folder(self.folder)
        for old in self._found()[:-KEPT]:
            self._drop(old)

    def newest(self) -> int | None:
        """Return the step of the newest checkpoint; None where there is none."""
        found = self._found()
        return int(found[-1].name.rpartition("-")[2]) if found else None

    def latest(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the tensors and the record of the newest whole checkpoint; None where there is none.

        :raises TrainingError: when it was made where other bits would come out.
        """
        for place in reversed(self._found()):
            try:
                content = (place / TENSORS).read_bytes()
                record = json.loads((place / RECORD).read_text(encoding="utf-8"))
                if hashlib.sha256(content).hexdigest() != record["sha256"]:
                    continue  # the disk lost something; the one before it is as good
                tensors = load(content)
            except (OSError, ValueError, KeyError, SafetensorError):
                continue
            self._check(record["about"], place)
            return tensors, record
        return None

    def _check(self, about: Mapping[str, str], place: Path) -> None:
        names = [*self.about, *(name for name in about if name not in self.about)]
        differing = [name for name in names if about.get(name) != self.about.get(name)]
        if differing:
            sides = "; ".join(f"{name}: {about.get(name)} then, {self.about.get(name)} now" for name in differing)
            raise TrainingError(
                f"this run cannot go on from its checkpoint and end in the same bits ({sides}).",
                where=str(place),
                do=f"go on where it was begun, or begin afresh: remove {self.folder}, or name another run folder.",
            )

    def _found(self) -> list[Path]:
        return sorted(self.folder.glob("step-*")) if self.folder.is_dir() else []

    def _drop(self, place: Path) -> None:
        """Remove a checkpoint so that a kill half-way leaves nothing that looks like one."""
        gone = self.folder / f".gone-{place.name}"
        shutil.rmtree(gone, ignore_errors=True)
        place.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def _synced(file: Path, content: bytes) -> None:
    with file.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())

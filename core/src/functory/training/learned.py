"""What a run learned, kept in its folder from the end of its training until the function is safe somewhere else.

Apart from an engine's checkpoints, which are of a training under way: this is φ and how the fit went, of any adaptation, and
whoever trains nothing again needs no more. It is written whole or not at all, and carries the digest of φ.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from functory.contracts.adaptation import Adaptation
from functory.contracts.engine import Engine, Event, Fit, Run
from functory.contracts.rows import Array
from functory.errors import FunctoryError, TrainingError
from functory.machine.folders import file_written_whole, written_whole
from functory.machine.storage import refusal
from functory.wording.told import told

LEARNED, PHI, RECORD = "learned", "phi.safetensors", "fit.json"


@dataclass(frozen=True)
class Learned:
    """A finished training.

    :param phi: φ's tensors.
    :param fit: how it went.
    :param is_over: whether the step of training was over too, with all hooks around it.
    """

    phi: Mapping[str, Array]
    fit: Fit
    is_over: bool


def keep(run: Run, engine: Engine[Any], model: Any, fit: Fit, *, is_over: bool = False) -> None:
    """Write what a model has learned into its run's folder; where that fails, the observers are told, and the run goes on.

    :param is_over: as in `Learned`.
    """
    if not run.key:
        return
    try:
        _write(run.folder / LEARNED, run.key, engine.phi(model), fit, is_over)
    except (FunctoryError, OSError, TypeError, ValueError) as error:
        found = error if isinstance(error, FunctoryError) else refusal(error)
        why = found.what if found is not None else f"{told(error)}."
        run.emit(Event("note", text=f"what was learned cannot be kept in {run.folder}, and is in memory alone: {why}"))


def _write(place: Path, key: str, phi: Mapping[str, Array], fit: Fit, is_over: bool) -> None:
    """Write φ and its record; φ that lies there already is not written again."""
    from safetensors.numpy import save_file

    digest = _digest(phi)
    record = json.dumps({"key": key, "phi": digest, "is_over": is_over, "fit": _plain(fit)}, default=float)
    if _read(place).get("phi") == digest:
        with file_written_whole(place / RECORD) as file:
            file.write_text(record, encoding="utf-8")
        return
    with written_whole(place) as made:
        save_file(dict(phi), made / PHI)
        (made / RECORD).write_text(record, encoding="utf-8")


def is_kept(folder: Path, key: str) -> bool:
    """Whether a run's folder holds what a run of that key learned."""
    return _read(folder / LEARNED).get("key") == key


def find(folder: Path, key: str, adaptation: Adaptation[Any]) -> Learned | None:
    """Return what was learned by a run of the same key; None where there is nothing, or it is damaged.

    :raises TrainingError: where it was learned by another recipe or from other data.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    record = _read(folder / LEARNED)
    if not record:
        return None
    if record.get("key") != key:
        raise TrainingError(
            "the run's folder holds what was learned by another recipe, from other data or with other versions.",
            where=str(folder),
            do="name another run folder, or remove this one.",
        )
    try:
        phi = load_file(folder / LEARNED / PHI)
        went = record["fit"]
        settled = None if went["options"] is None else type(adaptation).configure(went["options"])
        fit = Fit(went["metrics"], went["history"], went["notes"], settled, went["precision"])
    except (OSError, SafetensorError, KeyError, TypeError):
        return None
    return Learned(phi, fit, bool(record.get("is_over"))) if _digest(phi) == record.get("phi") else None


def _read(place: Path) -> dict[str, Any]:
    """Return the record of a folder; empty where there is none that can be read."""
    try:
        found = json.loads((place / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _plain(fit: Fit) -> dict[str, Any]:
    """Return a fit as JSON holds it: numbers come back as they were, to the last bit."""
    options = None if fit.adaptation is None else fit.adaptation.options.model_dump(mode="json")
    return {
        "metrics": fit.metrics, "history": fit.history, "notes": fit.notes, "options": options, "precision": fit.precision,
    }  # fmt: skip


def _digest(phi: Mapping[str, Array]) -> str:
    """Return what tells φ from any other: names, types, shapes and numbers."""
    digest = hashlib.sha256()
    for name in sorted(phi):
        digest.update(f"{name} {phi[name].dtype} {phi[name].shape} ".encode())
        digest.update(np.ascontiguousarray(phi[name]).data)
    return digest.hexdigest()

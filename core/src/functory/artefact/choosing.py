"""Chooses among the engine forms of a function the one that is fastest on this processor, by trying.

Processors differ: with or without AVX-512 and VNNI the same int8 form wins on one engine and loses on another,
so no name decides. What was found is remembered in the user's cache.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.artefact.assembling import read
from functory.artefact.manifest import Manifest
from functory.artefact.members import GOLDEN
from functory.contracts.engine import SessionOptions
from functory.errors import ArtefactError, FunctoryError
from functory.machine.keeping import read_note, write_note
from functory.plugins.registry import entries
from functory.running.golden import golden_inputs
from functory.running.replays import cpu, versions

if TYPE_CHECKING:
    from functory.function import Function

ROUNDS = 3
"""How often each form runs the golden inputs; its best round counts, because anything else on the machine slows it."""


def fastest(folder: Path, manifest: Manifest, session: SessionOptions) -> str | None:
    """Return the label of the form to open, or None where there is nothing to choose.

    Calls of one input each are timed, on the golden inputs, the forms taking turns.

    :param session: as it will be opened: the number of threads may decide.
    """
    labels = [record.label for record in manifest.forms if record.is_one_of_many]
    if len(labels) < 2 or not (folder / GOLDEN).is_file():
        return None
    about = _about(manifest, session)
    known = read_note("forms", about)
    if known is not None and known["form"] in labels:
        return str(known["form"])
    functions: dict[str, Function] = {}
    for name in labels:
        try:
            function = read(folder, manifest, form=name, session=session)
            _ = function.session  # opened: its engine may not be installed, nor know the device or the precision
            functions[name] = function
        except ArtefactError:
            raise
        except FunctoryError:
            continue
    if not functions:
        return None
    seconds = _timed(functions)
    best = min(seconds, key=lambda name: seconds[name])
    write_note("forms", about, {"function": manifest.name, "form": best, "seconds": seconds})
    return best


def _timed(functions: dict[str, Function]) -> dict[str, float]:
    """Return the seconds that each function takes for all golden inputs, one at a time; closes them."""
    seconds = dict.fromkeys(functions, float("inf"))
    for turn in range(ROUNDS + 1):
        for name, function in functions.items():
            values = golden_inputs(function, function.golden)
            begun = time.perf_counter()
            for value in values:
                function(value)
            if turn:  # the first only warms it
                seconds[name] = min(seconds[name], time.perf_counter() - begun)
    for function in functions.values():
        function.close()
    return seconds


def _about(manifest: Manifest, session: SessionOptions) -> list[Any]:  # Any: JSON
    """Return all that decides which form is fastest: the artefact, the session, the processor, the engines."""
    choice = [record for record in manifest.forms if record.is_one_of_many]
    engines = sorted({kept.name for record in choice for kind, kept in record.components() if kind == "engines"})
    made = [f"{entry.distribution} {entry.version}" for entry in entries("engines") if entry.name in engines]
    return [manifest.sha256, session.model_dump(mode="json"), cpu(), versions(), made]

"""Joins the engine forms of one function, each saved by itself, into one artefact.

The first load of the whole chooses among them on the processor that will run it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from functory.artefact.assembling import read
from functory.artefact.checking import check
from functory.artefact.manifest import Manifest
from functory.artefact.members import GOLDEN
from functory.artefact.sealing import seal
from functory.errors import UsageError
from functory.machine.boundary import reading
from functory.machine.folders import copy_files, files_of, written_whole
from functory.running.forms import FormRecord
from functory.running.golden import distance, replay

SAME = ("task", "state", "signature", "long_text", "max_tokens")
"""What must be equal for two artefacts to be forms of one function."""


def join(folders: Sequence[Path], target: Path) -> Path:
    """Write an artefact with the forms of several; all else is the first one's.

    Every further form must give the first one's golden outputs; its tolerance is widened by how far it is off.

    :param folders: artefacts of one function, the first with any form, the others with engine forms.
    :raises UsageError: when they are not forms of one function, or have the same form twice.
    :raises GoldenMismatch: when one gives other outputs.
    """
    first, *others = [(folder, check(folder)) for folder in folders]
    records = list(first[1].forms)
    with written_whole(target) as made:
        copy_files(files_of(first[0]), made)
        golden = read(*first).golden
        for folder, manifest in others:
            _check_same(first[1], manifest, folder)
            for record in manifest.forms:
                if not record.is_one_of_many or record.label in [one.label for one in records]:
                    raise UsageError(
                        f"the form {record.label!r} cannot be joined: {_why(record)}.",
                        where=str(folder),
                        do="join engine forms that differ, as `functory optimize` makes them.",
                    )
                function = read(folder, manifest, form=record.label)
                with reading(GOLDEN, folder):
                    wide = record.tolerance + distance(function, golden)
                    replay(function, golden, wide, where=str(folder))
                function.close()
                own = record.members()
                copy_files({path: file for path, file in files_of(folder).items() if path.startswith(own)}, made)
                records.append(record.model_copy(update={"tolerance": wide}))
        seal(made, first[1].model_copy(update={"forms": tuple(records)}))
    return target


def _check_same(first: Manifest, other: Manifest, folder: Path) -> None:
    differing = [name for name in SAME if getattr(first, name) != getattr(other, name)]
    if differing:
        raise UsageError(
            f"{other.name} is no form of {first.name}: their {differing[0]} differs.",
            where=str(folder),
            do="join what `functory optimize` made from one function.",
        )


def _why(record: FormRecord) -> str:
    return "it is there already" if record.is_one_of_many else "it is no engine form"

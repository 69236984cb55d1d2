"""What a saved function is, read from its folder: nothing is imported for it, opened or run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from functory.artefact.assembling import read_report
from functory.artefact.card import sentence
from functory.artefact.checking import check, read_manifest
from functory.artefact.members import DIGEST, MANIFEST
from functory.errors import ArtefactError

LARGEST = 64_000_000
"""Bytes of the largest file that is hashed here; `verify` hashes all."""


def summarise(folder: Path) -> dict[str, Any]:  # Any: JSON
    """Return what there is to tell about a saved function; where it is damaged, what is wrong stands at ``trouble``.

    :raises ArtefactError: when there is no manifest to read.
    """
    manifest = read_manifest(folder)
    trouble, unread = "", [path for path, member in manifest.members.items() if member.size > LARGEST]
    report = None
    own = sum((folder / name).stat().st_size for name in (MANIFEST, DIGEST))
    try:
        check(folder, largest=LARGEST)
        report = read_report(folder)
    except ArtefactError as error:
        trouble = error.what
    return {
        "name": manifest.name,
        "kind": "functions",
        "version": manifest.version,
        "folder": str(folder),
        "summary": sentence(manifest),
        "task": manifest.task.model_dump(mode="json"),
        "signature": manifest.signature,
        "state": manifest.state,
        "forms": [{"name": form.label, **form.summary()} for form in manifest.forms],
        "metrics": {name: metric.model_dump(mode="json") for name, metric in manifest.metrics.items()},
        "report": None if report is None else report.model_dump(mode="json"),
        "recipe": manifest.recipe,
        "data": manifest.data,
        "versions": manifest.versions,
        "licence": manifest.licence,
        "licences": list(manifest.licences),
        "notes": list(manifest.notes),
        "optimization": manifest.optimization,
        "bytes": sum(member.size for member in manifest.members.values()) + own,
        "files": len(manifest.members) + 2,
        "sha256": manifest.sha256,
        "trouble": trouble,
        "unread": unread,
    }

"""Finds the backbones that a saved function was fitted to: where it says, or where the user says that they lie now.

What a function names is a stranger's word. Nothing is fetched for it unless the user allowed that, in the call or in the
configuration.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from functory.artefact.checking import manifests
from functory.artefact.manifest import Manifest
from functory.artefact.members import MANIFEST
from functory.errors import ArtefactCorrupt, ArtefactUnsafe, UsageError, WeightsMissing
from functory.plugins.claims import reference_to
from functory.running.backbones import Whereabouts
from functory.running.forms import Kept


def fitted(kept: Kept, weights_hash: str, folder: Path, whereabouts: Whereabouts) -> Any:  # Any: a Backbone
    """Return the backbone that φ was fitted to.

    :param kept: what the manifest says of it; its weights have the hash.

    :raises ArtefactCorrupt: when what lies there has other weights.
    :raises ArtefactUnsafe: when the function names a place on another machine, and may not fetch.
    :raises WeightsMissing: when it is not there, and may not be fetched.
    """
    from functory.steps import Steps

    steps, options, name = Steps(), kept.options, kept.name
    where = str(folder / MANIFEST)
    for reference in whereabouts.backbones:
        moved = steps.load_backbone(reference=reference, options=options, may_fetch=True)
        if moved.spec.weights_hash == weights_hash:
            return moved
    may_fetch = whereabouts.may_fetch(name)
    if _is_elsewhere(name) and not may_fetch:
        raise ArtefactUnsafe(
            f"the function names a folder on another machine: {name!r}.", where=where, do=_remedy("")
        )
    reference = reference_to("backbones", name, kept.distribution, where=where)
    try:
        backbone = steps.load_backbone(reference=reference, options=options, may_fetch=may_fetch)
        found = backbone.spec.weights_hash
    except WeightsMissing as error:
        raise WeightsMissing(error.what, where=error.where or where, do=_remedy(error.do)) from error
    if found != weights_hash:
        raise ArtefactCorrupt(
            f"φ was fitted to weights {weights_hash[:16]}…; backbone {name!r} here has {found[:16]}….",
            where=where,
            do=_remedy("install the version of the backbone's weights that the manifest names, or build the function again."),
        )
    return backbone


def check_named(folder: Path, manifest: Manifest, whereabouts: Whereabouts) -> None:
    """Check that each place that the user names has weights that the function was fitted to.

    :raises UsageError: naming both hashes.
    """
    from functory.steps import Steps

    named = whereabouts.backbones if whereabouts.must_fit else ()
    forms = (form for one in (manifests(folder, manifest) if named else ()) for form in one.forms)
    wanted = [found for form in forms if (found := form.fitted_to()) is not None]
    for reference in named:
        if not wanted:
            raise UsageError(
                f"the function reads no backbone, and so none at {reference!r}.", where=str(folder),
                do="leave it out: its engine forms hold the whole model.",
            )  # fmt: skip
        options = wanted[0][0].options
        found = Steps().load_backbone(reference=reference, options=options, may_fetch=True).spec.weights_hash
        if all(weights_hash != found for _, weights_hash in wanted):
            needs = ", ".join(f"{weights_hash[:16]}… ({kept.name})" for kept, weights_hash in wanted)
            raise UsageError(
                f"{reference} has the weights {found[:16]}…; the function was fitted to {needs}.",
                where=str(folder / MANIFEST),
                do="name the folder that it was built on, unchanged.",
            )


def _is_elsewhere(name: str) -> bool:
    """Whether a name is a share's, which Windows would ask another machine for."""
    return any(part.startswith(("\\\\", "//")) for part in (name, name.partition(":")[2]))


def _remedy(first: str) -> str:
    """Return a remedy, and what else there is to do where the backbone moved or may be fetched."""
    moved = "where it lies elsewhere now, functory.load(…, backbone='./folder'), or --backbone ./folder"
    return f"{first.removesuffix('.')}{'; or, ' if first else ''}{moved}."

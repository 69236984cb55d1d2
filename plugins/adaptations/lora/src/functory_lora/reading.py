"""Turns a PEFT adapter into φ: its updates under our names, checked against the backbone before anything is used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from functory_lora.adapter import AdapterOptions
from functory_lora.files import ABOUT, ADAPTER, CONFIG, ROOT, WEIGHTS
from functory_lora.folder import Folder, open_folder
from functory_lora.heads import own_head, their_head
from functory_lora.settings import Settings, settings_of
from functory_lora.texts import check_texts
from functory_sdk import Array, ArtefactCorrupt, Backbone, NotSupported, Task

if TYPE_CHECKING:
    from functory_sdk.torch import Network, Origin

UPDATE = re.compile(r"(?P<map>.+)\.lora_(?P<part>[AB])\.weight")


def read(
    place: Path, backbone: Backbone[Any], task: Task[Any], check_base: bool
) -> tuple[AdapterOptions, dict[str, Array], Any, tuple[str, ...]]:  # Any: the task's State, or None
    """Return the options that build the structure again, φ, the state and notes.

    :raises NotSupported: for another method than LoRA, a base that was changed, another base model, another task.
    :raises ArtefactError: where a file is missing in part, damaged, or a pickle.
    """
    folder = open_folder(place)
    settings = settings_of(folder)
    _check_base(folder, backbone, check_base)
    notes = check_texts(folder, backbone)
    network = backbone.network
    if network.origin is None:
        raise NotSupported(
            f"backbone {backbone.reference!r} is no transformers model, whose names PEFT goes by.",
            where=str(place),
            do="take a backbone from a folder or a hub: ./folder, hf:org/name.",
        )
    head = own_head(folder, task) if folder.head else their_head(folder, backbone, task)
    phi, ranks, alphas = _updates(folder, settings, network, head.names)
    phi |= head.phi
    rank, alpha = (Counter(values.values()).most_common(1)[0][0] for values in (ranks, alphas))
    options = AdapterOptions(
        rank=rank,
        alpha=alpha,
        modules=tuple(sorted(ranks)),
        ranks={name: one for name, one in ranks.items() if one != rank},
        alphas={name: one for name, one in alphas.items() if one != alpha},
        cut=_cut(network, ranks),
        has_head=bool(head.phi),
        readout=head.readout,
    )
    if settings.start:
        notes = (f"what {settings.start} took out of the base before training is a part of the update, twice its rank", *notes)
    notes = (f"brought from the PEFT adapter {place.name!r}, made for {folder.base}", *notes)
    return options, phi, head.state, notes


def _check_base(folder: Folder, backbone: Backbone[Any], check_base: bool) -> None:
    """Refuse an adapter that says it was made for other weights.

    :raises NotSupported: naming both.
    """
    spec = backbone.spec
    made = folder.section("backbone")
    if made and made.get("weights_hash") != spec.weights_hash:
        raise _other_base(
            folder,
            f"weights {str(made.get('weights_hash'))[:16]}… ({folder.base})",
            f"{spec.weights_hash[:16]}…",
            backbone,
        )
    for name in ("pooling", "is_normalised", "prefixes") if folder.head else ():
        if made and made.get(name, False) != getattr(spec, name):
            raise NotSupported(
                f"the adapter's head was fitted with {name} = {made.get(name, False)!r}; backbone {backbone.reference!r} has "
                f"{getattr(spec, name)!r}.",
                where=str(folder.place / ABOUT),
                do=f"set the backbone's {name} to {made.get(name, False)!r}.",
            )
    named = str(folder.config.get("base_model_name_or_path") or "")
    have = backbone.reference.partition(":")[2].partition("@")[0]
    if check_base and not made and _is_hub_id(named) and _is_hub_id(have) and named.lower() != have.lower():
        raise _other_base(folder, repr(named), repr(have), backbone)


def _other_base(folder: Folder, wanted: str, have: str, backbone: Backbone[Any]) -> NotSupported:
    return NotSupported(
        f"the adapter was fitted to {wanted}; backbone {backbone.reference!r} has {have}.",
        where=str(folder.place),
        do=f"take the backbone it was made for: {folder.base}"
        + ("." if folder.about else "; or, where they are the same weights, set check_base = false."),
    )


def _is_hub_id(name: str) -> bool:
    return re.fullmatch(r"[\w.-]+/[\w.-]+", name) is not None and not name.startswith(".")


def _updates(
    folder: Folder, settings: Settings, network: Network, others: Container[str]
) -> tuple[dict[str, Array], dict[str, int], dict[str, float]]:
    """Return φ under our names; the rank and the alpha of each map.

    :param others: the names of tensors that are a head's.
    :raises NotSupported: for a tensor that is no update of a map in a layer of the network, or of another size.
    """
    origin: Any = network.origin
    phi: dict[str, Array] = {}
    maps: dict[str, str] = {}  # ours → theirs
    known = {path for path, module in network.named_modules() if hasattr(module, "weight")}
    for name, array in folder.tensors.items():
        if name in others:
            continue
        found = UPDATE.fullmatch(name.removeprefix(ROOT))
        own = _own(origin, found["map"]) if found is not None else None
        if found is None or own is None or own not in known:
            raise _no_update(folder, name)
        phi[_name(own, found["part"])] = array
        maps[own] = found["map"]
    _check_shapes(folder, settings, network, phi, maps)
    alphas = {own: settings.alpha_of(theirs) for own, theirs in maps.items()}
    if settings.start:
        _give_back(phi, network, alphas, settings.start)
        alphas = {own: 2 * alpha for own, alpha in alphas.items()}
    return phi, {own: len(phi[_name(own, "A")]) for own in maps}, alphas


def _name(own: str, part: str) -> str:
    """Return what φ calls one half of a map's update."""
    return f"network.{own}.lora_{part}.{ADAPTER}.weight"


def _give_back(phi: dict[str, Array], network: Network, alphas: Mapping[str, float], start: str) -> None:
    """Add to each update what was taken out of its map before training."""
    from functory_lora.starts import with_start

    for own, alpha in alphas.items():
        a, b = _name(own, "A"), _name(own, "B")
        weight: Any = network.get_submodule(own).weight
        phi[a], phi[b] = with_start(phi[a], phi[b], weight, alpha / len(phi[a]), start)


def _own(origin: Origin, path: str) -> str | None:
    """Return our name of a map; None where it lies in no layer."""
    try:
        return origin.ours(path)
    except NotSupported:
        return None


def _no_update(folder: Folder, name: str) -> NotSupported:
    return NotSupported(
        f"the adapter holds {name!r}, which is no low-rank update of a map in a layer of this backbone.",
        where=str(folder.place / WEIGHTS),
        do=f"take the backbone it was made for, {folder.base}; or merge it with PEFT (model.merge_and_unload(), then "
        "save_pretrained) and take that folder as the backbone, with adaptation = 'fine-tuned' where it has a head.",
    )


def _check_shapes(
    folder: Folder, settings: Settings, network: Network, phi: Mapping[str, Array], maps: Mapping[str, str]
) -> None:
    """Refuse an adapter that is empty, lacks one half of an update, or fits maps of another size or is of another rank.

    :raises NotSupported: naming both sizes.
    :raises ArtefactCorrupt: for half an update, or none at all; for ranks that are not the configuration's.
    """
    if not maps:
        raise _corrupt(folder, "the adapter holds no update.")
    for own, theirs in sorted(maps.items()):
        halves = {part: phi.get(_name(own, part)) for part in "AB"}
        for part, half in halves.items():
            if half is None:
                raise _corrupt(folder, f"the update of {own} lacks lora_{part}.")
            if half.ndim != 2 or not np.isfinite(half).all():
                fault = f"has {half.ndim} axes where a matrix has two" if half.ndim != 2 else "holds what is no number"
                raise _corrupt(folder, f"the lora_{part} of {own} {fault}.")
        down, up = (half.shape for half in halves.values() if half is not None)
        weight: Any = network.get_submodule(own).weight
        if (up[0], down[1]) != tuple(weight.shape) or up[1] != down[0]:
            raise NotSupported(
                f"the update of {own} is {up[0]}×{up[1]} times {down[0]}×{down[1]}; the map of the backbone is "
                f"{weight.shape[0]}×{weight.shape[1]}.",
                where=str(folder.place / WEIGHTS),
                do=f"take the backbone it was made for: {folder.base}.",
            )
        if down[0] != settings.rank_of(theirs):
            rank = settings.rank_of(theirs)
            raise _corrupt(folder, f"the update of {own} has the rank {down[0]}; {CONFIG} says {rank}.")


def _corrupt(folder: Folder, what: str) -> ArtefactCorrupt:
    return ArtefactCorrupt(
        what, where=str(folder.place / WEIGHTS), do="fetch the adapter again, all its files from one revision."
    )


def _cut(network: Network, ranks: Mapping[str, int]) -> int:
    """Return the cut below the lowest layer that has an update; the first where there are two stacks."""
    if network.spec.architecture == "encoder-decoder":
        return 1
    paths = list(network.origin.blocks) if network.origin is not None else []
    touched = [index for index, path in enumerate(paths) if any(own.startswith(f"{path}.") for own in ranks)]
    return min(touched) + 1

"""Turns a PEFT adapter into φ: its updates under our names, checked against the backbone before anything is used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory_lora.adapter import AdapterOptions
from functory_lora.files import ABOUT, ADAPTER, CONFIG, ROOT, WEIGHTS
from functory_lora.folder import Folder, open_folder
from functory_lora.heads import own_head, their_head
from functory_sdk import Array, ArtefactCorrupt, Backbone, NotSupported, Task

if TYPE_CHECKING:
    from functory_sdk.torch import Network, Origin

UPDATE = re.compile(r"(?P<map>.+)\.lora_(?P<part>[AB])\.weight")
FOREIGN = ("use_dora", "use_qalora", "use_bdlora", "layer_replication", "trainable_token_indices", "target_parameters",
           "alora_invocation_tokens", "arrow_config", "kasa_config", "monteclora_config", "velora_config")  # fmt: skip
"""Variants of LoRA that compute something else; a configuration that sets one is refused by its name."""


def read(
    place: Path, backbone: Backbone[Any], task: Task[Any], check_base: bool
) -> tuple[AdapterOptions, dict[str, Array], Any, tuple[str, ...]]:  # Any: the task's State, or None
    """Return the options that build the structure again, φ, the state and notes.

    :raises NotSupported: for another method than LoRA, another base model, another task.
    :raises ArtefactError: where a file is missing in part, damaged, or a pickle.
    """
    folder = open_folder(place)
    _check_method(folder)
    _check_base(folder, backbone, check_base)
    network = backbone.network
    if network.origin is None:
        raise NotSupported(
            f"backbone {backbone.reference!r} is no transformers model, whose names PEFT goes by.",
            where=str(place),
            do="take a backbone from a folder or a hub: ./folder, hf:org/name.",
        )
    head = own_head(folder, task) if folder.head else their_head(folder, backbone, task)
    phi, ranks, alphas = _updates(folder, network, head.names)
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
    return options, phi, head.state, (f"brought from the PEFT adapter {place.name!r}, made for {folder.base}",)


def _check_method(folder: Folder) -> None:
    """Refuse what is not plain LoRA, by its name.

    :raises NotSupported: for another method or a variant.
    """
    config = folder.config
    method = str(config.get("peft_type", "nothing")).upper()
    variants = [name for name in FOREIGN if config.get(name)]
    if config.get("bias", "none") != "none":
        variants.append(f"bias = {config['bias']!r}")
    if method != "LORA" or variants:
        found = f"the method {method}" if method != "LORA" else f"LoRA with {variants[0]}"
        raise NotSupported(
            f"the adapter is {found}; plain LoRA is read here.",
            where=str(folder.place / CONFIG),
            do="merge it into its model with PEFT (model.merge_and_unload(), then save_pretrained) and take that folder as "
            "the backbone.",
        )


def _check_base(folder: Folder, backbone: Backbone[Any], check_base: bool) -> None:
    """Refuse an adapter that says it was made for other weights.

    :raises NotSupported: naming both.
    """
    spec = backbone.spec
    made = folder.about.get("backbone", {})
    if made and made.get("weights_hash") != spec.weights_hash:
        raise _other_base(
            folder,
            f"weights {str(made.get('weights_hash'))[:16]}… ({folder.base})",
            f"{spec.weights_hash[:16]}…",
            backbone,
        )
    for name in ("pooling", "is_normalised", "prefix") if folder.head else ():
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
    folder: Folder, network: Network, others: Container[str]
) -> tuple[dict[str, Array], dict[str, int], dict[str, float]]:
    """Return φ under our names; the rank and the alpha of each map.

    :param others: the names of tensors that are a head's.
    :raises NotSupported: for a tensor that is no update of a map in a layer of the network, or of another size.
    """
    origin: Any = network.origin
    phi: dict[str, Array] = {}
    ranks: dict[str, int] = {}
    alphas: dict[str, float] = {}
    maps = {path for path, module in network.named_modules() if hasattr(module, "weight")}
    for name, array in folder.tensors.items():
        if name in others:
            continue
        found = UPDATE.fullmatch(name.removeprefix(ROOT))
        own = _own(origin, found["map"]) if found is not None else None
        if found is None or own is None or own not in maps:
            raise _no_update(folder, name)
        phi[f"network.{own}.lora_{found['part']}.{ADAPTER}.weight"] = array
        if found["part"] == "A":
            ranks[own] = array.shape[0]
            alphas[own] = _alpha(folder.config, found["map"], array.shape[0])
    _check_shapes(folder, network, phi, ranks)
    return phi, ranks, alphas


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


def _check_shapes(folder: Folder, network: Network, phi: Mapping[str, Array], ranks: Mapping[str, int]) -> None:
    """Refuse an adapter that is empty, lacks one half of an update, or fits maps of another size.

    :raises NotSupported: naming both sizes.
    :raises ArtefactCorrupt: for half an update, or none at all.
    """
    if not ranks:
        raise ArtefactCorrupt("the adapter holds no update.", where=str(folder.place / WEIGHTS), do="fetch it again.")
    for own in sorted({name.removeprefix("network.").rpartition(".lora_")[0] for name in phi}):
        halves = [phi.get(f"network.{own}.lora_{part}.{ADAPTER}.weight") for part in "AB"]
        down, up = halves
        if down is None or up is None:
            raise ArtefactCorrupt(
                f"the update of {own} lacks lora_{'A' if down is None else 'B'}.",
                where=str(folder.place / WEIGHTS),
                do="fetch the adapter again.",
            )
        weight: Any = network.get_submodule(own).weight
        if (up.shape[0], down.shape[1]) != tuple(weight.shape) or up.shape[1] != down.shape[0]:
            raise NotSupported(
                f"the update of {own} is {up.shape[0]}×{up.shape[1]} times {down.shape[0]}×{down.shape[1]}; the map of the "
                f"backbone is {weight.shape[0]}×{weight.shape[1]}.",
                where=str(folder.place / WEIGHTS),
                do=f"take the backbone it was made for: {folder.base}.",
            )


def _alpha(config: Mapping[str, Any], path: str, rank: int) -> float:
    """Return a map's alpha, as PEFT finds it; rank-stabilised LoRA (Kalajdzievski 2023) counts alpha / √rank instead."""
    from peft.utils.other import get_pattern_key

    patterns = config.get("alpha_pattern") or {}
    alpha = float(patterns.get(get_pattern_key(patterns.keys(), path), config.get("lora_alpha", 8)))
    return alpha * rank**0.5 if config.get("use_rslora") else alpha


def _cut(network: Network, ranks: Mapping[str, int]) -> int:
    """Return the cut below the lowest layer that has an update; the first where there are two stacks."""
    if network.spec.architecture == "encoder-decoder":
        return 1
    paths = list(network.origin.blocks) if network.origin is not None else []
    touched = [index for index, path in enumerate(paths) if any(own.startswith(f"{path}.") for own in ranks)]
    return min(touched) + 1

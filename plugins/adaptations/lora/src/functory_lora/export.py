"""Makes the files of a PEFT adapter from a saved function: its updates under transformers' names."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory_lora.card import card
from functory_lora.files import ABOUT, ADAPTER, CARD, CONFIG, HEAD, ROOT, WEIGHTS
from functory_sdk import Array, Manifest, NotSupported, Readout, load, open_backbone, read_manifest

if TYPE_CHECKING:
    from functory_sdk.torch import Origin

NETWORK = "network."
"""Where the updates lie in a model: inside the network's copy."""
BESIDE = {"head.": "", "network.pooler.": "pooler."}
"""What else is φ → its name in head.safetensors."""
KINDS = {"ForCausalLM": "CAUSAL_LM", "ForConditionalGeneration": "SEQ_2_SEQ_LM"}
"""The end of a model's class → PEFT's word for it; FEATURE_EXTRACTION for models without a head."""


@dataclass(frozen=True)
class Updates:
    """The low-rank updates of a function.

    :param tensors: by PEFT's names.
    :param ranks: by the map's name in the transformers model.
    :param alphas: likewise; an update counts alpha / rank.
    """

    tensors: dict[str, Array]
    ranks: dict[str, int]
    alphas: dict[str, float]


def exported(artefact: Path, name: str, base_model: str) -> dict[str, bytes]:
    """Return the files by their names.

    :param base_model: what transformers loads the backbone by; may be empty.
    :raises NotSupported: for a function without low-rank updates, or on a backbone that is no transformers model.
    """
    from safetensors.numpy import load_file, save

    manifest = read_manifest(artefact)
    record, adaptation = _torch_form(manifest, artefact)
    backbone = open_backbone(record.backbone.name, record.backbone.options)
    origin = backbone.network.origin
    if origin is None:
        raise NotSupported(
            f"backbone {record.backbone.name!r} is no transformers model, whose names PEFT goes by.",
            where=str(artefact),
            do="save the function, or package it as a wheel.",
        )
    phi = load_file(artefact / "weights.safetensors")
    updates = _updates(phi, origin, adaptation.alpha_of)
    head = {
        named + path.removeprefix(own): array
        for own, named in BESIDE.items()
        for path, array in phi.items()
        if path.startswith(own)
    }
    base, revision = base_model, ""
    if not base and record.backbone.name.startswith("hf:") and record.spec.revision:
        base, _, revision = record.backbone.name.removeprefix("hf:").partition("@")
    config = _config(updates, origin, getattr(adaptation.options, "lora_dropout", 0.0), base, revision)
    about = _about(manifest, record, head, getattr(adaptation.options, "readout", None))
    files = {
        CONFIG: _json(config),
        WEIGHTS: save(updates.tensors, {"format": "pt"}),
        ABOUT: _json(about),
        CARD: card(name, manifest, record.spec, config, about).encode(),
    }
    return files | ({HEAD: save(head, {"format": "pt"})} if head else {})


def _torch_form(manifest: Manifest, artefact: Path) -> tuple[Any, Any]:  # Any: a TorchRecord; LoRA or Adapter
    """Return the record of the torch form and its adaptation.

    :raises NotSupported: where there is none, or it holds no low-rank updates.
    """
    records: list[Any] = [form for form in manifest.forms if form.kind == "torch"]
    if not records:
        raise NotSupported(
            f"{manifest.name!r} has no torch form, whose updates an adapter would hold.",
            where=str(artefact),
            do="package the function that it was made from (before optimize, or one part of a composite).",
        )
    found = load("adaptations", records[0].adaptation.name).configure(records[0].adaptation.options)
    if not hasattr(found, "alpha_of"):
        raise NotSupported(
            f"the adaptation of {manifest.name!r} is {records[0].adaptation.name!r}; a PEFT adapter holds the low-rank "
            "updates of 'lora'.",
            where=str(artefact),
            do="build the function with adaptation = 'lora', or package it as a wheel.",
        )
    return records[0], found


def _updates(phi: Mapping[str, Array], origin: Origin, alpha_of: Any) -> Updates:
    """Return φ's updates under PEFT's names."""
    found = Updates({}, {}, {})
    for path in sorted(phi):
        if path.startswith(tuple(BESIDE)):
            continue
        own, _, part = path.removeprefix(NETWORK).rpartition(".lora_")
        theirs = origin.theirs(own)
        found.tensors[f"{ROOT}{theirs}.lora_{part.replace(f'.{ADAPTER}', '')}"] = phi[path]
        if part.startswith("A."):
            found.ranks[theirs] = phi[path].shape[0]
            found.alphas[theirs] = alpha_of(own)
    return found


def _config(updates: Updates, origin: Origin, dropout: float, base: str, revision: str) -> dict[str, Any]:
    """Return adapter_config.json, with every key that this version of PEFT writes."""
    from peft import LoraConfig

    rank, alpha = (Counter(values.values()).most_common(1)[0][0] for values in (updates.ranks, updates.alphas))
    config = LoraConfig(
        r=rank,
        lora_alpha=int(alpha) if float(alpha).is_integer() else alpha,
        lora_dropout=dropout,
        target_modules=list(updates.ranks),
        rank_pattern={path: one for path, one in updates.ranks.items() if one != rank},
        alpha_pattern={path: one for path, one in updates.alphas.items() if one != alpha},
        task_type=next((kind for end, kind in KINDS.items() if origin.model.endswith(end)), "FEATURE_EXTRACTION"),
        base_model_name_or_path=base or None,
        revision=revision or None,
        inference_mode=True,
    ).to_dict()
    return {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}


def _about(manifest: Manifest, record: Any, head: Mapping[str, Array], readout: Readout | None) -> dict[str, Any]:
    """Return what the function was, for whoever makes one of the adapter again."""
    spec = record.spec
    about: dict[str, Any] = {
        "format": 1,
        "name": manifest.name,
        "version": manifest.version,
        "backbone": {"name": record.backbone.name if not _is_place(record.backbone.name) else "",
                     "family": spec.family, "pooling": spec.pooling, "is_normalised": spec.is_normalised,
                     "prefixes": spec.prefixes,
                     "weights_hash": spec.weights_hash},
        "task": {"name": manifest.task.name, "options": manifest.task.options},
        "state": manifest.state,
    }  # fmt: skip
    if head:
        from functory_sdk.torch import drawing

        task = load("tasks", manifest.task.name).configure(manifest.task.options)
        module, _, kind = task.formulations(spec)[record.formulation].head.partition(":")
        with drawing(0):  # its first values are nobody's
            made = getattr(import_module(module), kind)(spec, task.State.model_validate(manifest.state))
        about["head"] = {"file": HEAD, "reads": made.reading.name}
        if readout is not None:
            about["head"]["readout"] = readout.model_dump(mode="json")
    return about


def _is_place(reference: str) -> bool:
    """Whether a backbone is a folder: where it lay is the maker's matter."""
    return reference.partition(":")[2].startswith(("/", ".", "~"))


def _json(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()

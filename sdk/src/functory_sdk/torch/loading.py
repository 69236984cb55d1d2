"""Loads a transformers model folder as a network that can be cut: safetensors only, nothing downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from functory.contracts.backbone import BackboneSpec
from functory.errors import ArtefactCorrupt
from functory.machine.places import cache_root
from functory_sdk.torch.drawing import drawing
from functory_sdk.torch.network import Network
from functory_sdk.torch.stacks import STACKS, network_from, unknown_family


def load_transformers(folder: Path, spec: BackboneSpec) -> Network:
    """Return the network of a model folder (config.json, model.safetensors or its shards), in float32.

    Weights that the network does not use, such as a classifier's head, are left aside in silence; weights that
    it lacks are an error: transformers would draw them at random.

    :raises NotSupported: when its family cannot be cut.
    :raises ArtefactCorrupt: when weights are missing or have other shapes.
    """
    import torch
    import transformers

    if spec.family not in STACKS:
        raise unknown_family(spec)
    kinds = {
        "encoder": transformers.AutoModel,
        "decoder": transformers.AutoModelForCausalLM,
        "encoder-decoder": transformers.AutoModelForSeq2SeqLM,
    }
    with quiet(), drawing(0):  # layers draw values before they get theirs
        kind = transformers.AutoModel if spec.architecture == "decoder" and not spec.has_logits else kinds[spec.architecture]
        model, told = kind.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False,
            attn_implementation="sdpa", output_loading_info=True, ignore_mismatched_sizes=True,
        )  # fmt: skip
    lacking = sorted(name for name in told["missing_keys"] if "pooler." not in name)
    lacking += sorted(str(entry[0]) for entry in told["mismatched_keys"])
    if lacking:
        raise ArtefactCorrupt(
            f"the weights do not fit config.json: {len(lacking)} are missing or of another shape, {lacking[0]!r} first.",
            where=str(folder),
            do="take config.json and the weights from the same revision of the model.",
        )
    if cache_root() not in folder.absolute().parents:
        _keep(model)
    return network_from(model, spec)


def _keep(model: Any) -> None:
    """Give a model memory of its own: the library maps the files, and one that is written over would change a network
    that is alive. Files of the cache never are.
    """
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data = tensor.data.clone()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' bars and warnings off the terminal: what they would say is an error here, or nothing."""
    from logging import CRITICAL

    from transformers.utils import logging as theirs

    logging: Any = theirs  # without types
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()

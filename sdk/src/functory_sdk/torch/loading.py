"""Loads a transformers model folder as a network that can be cut: safetensors only, nothing downloaded."""

from __future__ import annotations

from pathlib import Path

from functory.contracts.backbone import BackboneSpec
from functory_sdk.torch.network import Network
from functory_sdk.torch.stacks import network_from


def load_transformers(folder: Path, spec: BackboneSpec) -> Network:
    """Return the network of a model folder (config.json, model.safetensors), in float32.

    :raises NotSupported: when its family cannot be cut.
    """
    import torch
    import transformers

    kinds = {
        "encoder": transformers.AutoModel,
        "decoder": transformers.AutoModelForCausalLM,
        "encoder-decoder": transformers.AutoModelForSeq2SeqLM,
    }
    model = kinds[spec.architecture].from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, attn_implementation="sdpa"
    )
    return network_from(model, spec)

"""The network: a BERT with the package's weights."""

from __future__ import annotations

from pathlib import Path

from functory_sdk import BackboneSpec
from functory_sdk.torch import Network, load_transformers


def load_network(folder: Path, spec: BackboneSpec) -> Network:
    """Return the network of a model folder."""
    return load_transformers(folder, spec)

"""Hashes the weights of a model folder: what a function was fitted to."""

from __future__ import annotations

import hashlib
from pathlib import Path

from functory_sdk import content_hash
from functory_sdk.checkpoints import weight_files


def hash_of(folder: Path) -> str:
    """Return the sha256 of the weights: of the one file, or of the list of the shards' names and hashes."""
    files = weight_files(folder)
    if len(files) == 1:
        return content_hash(files[0])
    listed = "\n".join(f"{file.name} {content_hash(file)}" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()

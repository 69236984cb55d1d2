"""Packed backbones that are each wrong in one way: what the suite must find. Not a plugin.

This very file stands for the packed weights; its last line is how a whole one ends.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from functory_sdk import (
    BackboneSpec,
    DataError,
    PackedBackbone,
    PackedOptions,
    PackedWeights,
    WeightsMissing,
    weights_hash,
)
from functory_sdk.conversion import weights_cache
from functory_sdk.testing import TinyEncoder


def convert(source: Path, folder: Path, progress: Any) -> None:
    if not source.read_bytes().endswith(b"# the end\n"):
        raise DataError(f"{source.name} ends too early.", where=str(source), do="name a sound one.")
    (folder / "model.safetensors").write_bytes(b"weights")
    progress(1, 1)


class Sound(PackedBackbone[PackedOptions]):
    """Does all that is owed."""

    weights: ClassVar[PackedWeights] = PackedWeights(
        "packed", "broken_components", "packed.py", "pip install --no-deps packed", 1, convert
    )

    def read_spec(self) -> BackboneSpec:
        return TinyEncoder().read_spec().model_copy(update={"weights_hash": weights_hash(self.folder)})

    def load_network(self) -> Any:
        return TinyEncoder().load_network()


def converting(how: Any) -> PackedWeights:
    return replace(Sound.weights, convert=how)


class Vague(Sound):
    """Does not say how to get the weights."""

    def locate(self) -> Path:
        raise WeightsMissing("no weights.", do="look for them.")


class Eager(Sound):
    """Converts when it is asked where the weights lie."""

    def locate(self) -> Path:
        return self.folder


def drawn(source: Path, folder: Path, progress: Any) -> None:
    (folder / "model.safetensors").write_text(str(time.time_ns()))


class Drawn(Sound):
    """Converts to other weights each time, and tells no progress."""

    weights: ClassVar[PackedWeights] = converting(drawn)


class Hasty(Sound):
    """Converts at the place where finished conversions lie."""

    @cached_property
    def folder(self) -> Path:
        place = weights_cache() / "packed"
        place.mkdir(parents=True)
        self.weights.convert(self.weights.locate(), place, lambda done, total: None)
        return place


class Believing(Sound):
    """Takes a file for whole."""

    weights: ClassVar[PackedWeights] = converting(lambda source, folder, progress: progress(1, 1))


def untidy(source: Path, folder: Path, progress: Any) -> None:
    (folder / "config.json").write_text("{}")
    convert(source, folder, progress)


class Untidy(Sound):
    """Writes before it looks."""

    weights: ClassVar[PackedWeights] = converting(untidy)


# the end

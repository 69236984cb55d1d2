"""What every backbone owes, and every packed one; then its facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from functory_e5 import E5
from functory_sdk import ArtefactCorrupt, NotSupported, WeightsMissing
from functory_sdk.testing import BackboneSuite, PackedBackboneSuite
from functory_sdk.weightfiles import write_safetensors


class TestE5(BackboneSuite, PackedBackboneSuite):
    component = "e5"
    weights_hash = "1aabcf172ced606f"
    cuts = (30, 5_000, 4_000_000, 4_600_000, 60_000_000)

    def test_its_facts_are_those_of_multilingual_e5_small(self) -> None:
        spec = self.backbone.spec
        assert (spec.width, spec.layers, spec.vocabulary, spec.context) == (384, 12, 250_037, 512)
        assert (spec.architecture, spec.pooling, spec.is_normalised, spec.pad_id) == ("encoder", "mean", True, 1)
        assert spec.licence == "MIT"


def test_a_folder_that_a_user_names_is_told_what_it_lacks(tmp_path: Path) -> None:
    def told(kind: type[Exception], message: str) -> None:
        with pytest.raises(kind, match=message):
            _ = E5.configure({"folder": str(tmp_path)}).spec

    (tmp_path / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    told(ArtefactCorrupt, "is a pointer of Git LFS")
    write_safetensors(tmp_path / "model.safetensors", [])
    told(WeightsMissing, r"there is no config\.json")
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "hidden_size": 8}')
    told(NotSupported, "a model of the family 'gpt2'; this backbone is a bert")
    (tmp_path / "config.json").write_text('{"model_type": "bert", "hidden_size": "8"}')
    told(ArtefactCorrupt, "config.json says hidden_size = '8', no whole number")

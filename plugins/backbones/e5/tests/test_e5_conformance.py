"""What every backbone owes, and every packed one; then its facts."""

from __future__ import annotations

from pathlib import Path

from functory_e5 import E5
from functory_sdk.testing import BackboneSuite, PackedBackboneSuite
from functory_sdk.testing.packed import check_named_folder


class TestE5(BackboneSuite, PackedBackboneSuite):
    component = "e5"
    weights_hash = "1aabcf172ced606f"
    cuts = (30, 5_000, 4_000_000, 4_600_000, 60_000_000)

    def test_its_facts_are_those_of_multilingual_e5_small(self) -> None:
        spec = self.backbone.spec
        assert (spec.width, spec.layers, spec.vocabulary, spec.context) == (384, 12, 250_037, 512)
        assert (spec.architecture, spec.pooling, spec.is_normalised, spec.pad_id) == ("encoder", "mean", True, 1)
        assert spec.licence == "MIT"
        assert [spec.prefix(role) for role in ("query", "passage", "")] == ["query: ", "passage: ", ""]


def test_a_folder_that_a_user_names_is_told_what_it_lacks(tmp_path: Path) -> None:
    check_named_folder(E5, "bert", tmp_path)

"""What every backbone owes, and every packed one; then its facts."""

from __future__ import annotations

from functory_sdk.testing import BackboneSuite, PackedBackboneSuite


class TestE5(BackboneSuite, PackedBackboneSuite):
    component = "e5"
    weights_hash = "1aabcf172ced606f"
    cuts = (30, 5_000, 4_000_000, 4_600_000, 60_000_000)

    def test_its_facts_are_those_of_multilingual_e5_small(self) -> None:
        spec = self.backbone.spec
        assert (spec.width, spec.layers, spec.vocabulary, spec.context) == (384, 12, 250_037, 512)
        assert (spec.architecture, spec.pooling, spec.is_normalised, spec.pad_id) == ("encoder", "mean", True, 1)
        assert spec.licence == "MIT"

"""What core brings of the kinds that the suites know keeps their contracts: the adaptation that adapts nothing."""

from __future__ import annotations

import pytest

from functory_sdk.testing import AdaptationSuite

pytest.importorskip("torch")


class TestZeroShot(AdaptationSuite):
    component = "zero-shot"

    def test_it_leaves_the_network_as_it_is_and_fits_nothing(self) -> None:
        for backbone in self.supported():
            fitted = self.attach(backbone)
            assert not [name for name in fitted.model.phi() if name.startswith("network.")]
            assert fitted.adaptation.learns == "nothing"
            assert fitted.adaptation.fit(None).notes == ["nothing to fit"]

"""The engine keeps its contract."""

from functory_sdk.testing import EngineSuite


class TestTorch(EngineSuite):
    component = "torch"

    def test_what_the_seed_draws_does_not_hang_on_whether_the_backbone_is_loaded(self) -> None:
        first = self.fitted(seed=4)  # loads it
        again = self.fitted(seed=4)
        assert all((array == again.phi[name]).all() for name, array in first.phi.items())

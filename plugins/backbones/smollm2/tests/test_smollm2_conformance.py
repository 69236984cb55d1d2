"""What every backbone owes, and every packed one."""

from __future__ import annotations

import pytest

from functory_sdk.testing import BackboneSuite, PackedBackboneSuite


@pytest.mark.slow
class TestSmolLM2(BackboneSuite):
    component = "smollm2"


class TestPackedSmolLM2(PackedBackboneSuite):
    component = "smollm2"
    weights_hash = "0ee9acec2c0d69f3"
    cuts = (200, 1_000_000, 1_780_000, 50_000_000)

"""What every backbone owes."""

from __future__ import annotations

import pytest

from functory_sdk.testing import BackboneSuite


@pytest.mark.slow
class TestSmolLM2(BackboneSuite):
    component = "smollm2"

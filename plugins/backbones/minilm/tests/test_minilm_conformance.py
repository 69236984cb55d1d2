"""What every backbone owes."""

from __future__ import annotations

from functory_sdk.testing import BackboneSuite


class TestMiniLM(BackboneSuite):
    component = "minilm"

"""What every backbone owes."""

from __future__ import annotations

from functory_sdk.testing import BackboneSuite


class TestE5(BackboneSuite):
    component = "e5"

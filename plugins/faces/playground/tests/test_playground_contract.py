"""The pages keep what of the contract of faces is theirs: they compute nothing."""

from __future__ import annotations

from functory_sdk.testing import FaceSuite


class TestPlayground(FaceSuite):
    component = "playground"
    computes = False

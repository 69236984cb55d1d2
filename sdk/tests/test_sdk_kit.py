"""The kit's own backbones are backbones like any other: what is wrong with them would be wrong with every suite."""

from __future__ import annotations

import pytest

from functory_sdk.testing import BackboneSuite

pytest.importorskip("torch")


class TestTinyEncoder(BackboneSuite):
    component = "tiny-encoder"


class TestTinyDecoder(BackboneSuite):
    component = "tiny-decoder"


class TestTinyEncoderDecoder(BackboneSuite):
    component = "tiny-encoder-decoder"

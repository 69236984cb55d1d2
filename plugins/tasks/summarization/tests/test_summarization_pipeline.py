"""``summarization`` answers as transformers 4 did, token for token, to everything that a program asked it."""

from __future__ import annotations

from pathlib import Path

import pytest

from functory_sdk.testing.pipelines import PipelineChecks

pytest.importorskip("torch")
pytest.importorskip("transformers")


class TestKept(PipelineChecks):
    golden = Path(__file__).with_name("golden_pipeline.json")

"""What every component of its kind owes, and what only this one does."""

from __future__ import annotations

import logging
from pathlib import Path

from functory_sdk.testing import EngineSuite


class TestONNXRuntime(EngineSuite):
    component = "onnxruntime"

    def test_quantizing_leaves_the_callers_logging_as_it_was(self, tmp_path: Path) -> None:
        level = logging.getLogger().level
        assert "int8" in {precision for precision, _, _ in self.programs(tmp_path)}
        assert logging.getLogger().level == level

"""What every component of its kind owes, and what only this one does."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from functory_sdk import ArtefactCorrupt
from functory_sdk.testing import EngineSuite
from functory_sdk.testing.comparing import difference


class TestONNXRuntime(EngineSuite):
    component = "onnxruntime"

    def test_quantizing_leaves_the_callers_logging_as_it_was(self, tmp_path: Path) -> None:
        level = logging.getLogger().level
        assert "int8" in {precision for precision, _, _ in self.programs(tmp_path)}
        assert logging.getLogger().level == level

    @pytest.mark.parametrize("precision", ["fp32", "int8"])
    def test_weights_that_lie_beside_the_graph_give_the_same_outputs_and_are_missed(
        self, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        [(_, within, _)] = self.converted(tmp_path / "within", [precision])
        monkeypatch.setattr("functory_onnxruntime.convert.LEAST", 64)
        [(_, beside, _)] = self.converted(tmp_path / "beside", [precision])
        assert {file.name for file in tmp_path.rglob("*") if file.is_file()} == {"model.onnx", "model.onnx.data"}
        assert difference(self.run_once(within), self.run_once(beside)) == 0
        weights = tmp_path / "beside" / precision / "model.onnx.data"
        for content in (weights.read_bytes()[: weights.stat().st_size // 2], b""):
            weights.write_bytes(content)
            with pytest.raises(ArtefactCorrupt, match="cannot open the graph"):
                self.open(beside)
        weights.unlink()
        with pytest.raises(ArtefactCorrupt, match="cannot open the graph"):
            self.open(beside)

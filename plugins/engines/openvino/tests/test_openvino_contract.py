"""What every component of its kind owes, and what only this one does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from functory_sdk.testing import EngineSuite


class TestOpenVINO(EngineSuite):
    component = "openvino"

    @pytest.mark.parametrize("vnni", [True, False])
    def test_maps_take_half_the_range_where_sums_would_overflow(
        self, vnni: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("functory_openvino.convert.has_vnni", lambda: vnni)
        forms = {precision: program for precision, program, _ in self.converted(tmp_path)}
        graph = ov.Core().read_model(forms["int8"].folder / "model.xml")
        constants = [one.data for one in graph.get_ops() if one.get_type_name() == "Constant"]
        weights = [data for data in constants if data.dtype == np.int8]
        whole = [data for data in weights if np.abs(data.astype(int)).max() > 64]
        tables = 3  # words, positions, types: looked up, never summed
        assert len(whole) == (len(weights) if vnni else tables) > 0

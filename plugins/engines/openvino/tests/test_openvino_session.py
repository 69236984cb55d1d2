"""What OpenVINO's sessions and conversions refuse, and in which words."""

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

from functory_openvino import OpenVINOEngine
from functory_sdk import ArtefactCorrupt, NotSupported, Program, SessionOptions
from functory_sdk.testing import kit, toy_function


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Any]:
    """Return the fp32 form of a toy function, with rows of unequal lengths."""
    with kit():
        function = toy_function()
        texts = [function.coerce(text) for text in ("good", "a fine and very good day", "bad")]
        rows = function.form.formulation.encode(texts, function.reader, function.state).rows
        place = tmp_path_factory.mktemp("form")
        return OpenVINOEngine.configure({}).convert(function.form.program, place, precision="fp32", samples=rows), rows


def test_a_device_that_is_not_there_is_refused_with_those_that_are(form: tuple[Program, Any]) -> None:
    with pytest.raises(NotSupported, match="no device 'npu:9' here") as caught:
        OpenVINOEngine.configure({}).open(form[0], SessionOptions(device="npu:9"))
    assert "cpu" in str(caught.value.do)


def test_a_graph_that_is_cut_off_is_called_corrupt(form: tuple[Program, Any], tmp_path: Path) -> None:
    for file in form[0].folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    graph = tmp_path / "model.xml"
    graph.write_bytes(graph.read_bytes()[:-200])
    broken = Program(form[0].kind, form[0].inputs, form[0].outputs, precision="fp32", folder=tmp_path)
    with pytest.raises(ArtefactCorrupt, match="cannot open the graph") as caught:
        OpenVINOEngine.configure({}).open(broken, SessionOptions())
    assert "model.xml" in str(caught.value)


def test_a_closed_session_says_so(form: tuple[Program, Any]) -> None:
    session = OpenVINOEngine.configure({}).open(form[0], SessionOptions(threads=1))
    assert len(session.run(form[1])) == len(form[1])
    session.close()
    with pytest.raises(NotSupported, match="the session is closed"):
        session.run(form[1])


@pytest.mark.parametrize("vnni", [True, False])
def test_maps_take_half_the_range_where_sums_would_overflow(
    vnni: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: tuple[Program, Any]
) -> None:
    monkeypatch.setattr("functory_openvino.convert.has_vnni", lambda: vnni)
    with kit():
        program = toy_function().form.program
    OpenVINOEngine.configure({}).convert(program, tmp_path, precision="int8", samples=form[1])
    graph = ov.Core().read_model(tmp_path / "model.xml")
    weights = [one.data for one in graph.get_ops() if one.get_type_name() == "Constant" and one.data.dtype == np.int8]
    whole = [one for one in weights if np.abs(one.astype(int)).max() > 64]
    tables = 3  # words, positions, types: looked up, never summed
    assert len(whole) == (len(weights) if vnni else tables) > 0

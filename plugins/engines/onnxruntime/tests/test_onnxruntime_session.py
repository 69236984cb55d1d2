"""What ONNX Runtime's sessions and conversions refuse, and in which words."""

import logging
from pathlib import Path
from typing import Any

import pytest

from functory_onnxruntime import ONNXRuntimeEngine
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
        return ONNXRuntimeEngine.configure({}).convert(
            function.form.program, place, precision="fp32", samples=rows
        ), rows


def test_a_device_that_is_not_there_is_refused_with_those_that_are(form: tuple[Program, Any]) -> None:
    with pytest.raises(NotSupported, match="no device 'cuda:9' here") as caught:
        ONNXRuntimeEngine.configure({}).open(form[0], SessionOptions(device="cuda:9"))
    assert "cpu" in str(caught.value.do)


def test_a_graph_that_is_cut_off_is_called_corrupt(form: tuple[Program, Any], tmp_path: Path) -> None:
    for file in form[0].folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    graph = tmp_path / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-200])
    broken = Program(form[0].kind, form[0].inputs, form[0].outputs, precision="fp32", folder=tmp_path)
    with pytest.raises(ArtefactCorrupt, match="cannot open the graph") as caught:
        ONNXRuntimeEngine.configure({}).open(broken, SessionOptions())
    assert "model.onnx" in str(caught.value)


def test_a_closed_session_says_so(form: tuple[Program, Any]) -> None:
    session = ONNXRuntimeEngine.configure({}).open(form[0], SessionOptions(threads=1))
    assert len(session.run(form[1])) == len(form[1])
    session.close()
    with pytest.raises(NotSupported, match="the session is closed"):
        session.run(form[1])


def test_quantizing_leaves_the_callers_logging_as_it_was(form: tuple[Program, Any], tmp_path: Path) -> None:
    level = logging.getLogger().level
    with kit():
        whole = toy_function().form.program
    ONNXRuntimeEngine.configure({}).convert(whole, tmp_path, precision="int8", samples=form[1])
    assert logging.getLogger().level == level

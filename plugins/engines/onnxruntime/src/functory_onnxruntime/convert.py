"""Turns a torch program into an ONNX graph, and quantizes its maps dynamically."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from functory_sdk import NotSupported, Program, Row, has_vnni, pad

OPSET = 17
WEIGHTS = "model.onnx.data"
"""The file beside a graph that holds its larger weights."""
LEAST = 65_536
"""Bytes of a tensor that lies there."""
HEAD = "/model/head/"
"""How the names of the head's nodes begin. They stay in fp32: features of small spread get large weights there, beside
which eight bits leave nothing of the others; and they are a thousandth of the work."""


def convert(program: Program, graph: Path, precision: str, samples: Sequence[Row]) -> Program:
    """Write the graph of a program.

    :param program: with its torch model.
    :param graph: the .onnx file to write.
    :param precision: ``fp32`` or ``int8``.
    :param samples: rows to trace with.
    :raises NotSupported: when there is nothing to trace with, or a library is missing.
    """
    if not samples:
        raise NotSupported("there are no rows to trace the program with.", do="give samples.")
    graph.parent.mkdir(parents=True, exist_ok=True)
    if precision == "fp32":
        _export(program, graph, samples)
    else:
        whole = graph.with_name("fp32.onnx")
        try:
            _export(program, whole, samples)
            _quantize(whole, graph)
        finally:
            whole.unlink(missing_ok=True)
    _set_apart(graph)
    return replace(program, model=None, folder=graph.parent, precision=precision)


def _export(program: Program, graph: Path, samples: Sequence[Row]) -> None:
    """Trace the model with a few rows; every varying axis stays free."""
    try:
        import onnx  # noqa: F401 - the exporter needs it, and says so less clearly
    except ImportError as error:
        raise NotSupported("writing ONNX needs onnx.", do="pip install 'functory-onnxruntime[convert]'.") from error
    import torch

    from functory_sdk.torch import Graph

    arrays = pad(list(samples[:3]), program.inputs)
    ports = (*program.inputs, *program.outputs)
    axes: dict[str, Any] = {
        port.name: {0: "rows", **{place + 1: axis for place, axis in enumerate(port.axes) if isinstance(axis, str)}}
        for port in ports
    }
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer's remarks on branches that padding decides
        torch.onnx.export(
            Graph(program.model.merged()).eval(),
            tuple(torch.from_numpy(arrays[port.name]) for port in program.inputs),
            str(graph),
            input_names=[port.name for port in program.inputs],
            output_names=[port.name for port in program.outputs],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def _set_apart(graph: Path) -> None:
    """Put a graph's larger weights into a file beside it, which the runtime maps into memory in place of reading it: all
    processes that open the graph have them there once, and none has them twice while it begins.
    """
    import onnx

    model = onnx.load(str(graph))
    if any(tensor.ByteSize() >= LEAST for tensor in model.graph.initializer):
        (graph.parent / WEIGHTS).unlink(missing_ok=True)  # what is there would be added to
        onnx.save_model(model, str(graph), save_as_external_data=True, location=WEIGHTS, size_threshold=LEAST)


def _quantize(whole: Path, graph: Path) -> None:
    """Write int8 weights but for the head's; without VNNI in a reduced range, where pairs of products would overflow 16 bits."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    nodes = onnx.load(str(whole), load_external_data=False).graph.node
    head = [name for node in nodes if node.name.startswith(HEAD) for name in (node.name, f"{node.name}_MatMul")]

    root = logging.getLogger()  # it warns there, of a preparation that a graph of maps does not need
    level = root.level
    root.setLevel(max(level, logging.ERROR))
    try:
        quantize_dynamic(
            str(whole), str(graph), weight_type=QuantType.QInt8, per_channel=True, reduce_range=not has_vnni(),
            op_types_to_quantize=["MatMul"], nodes_to_exclude=head,  # an affine map becomes …_MatMul on the way
        )  # fmt: skip
    finally:
        root.setLevel(level)

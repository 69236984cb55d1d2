"""Turns a torch program into OpenVINO's graph, and quantizes it after training (NNCF)."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openvino as ov

from functory_sdk import NotSupported, Program, Row, has_vnni, pad, plan, row_length

CALIBRATION_ROWS = 256
CALIBRATION_TOKENS = 512
"""Tokens of one calibration batch: rows of like lengths, so that padding does not shape the ranges."""
OFF = {"fp32": 0.01, "int8": 1.0}
"""By how much the log-probabilities of a graph that writes may be off, in the mean."""
HEAD = r"__module\.model\.head[./].*"
"""The head's nodes in a traced graph. They stay in fp32: features of small spread get large weights there, beside
which eight bits leave nothing of the others; and they are a thousandth of the work."""


def convert(program: Program, graph: Path, precision: str, samples: Sequence[Row]) -> Program:
    """Write the graph of a program.

    :param program: with its torch model.
    :param graph: the .xml file to write; the weights go beside it.
    :param precision: ``fp32`` or ``int8``.
    :param samples: rows to trace and to calibrate on.
    :raises NotSupported: when there is nothing to trace or calibrate on, or a library is missing.
    """
    if not samples:
        raise NotSupported("there are no rows to trace the program with.", do="give samples.")
    model = _traced(program, samples)
    if precision == "int8":
        model = _quantized(model, program, samples)
    graph.parent.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, graph, compress_to_fp16=False)
    return replace(program, model=None, folder=graph.parent, precision=precision)


def _traced(program: Program, samples: Sequence[Row]) -> Any:  # Any: an openvino Model
    """Return the graph with named ports whose varying axes are free."""
    import torch

    from functory_sdk.torch import Graph

    arrays = pad(list(samples[:3]), program.inputs)
    example = tuple(torch.from_numpy(arrays[port.name]) for port in program.inputs)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer's remarks on branches that padding decides
        model = ov.convert_model(Graph(program.model.merged()).eval(), example_input=example)
    for port, entry in zip(program.inputs, model.inputs, strict=True):
        entry.get_tensor().set_names({port.name})
        sizes = [-1, *(-1 if isinstance(axis, str) else axis for axis in port.axes)]
        entry.get_node().set_partial_shape(ov.PartialShape(sizes))
    for port, result in zip(program.outputs, model.outputs, strict=True):
        result.get_tensor().set_names({port.name})
    model.validate_nodes_and_infer_types()
    return model


@contextmanager
def _without_bars() -> Iterator[None]:
    """Keep NNCF's bars from among the results: they are drawn on rich's own console.

    stdout stays as it is: to put something in its place would lose what other threads print.
    """
    import rich

    console: Any = rich.get_console()
    console.file = io.StringIO()
    try:
        yield
    finally:
        console.file = None  # whatever stdout is by then, as before


def compressed(model: Any) -> Any:  # Any: as above
    """Return the graph with weights in int8, each row with a scale of its own. Nothing else is rounded in the file."""
    nncf = _nncf()
    with _without_bars():
        return nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_ASYM)


def _nncf() -> Any:  # Any: without types
    """Return the library that makes graphs smaller, told to be silent.

    :raises NotSupported: where it is not installed.
    """
    try:
        import nncf
    except ImportError as error:
        raise NotSupported("int8 for OpenVINO needs nncf.", do="pip install 'functory-openvino[convert]'.") from error
    logging.getLogger("nncf").setLevel(logging.ERROR)
    return nncf


def _quantized(model: Any, program: Program, samples: Sequence[Row]) -> Any:  # Any: as above
    """Return the graph with int8 maps but for the head's, ranges taken from samples.

    Without VNNI weights take half the range, where sums of two products would overflow 16 bits.
    """
    nncf = _nncf()
    chosen = list(samples[:CALIBRATION_ROWS])
    batches = [
        pad([chosen[index] for index in batch], program.inputs)
        for batch in plan([row_length(row) for row in chosen], CALIBRATION_TOKENS)
    ]
    fix = nncf.OverflowFix.DISABLE if has_vnni() else nncf.OverflowFix.ENABLE
    with _without_bars():
        return nncf.quantize(
            model,
            nncf.Dataset(batches),
            model_type=nncf.ModelType.TRANSFORMER,
            preset=nncf.QuantizationPreset.MIXED,
            ignored_scope=nncf.IgnoredScope(patterns=[HEAD], validate=False),  # some heads have no maps
            subset_size=len(batches),
            advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=fix),
        )

"""Runs a graph; ONNX Runtime's sessions are safe to call from many threads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnxruntime as ort

from functory_sdk import Array, ArtefactCorrupt, NotSupported, Program, Session, SessionOptions, message_of

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class ONNXRuntimeSession(Session):
    """One loaded graph.

    :raises ArtefactCorrupt: when the runtime cannot read the program's files.
    :raises NotSupported: for a device that is not there.
    """

    def __init__(self, program: Program, options: SessionOptions, graph: Path) -> None:
        super().__init__(program, options)
        there = {name: provider for name, provider in PROVIDERS.items() if provider in ort.get_available_providers()}
        if options.device not in there:
            raise NotSupported(
                f"ONNX Runtime has no device {options.device!r} here.", do=f"choose one of: {', '.join(there)}."
            )
        settings = ort.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.log_severity_level = 3
        try:
            self._graph: ort.InferenceSession | None = ort.InferenceSession(
                str(graph), settings, providers=[there[options.device]]
            )
        except Exception as error:
            raise ArtefactCorrupt(
                f"ONNX Runtime cannot open the graph: {message_of(error)}", where=str(graph),
                do="get a fresh copy, or convert the function again.",
            ) from error  # fmt: skip
        self._inputs = {port.name for port in self._graph.get_inputs()}
        self._outputs = [port.name for port in program.outputs]

    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        if self._graph is None:
            raise NotSupported("the session is closed.", do="open the program again.")
        given = {name: array for name, array in batch.items() if name in self._inputs}
        return dict(zip(self._outputs, self._graph.run(self._outputs, given), strict=True))

    def close(self) -> None:
        self._graph = None

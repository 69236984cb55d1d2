"""Runs a graph: one compiled model, one request object per thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openvino as ov

from functory_openvino.settings import device_of, settings_of
from functory_sdk import Array, ArtefactCorrupt, NotSupported, Program, Session, SessionOptions, message_of


class OpenVINOSession(Session):
    """One compiled graph. A request object belongs to one thread; the compiled model is shared.

    :raises ArtefactCorrupt: when the runtime cannot read the program's files.
    :raises NotSupported: for a device that is not there.
    """

    def __init__(self, program: Program, options: SessionOptions, graph: Path) -> None:
        super().__init__(program, options)
        core, device, wanted = ov.Core(), device_of(options), settings_of(options)
        try:
            self._compiled: Any = core.compile_model(core.read_model(graph), device, wanted)
        except RuntimeError as error:
            raise ArtefactCorrupt(
                f"OpenVINO cannot open the graph: {message_of(error)}", where=str(graph),
                do="get a fresh copy, or convert the function again.",
            ) from error  # fmt: skip
        self._inputs = {name for port in self._compiled.inputs for name in port.get_names()}
        self._requests = threading.local()

    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        if self._compiled is None:
            raise NotSupported("the session is closed.", do="open the program again.")
        request = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        request.infer({name: array for name, array in batch.items() if name in self._inputs}, share_inputs=True)
        # The outputs lie in the request's own memory, which the next batch overwrites.
        return {port.name: request.get_tensor(port.name).data.copy() for port in self.program.outputs}

    def close(self) -> None:
        self._requests = threading.local()
        self._compiled = None

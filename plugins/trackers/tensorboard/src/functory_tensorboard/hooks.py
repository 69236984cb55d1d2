"""Observes `progress`: the numbers of every step and measurement become TensorBoard's event files."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory_sdk import hookimpl

if TYPE_CHECKING:
    from functory_sdk import Event, Run

PLACE = "FUNCTORY_TENSORBOARD"
"""The environment variable that says where to write; ``runs`` in the current folder when it is not set."""


class TensorBoard:
    """Writes loss, learning rate and dev metrics of a run as TensorBoard event files.

    One folder per run, named after the function and the time; look at them with ``tensorboard --logdir runs``.
    """

    name = "tensorboard"

    def __init__(self) -> None:
        self._writers: dict[int, Any] = {}  # Any: tensorboard's writer, imported when a run starts

    @hookimpl
    def progress(self, run: Run, event: Event) -> None:
        """Write an event's numbers at its step."""
        if event.kind == "start":
            self._writers[id(run)] = _writer(run.name)
        writer = self._writers.get(id(run))
        if writer is None:
            return
        for name, value in event.values.items():
            of = event.kind if event.stage == "training" else event.stage
            _scalar(writer, f"{of}/{name}", value, event.step)
        if event.kind in ("checkpoint", "epoch"):
            writer.flush()
        if event.kind == "done":
            self._writers.pop(id(run)).close()


def _writer(name: str) -> Any:  # Any: as above
    """Return a writer of a new folder."""
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = Path(os.environ.get(PLACE, "runs")) / f"{name}-{stamp}-{os.getpid()}"
    return EventFileWriter(str(folder))


def _scalar(writer: Any, tag: str, value: float, step: int) -> None:  # Any: as above
    """Write one number."""
    from tensorboard.compat.proto.event_pb2 import Event as Record
    from tensorboard.compat.proto.summary_pb2 import Summary

    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
    writer.add_event(Record(wall_time=time.time(), step=step, summary=summary))

"""Observes `progress`: the numbers of every step and measurement become TensorBoard's event files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from functory_sdk import Hook, Options, hookimpl

if TYPE_CHECKING:
    from functory_sdk import Event, Run


class TensorBoardOptions(Options):
    """Options of the tracker."""

    folder: Path | None = Field(
        None, description="Where each run gets a folder of its own; the user's folder of runs when not given."
    )


class TensorBoard(Hook[TensorBoardOptions]):
    """Writes losses, learning rate and dev metrics of a run as TensorBoard event files.

    One folder per run, named after the function and the time; the build says where, for ``tensorboard --logdir``.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "functory build recipe.toml --hook tensorboard --set hooks.tensorboard.folder=curves",
    )

    def __init__(self, options: TensorBoardOptions | None = None) -> None:
        super().__init__(options)
        self._writers: dict[int, Any] = {}  # Any: tensorboard's writer, imported when a run starts

    @hookimpl
    def progress(self, run: Run, event: Event) -> None:
        """Write an event's numbers at its step."""
        if event.kind == "start":
            self._writers[id(run)] = _writer(self._place(run))
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


    def _place(self, run: Run) -> Path:
        """Return the run's folder: the one that the build gave it, or one of that name where the options say."""
        return run.logs if self.options.folder is None else self.options.folder / run.logs.name


def _writer(folder: Path) -> Any:  # Any: as above
    """Return a writer into a folder, which it makes."""
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    return EventFileWriter(str(folder))


def _scalar(writer: Any, tag: str, value: float, step: int) -> None:  # Any: as above
    """Write one number."""
    from tensorboard.compat.proto.event_pb2 import Event as Record
    from tensorboard.compat.proto.summary_pb2 import Summary

    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
    writer.add_event(Record(wall_time=time.time(), step=step, summary=summary))

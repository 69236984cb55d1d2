"""Draws the bars of a run of training from its events, as any observer could."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from functory.contracts.engine import Event
from functory.terminal import Progress, progress


class RunBars:
    """One bar at a time: that of the stage that the run is in, with the loss and the score on dev beside it.

        with RunBars("sentiment") as bars:
            run.emit = bars.observe

    :param name: the run's.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._bar: Progress[Any] | None = None
        self._stage = ("", 0)
        self._said: dict[str, str] = {}

    def __enter__(self) -> RunBars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(kind, error, trace)

    def observe(self, event: Event) -> None:
        """Show what an event tells."""
        if event.total:
            if self._bar is None or self._stage != (event.stage, event.total) or event.step < self._bar.done:
                self._close()
                self._open(event)
            if self._bar is not None:
                self._bar.advance(event.step - self._bar.done)
        self._said |= _figures(event)
        if self._bar is not None and self._said:
            self._bar.say(", ".join(self._said.values()))
        if event.kind == "done":
            self._close()

    def _open(self, event: Event) -> None:
        self._stage, self._said = (event.stage, event.total), {}
        self._bar = progress(event.total, f"{self.name}: {event.stage}")
        self._bar.__enter__()

    def _close(self, *how: Any) -> None:  # Any: as a context is left
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.__exit__(*(how or (None, None, None)))


def _figures(event: Event) -> dict[str, str]:
    """Return what is worth a glance, by what it replaces: the loss of steps, the first metric on dev."""
    found = {}
    if "loss" in event.values:
        found["loss"] = f"loss {event.values['loss']:.3g}"
    first = next((name for name in event.values if name.startswith("dev_")), None)
    if first is not None:
        found["dev"] = f"{first.replace('_', ' ')} {event.values[first]:.3f}"
    return found

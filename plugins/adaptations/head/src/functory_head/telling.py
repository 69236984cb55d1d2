"""Tells a run's observers how far a stage of the fit is."""

from __future__ import annotations

from functory_sdk import Event, Run


class Stage:
    """Counts the steps of one stage.

    :param run: whose observers are told.
    :param name: ``folds``, ``training`` …
    :param total: the most steps that it may have.
    """

    def __init__(self, run: Run, name: str, total: int) -> None:
        self.run, self.name, self.total = run, name, total
        self.done = 0

    def step(self, loss: float | None = None) -> None:
        """One step more is done."""
        self.done = min(self.done + 1, self.total)
        if loss is None:
            self.run.emit(Event("progress", self.done, stage=self.name, total=self.total))
        else:
            self.run.emit(Event("step", self.done, {"loss": loss}, stage=self.name, total=self.total))

    def measured(self, **values: float) -> None:
        """Something was measured after the steps so far."""
        self.run.emit(Event("metric", self.done, values, stage=self.name, total=self.total))

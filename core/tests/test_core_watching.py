"""A run's bars are drawn from its events."""

from __future__ import annotations

from typing import Any

import pytest

from functory.contracts.engine import Event
from functory.running.watching import RunBars
from functory.terminal import bars


class Recorder(bars._Silent):
    """Keeps what a bar would show."""

    def __init__(self, description: str, total: int | None, log: list[Any]) -> None:
        self.description, self.total, self.log = description, total, log

    def show(self, done: float) -> None:
        self.log.append((self.description, round(done, 3), self.total))

    def stop(self, done: float, *, is_complete: bool) -> None:
        self.log.append((self.description, "ends", is_complete, self.note))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    monkeypatch.setattr(bars, "_view", lambda name, total, quiet, stream: Recorder(name, total, found))
    return found


def test_each_stage_of_a_run_has_a_bar_with_its_loss_and_its_score(log: list[Any]) -> None:
    with RunBars("pets") as shown:
        shown.observe(Event("start", text="pets: 8 examples"))
        shown.observe(Event("progress", 3, stage="features", total=8))
        shown.observe(Event("progress", 8, stage="features", total=8))
        shown.observe(Event("step", 1, {"loss": 0.693147, "learning_rate": 0.1}, total=4))
        shown.observe(Event("metric", 1, {"dev_macro_f1": 0.5, "dev_accuracy": 0.6}, total=4))
        shown.observe(Event("step", 2, {"loss": 0.25}, total=4))
        shown.observe(Event("done", values={"loss": 0.25}))
    assert log == [
        ("pets: features", 3, 8),
        ("pets: features", 8, 8),
        ("pets: features", "ends", True, ""),
        ("pets: training", 1, 4),
        ("pets: training", 1, 4),
        ("pets: training", 2, 4),
        ("pets: training", "ends", True, "loss 0.25, dev macro f1 0.500"),
    ]


def test_a_run_that_goes_on_or_begins_anew_starts_where_it_is(log: list[Any]) -> None:
    with RunBars("pets") as shown:
        shown.observe(Event("step", 40, {"loss": 1.0}, total=60))
        shown.observe(Event("step", 1, {"loss": 1.0}, total=60))
    assert [entry[1] for entry in log] == [40, "ends", 1, "ends"]


def test_a_run_that_is_broken_off_leaves_no_bar(log: list[Any]) -> None:
    def break_off() -> None:
        with RunBars("pets") as shown:
            shown.observe(Event("progress", 3, stage="features", total=8))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert log[-1] == ("pets: features", "ends", False, "")

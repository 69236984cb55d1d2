"""Training that goes astray begins anew and slower, and training that is only noisy does not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from looping import loop, training_of

from functory_sdk import Event, TrainingError, TrainingOptions
from functory_torch.straying import WINDOW, Mean, astray, is_dead

HOT = {"learning_rate": 0.2, "epochs": 60, "warmup": 0.9, "checkpoint_steps": 25}
"""A rate that is too high when it is reached: the loss falls, and climbs."""


def hot(folder: Path, emit: Callable[[Event], None] = lambda event: None) -> tuple[Any, TrainingOptions]:
    """Return a session and options with which training diverges."""
    made = loop(folder, dev=False, emit=emit, **HOT)
    return training_of(made), made.options


def test_training_that_diverges_begins_anew_and_slower_and_says_so(tmp_path: Path) -> None:
    told: list[Event] = []
    training, options = hot(tmp_path, told.append)
    fit = training.loop(options)
    assert "diverged at a learning rate of 0.2:" in fit.notes[0]
    assert "anew at 0.05" in fit.notes[0]
    assert fit.metrics["loss"] < 0.3
    assert [event.text for event in told if event.kind == "note"][: len(fit.notes)] == fit.notes


def test_what_is_broken_off_while_it_goes_slower_ends_in_the_same_bits(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill(event: Event) -> None:
        nonlocal slower
        slower += event.kind == "note"
        if slower and event.kind == "step" and event.step == 40:
            raise Killed

    slower = 0
    whole, options = hot(tmp_path / "whole")
    whole.loop(options)
    training, _ = hot(tmp_path / "broken", kill)
    with pytest.raises(Killed):
        training.loop(options)
    again, _ = hot(tmp_path / "broken")
    again.loop(options)
    for name, tensor in whole.model.phi().items():
        assert torch.equal(tensor, again.model.phi()[name]), name


def test_training_that_diverges_however_slow_is_an_error_that_names_the_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functory_torch.training.SLOWER", 0)
    training, options = hot(tmp_path)
    with pytest.raises(TrainingError, match="learning rate of 0.2:"):
        training.loop(options)


def test_training_that_ends_with_one_answer_for_all_rows_begins_anew_too(tmp_path: Path) -> None:
    made = loop(tmp_path, dev=False, learning_rate=0.1, epochs=30, warmup=0.1, checkpoint_steps=100)
    fit = training_of(made).loop(made.options)
    assert "at a learning rate of 0.1: at its end all rows had one answer, and the loss was 0.69" in fit.notes[0]
    assert "anew at 0.025" in fit.notes[0]
    assert fit.metrics["loss"] < 0.5


def test_small_noisy_steps_are_no_reason_to_begin_anew(tmp_path: Path) -> None:
    made = loop(tmp_path, dev=False, learning_rate=1e-4, epochs=4, batch_rows=2, checkpoint_steps=100)
    assert training_of(made).loop(made.options).notes == []


def found(losses: Any, *, done: float = 0.25) -> str:
    """Return what the losses of a run show, watched after every step."""
    low = Mean()
    for step in range(WINDOW, len(losses) + 1):
        last = losses[step - WINDOW : step]
        mean = Mean.of(last)
        low = mean if mean.value < low.value else low
        told = astray(losses[:WINDOW], last, low, done) if step >= 2 * WINDOW else ""
        if told:
            return told
    return ""


def curve(*levels: float) -> Any:
    """Return losses that go from level to level, with the noise of small steps."""
    steps = np.concatenate([np.linspace(*pair, 100) for pair in pairwise(levels)])
    return (steps + 0.15 * np.random.default_rng(0).standard_normal(len(steps))).tolist()


@pytest.mark.parametrize("levels", [(0.7, 0.7, 0.7), (0.7, 0.3, 0.2), (0.7, 0.3, 0.4), (0.7, 0.68, 0.7), (3.0, 1.0, 1.5)])
def test_losses_that_stay_or_fall_or_rise_a_little_show_nothing(levels: tuple[float, ...]) -> None:
    assert found(curve(*levels)) == ""


@pytest.mark.parametrize(
    ("levels", "says"),
    [((0.7, 0.3, 0.7, 0.7), "fell to 0.3"), ((0.9, 0.3, 0.8, 0.8), "fell to 0.3"), ((0.7, 1.2, 1.2), "later ones")],
)
def test_losses_that_come_back_or_climb_show_it(levels: tuple[float, ...], says: str) -> None:
    assert says in found(curve(*levels))


def test_a_small_clear_climb_counts_once_the_rate_falls() -> None:
    losses = curve(0.3, 0.3, 0.6, 0.6)[:300]
    higher = [loss + 2 for loss in losses]  # by less than a quarter
    assert found(higher) == ""
    assert "later ones" in found(higher, done=0.75)


@pytest.mark.parametrize("draw", ["normal", "lognormal", "pareto", "rare"])
def test_a_thousand_windows_of_noise_show_nothing(draw: str) -> None:
    random = np.random.default_rng(0)
    drawn = {
        "normal": lambda: 0.7 + 0.2 * random.standard_normal(800), "lognormal": lambda: random.lognormal(-1, 1, 800),
        "pareto": lambda: random.pareto(2, 800), "rare": lambda: np.where(random.random(800) < 0.05, 5.0, 0.1),
    }  # fmt: skip
    assert [found(drawn[draw]().tolist(), done=0.75) for _ in range(4)] == [""] * 4


def test_rows_that_are_the_same_may_have_one_answer() -> None:
    same, other = torch.tensor([[1, 2], [1, 2]]), torch.tensor([[1, 2], [1, 3]])
    scores = torch.tensor([[0.5, -0.5], [0.5, -0.5]])
    assert is_dead({"scores": scores}, {"input_ids": other})
    assert not is_dead({"scores": scores}, {"input_ids": same})
    assert not is_dead({"scores": scores + torch.tensor([[0.0], [0.01]])}, {"input_ids": other})

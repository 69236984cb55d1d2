"""Runs of the training loop on a tiny encoder and the toy task, which several modules of tests try."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from functory_sdk import Adaptation, Event, Run, Taught, TrainingOptions
from functory_sdk.testing.fitted import toy_rows
from functory_sdk.testing.tiny import TinyEncoder
from functory_sdk.testing.toy import ToyState, ToyTask
from functory_sdk.torch import own
from functory_torch import TorchEngine
from functory_torch.loop import Loop


class Top:
    """Trains the layers from a cut point on."""

    beside, merge = (), Adaptation.merge

    def __init__(self, cut: int) -> None:
        self._cut = cut

    def cut(self, spec: Any) -> int:
        return self._cut

    def crown(self, head: Any) -> Any:
        """Leaves the head as it is."""
        return head

    def attach(self, network: Any) -> None:
        own(torch.nn.ModuleList(network.blocks[self._cut - 1 :]))


def loop(
    folder: Path,
    *,
    cut: int = 2,
    seed: int = 0,
    dev: bool = True,
    emit: Callable[[Event], None] = lambda e: None,
    adaptation: Any = None,
    **options: Any,
) -> Loop:
    backbone, engine, task = TinyEncoder(), TorchEngine(), ToyTask()
    model = engine.adapt(backbone, task, ToyState(labels=("no", "yes")), adaptation or Top(cut), seed=1)
    rows = toy_rows(backbone, 64)
    held = Taught(rows.rows[48:], rows.owner[48:], score=lambda outputs: {"one": 1.0}) if dev else None
    run = Run(folder / "run", folder / "store", seed, emit)
    given = {"epochs": 2, "batch_rows": 8, "learning_rate": 1e-3, "checkpoint_steps": 3, **options}
    training = engine.session(model, Taught(rows.rows[:48], rows.owner[:48]), held, run)
    return Loop(training, TrainingOptions(**given))


def stop_at(step: int) -> Callable[[Event], None]:
    def stop(event: Event) -> None:
        if event.kind == "step" and event.step == step:
            raise KeyboardInterrupt

    return stop


def training_of(made: Loop) -> Any:
    from functory_torch.training import TorchTraining

    return TorchTraining(made.model, made.train, made.dev, made.run_)

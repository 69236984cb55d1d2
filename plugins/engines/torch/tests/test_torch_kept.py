"""Buffers that a module keeps are φ: counted and not learned, they are stored, and taken up by a run that was broken off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from functory_sdk import Adaptation, Event, PluginError, Run, Taught, TrainingOptions, pad
from functory_sdk.testing.fitted import probes, tensors, toy_rows
from functory_sdk.testing.tiny import TinyEncoder
from functory_sdk.testing.toy import ToyState, ToyTask
from functory_sdk.torch import Pooled, own
from functory_torch import TorchEngine
from functory_torch.loop import Loop

MEAN = "head.reading.mean"


class Centred(Pooled):
    """Pooled vectors less their running mean."""

    is_stored = False
    kept = ("mean",)

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("passes", torch.zeros(1))  # this one is not kept

    def forward(self, network: Any, hidden: Any, batch: Any) -> Any:
        vectors = super().forward(network, hidden, batch)
        if self.training:
            self.mean.lerp_(vectors.detach().mean(0), 0.1)
            self.passes += 1
        return vectors - self.mean


class Centring:
    """Trains the top layer and the head, which reads centred vectors."""

    beside, merge = (), Adaptation.merge

    def cut(self, spec: Any) -> int:
        return int(spec.points) - 2

    def attach(self, network: Any) -> None:
        own(network.blocks[-1])

    def crown(self, head: Any) -> Any:
        head.read_as(Centred(head.spec.width))
        return head


def model() -> Any:
    return TorchEngine().adapt(TinyEncoder(), ToyTask(), ToyState(labels=("no", "yes")), Centring(), seed=1)


def run(folder: Path, emit: Callable[[Event], None] = lambda event: None, scores: tuple[float, ...] = ()) -> Any:
    """Return a model trained for twelve steps.

    :param scores: what each evaluation on dev finds, of which the best is kept.
    """
    made, rows, found = model(), toy_rows(TinyEncoder(), 64), list(scores)
    dev = Taught(rows.rows[48:], rows.owner[48:], score=lambda outputs: {"one": found.pop(0)}) if scores else None
    training = TorchEngine().session(
        made, Taught(rows.rows[:48], rows.owner[:48]), dev, Run(folder / "run", folder / "store", 0, emit)
    )
    Loop(training, TrainingOptions(epochs=2, batch_rows=8, learning_rate=1e-3, checkpoint_steps=3)).run()
    return made


def test_what_is_kept_is_stored_and_gives_the_outputs_again(tmp_path: Path) -> None:
    trained, fresh = run(tmp_path), model()
    phi = TorchEngine().phi(trained)
    assert MEAN in phi
    assert "head.reading.passes" not in phi
    assert abs(phi[MEAN]).max() > 0
    TorchEngine().load_phi(fresh, phi)
    batch = tensors(pad(probes(TinyEncoder()), trained.inputs))
    with torch.inference_mode():
        assert torch.equal(fresh(batch)["scores"], trained.eval()(batch)["scores"])


def test_a_run_that_was_broken_off_goes_on_with_what_was_kept(tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if event.kind == "step" and event.step == 7:
            raise KeyboardInterrupt

    whole = TorchEngine().phi(run(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", interrupt)
    parts = TorchEngine().phi(run(tmp_path / "parts"))
    for name, array in whole.items():
        assert (array == parts[name]).all(), name


def test_an_adaptation_whose_crown_gives_no_head_is_named() -> None:
    class Headless(Centring):
        def crown(self, head: Any) -> Any:
            super().crown(head)

    with pytest.raises(PluginError, match=r"Headless.crown gives NoneType in place of a head"):
        TorchEngine().adapt(TinyEncoder(), ToyTask(), ToyState(labels=("no", "yes")), Headless(), seed=1)


def test_the_best_on_dev_is_kept_with_its_buffers(tmp_path: Path) -> None:
    means: list[Any] = []

    def look(event: Event) -> None:
        if event.kind == "metric":
            means.append(TorchEngine().phi(trained[0])[MEAN].copy())

    trained: list[Any] = []
    adapt = TorchEngine.adapt

    def noted(*args: Any, **kwargs: Any) -> Any:
        trained.append(adapt(*args, **kwargs))
        return trained[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TorchEngine, "adapt", noted)
        run(tmp_path, look, scores=(0.1, 0.9, 0.2, 0.3))
    assert len(means) == 4
    assert (TorchEngine().phi(trained[0])[MEAN] == means[1]).all()
    assert (means[1] != means[3]).any()

"""How an engine trains: by its seed alone, and on from where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functory.contracts.adaptation import TrainingOptions
from functory.contracts.engine import Event, Run
from functory.errors import ArtefactCorrupt, FunctoryError, NotSupported
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.engines.programs import EngineChecks
from functory_sdk.testing.fitted import Fitted, loss_of, probes, toy_rows
from functory_sdk.testing.generators import generators_untouched


class TrainingChecks(EngineChecks):
    """Training learns, and repeats itself."""

    def test_an_engine_that_does_not_train_says_so(self, tmp_path: Path) -> None:
        """Adapting, opening a training session and asking for φ are refused where training is not declared.

        If this fails: leave those methods as they are, or declare "training".
        """
        if self.has("training"):
            pytest.skip("the engine declares training")
        fitted, engine = self.fitted(), self.engine
        rows, run = toy_rows(fitted.backbone, 4), Run(tmp_path, tmp_path, 0)
        asked: tuple[Callable[[], Any], ...] = (
            lambda: engine.adapt(fitted.backbone, None, None, fitted.adaptation),
            lambda: engine.session(fitted.model, rows, None, run),
            lambda: engine.phi(fitted.model),
            lambda: engine.load_phi(fitted.model, {}),
        )
        for ask in asked:
            try:
                ask()
            except NotSupported:
                continue
            raise AssertionError("it trains without declaring it.")

    def test_phi_goes_out_and_comes_back(self) -> None:
        """φ is plain arrays by name; put into another model it restores it, and what does not fit is refused.

        If this fails: give copies of exactly the parameters that require a gradient, and check names and shapes.
        """
        self.trains()
        first, second = self.fitted(seed=1), self.fitted(seed=2)
        phi = first.phi
        probe = probes(first.backbone)
        assert phi and all(isinstance(array, np.ndarray) for array in phi.values())
        assert first.engine.takes(first.model), "the engine does not take the model that it made."
        assert not first.engine.takes(None), "the engine takes nothing for a model."
        second.engine.load_phi(second.model, phi)
        assert difference(first.outputs(probe), second.outputs(probe)) == 0, "φ did not restore the outputs."
        name = next(iter(phi))
        for wrong in ({}, {**phi, "more": phi[name]}, {**phi, name: np.zeros((1, 2, 3), np.float32)}):
            try:
                second.engine.load_phi(second.model, wrong)
            except ArtefactCorrupt:
                continue
            raise AssertionError(f"φ with {', '.join(wrong) or 'nothing'} was accepted.")

    def test_the_seed_decides_what_is_drawn(self) -> None:
        """The same seed draws the same φ; another seed another.

        If this fails: draw all first values in `adapt` from its `seed`.
        """
        self.trains()
        first, again, other = (self.fitted(seed).phi for seed in (1, 1, 2))
        assert all((first[name] == again[name]).all() for name in first), "one seed drew two different φ."
        assert any((first[name] != other[name]).any() for name in first), "two seeds drew the same φ."

    def test_the_loop_learns_and_repeats_itself(self, tmp_path: Path) -> None:
        """The training loop lowers the loss, tells its events, and with the same seed ends in the same bits.

        It leaves the process's generators as they are: they are the user's, and other runs' who train at the same time.

        If this fails: shuffle from the run's seed, and visit parameters in a fixed order; draw from generators of your own
        (`functory_sdk.torch.drawing`), and seed none that belongs to the process.
        """
        self.trains()
        before = float(loss_of(self.fitted(seed=4)).detach())
        events: list[Event] = []
        with generators_untouched(self.component):
            first, again = (self.looped(tmp_path / turn, events.append) for turn in ("first", "again"))
        assert float(loss_of(first).detach()) < before, "the loop did not lower the loss."
        assert all((array == again.phi[name]).all() for name, array in first.phi.items()), "two runs ended differently."
        assert {event.kind for event in events} >= {"step"}, f"only {sorted({e.kind for e in events})} were told."

    def test_an_interrupted_run_ends_in_the_same_bits(self, tmp_path: Path) -> None:
        """A run that was interrupted, and goes on from its folder, ends where one ends that was not.

        If this fails: a checkpoint holds optimizer, schedule, generators, position in the data and the best so far.
        """
        self.trains()
        whole = self.looped(tmp_path / "whole")

        def interrupt(event: Event) -> None:
            if event.kind == "step" and event.step == 5:
                raise KeyboardInterrupt

        with pytest.raises((KeyboardInterrupt, FunctoryError)):
            self.looped(tmp_path / "parts", interrupt)
        resumed = self.looped(tmp_path / "parts")
        for name, array in whole.phi.items():
            assert (array == resumed.phi[name]).all(), f"{name} differs between an interrupted run and a whole one."

    def trains(self) -> None:
        """Skip a check for engines that do not train."""
        if not self.has("training"):
            pytest.skip("the engine declares no training")

    def looped(self, folder: Path, emit: Any = lambda event: None) -> Fitted:
        """Return a model fitted by the engine's loop."""
        fitted = self.fitted(seed=4)
        rows = toy_rows(fitted.backbone, 32)
        run = Run(folder=folder / "run", store=folder / "store", seed=4, emit=emit)
        options = TrainingOptions(epochs=4, batch_rows=8, learning_rate=2e-2, checkpoint_steps=2)
        with fitted.engine.session(fitted.model, rows, None, run) as session:
            session.loop(options)
        fitted.model.eval()
        return fitted

"""The loop finds what silently does nothing, tells what happens, and refuses to go on where other bits would come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from looping import Top, loop

from functory_sdk import Adaptation, Event, NoOptions, Reader, Run, TrainingOptions, pad
from functory_sdk.testing.fitted import toy_rows
from functory_sdk.testing.tiny import TinyDecoder, TinyEncoder, TinyEncoderDecoder
from functory_sdk.testing.toy import ToyState, ToyTask
from functory_torch import TorchEngine
from functory_torch.rounding import settled
from functory_torch.sources import FromFeatures, FromStates, Whole


def test_stored_states_and_the_whole_pass_give_the_same_outputs(tmp_path: Path) -> None:
    stored = loop(tmp_path)
    assert isinstance(stored.sources[0], FromStates)
    assert isinstance(loop(tmp_path, cut=1).sources[0], Whole)
    assert isinstance(loop(tmp_path, cut=5).sources[0], FromFeatures)
    whole = Whole(stored.model, stored.train, torch.device("cpu"))
    with torch.inference_mode():
        for rows in ([0, 1, 2], [40], [7, 33, 5, 21]):
            one, other = stored.sources[0].run(rows)[0]["scores"], whole.run(rows)[0]["scores"]
            assert (one - other).abs().max() < 1e-5


def test_the_crown_is_in_training_mode_and_the_trunk_is_not(tmp_path: Path) -> None:
    seen = loop(tmp_path)
    modes: list[list[bool]] = []
    seen.model.head.register_forward_pre_hook(
        lambda *_: modes.append([b.training for b in seen.model.network.blocks]) if seen.model.head.training else None
    )
    seen.run()
    assert modes
    assert all(mode == [False, True, True] for mode in modes)


def test_bf16_learns_what_fp32_learns_and_keeps_its_weights_in_fp32(tmp_path: Path) -> None:
    exact, rough = (loop(tmp_path / name, precision=name, dropout=0.0, dev=False) for name in ("fp32", "bf16"))
    losses = [one.run().metrics["loss"] for one in (exact, rough)]
    assert losses[0] != losses[1], "bf16 was not used"
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    assert {tensor.dtype for tensor in rough.phi.values()} == {torch.float32}


def test_the_layers_multiply_in_bf16_and_the_head_reads_and_computes_in_fp32(tmp_path: Path) -> None:
    seen = loop(tmp_path, precision="bf16", dev=False, epochs=1)
    types: dict[str, set[torch.dtype]] = {"map": set(), "head": set()}
    inner = next(module for module in seen.model.network.blocks[-1].modules() if isinstance(module, torch.nn.Linear))
    inner.register_forward_hook(lambda module, _, output: types["map"].add(output.dtype) if module.training else None)
    seen.model.head.linear.register_forward_hook(
        lambda module, given, output: types["head"].update((given[0].dtype, output.dtype)) if module.training else None
    )
    seen.run()
    assert types == {"map": {torch.bfloat16}, "head": {torch.float32}}


@pytest.mark.parametrize(("amx", "wide", "cut", "used"), [
    (True, 1, 2, "bf16"), (False, 1, 2, "fp32"), (True, 1000, 2, "fp32"), (True, 1, 5, "fp32"),
])  # fmt: skip
def test_the_machine_and_what_learns_decide_the_precision_where_nobody_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, amx: bool, wide: int, cut: int, used: str
) -> None:
    monkeypatch.setattr("functory_torch.rounding.has_amx", lambda: amx)
    monkeypatch.setattr("functory_torch.rounding.WIDE", wide)
    made = loop(tmp_path, cut=cut, dev=False, epochs=1)
    assert made.run().precision == made.options.precision == used


def test_what_writes_is_trained_in_fp32_where_nobody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functory_torch.rounding.has_amx", lambda: True)
    monkeypatch.setattr("functory_torch.rounding.WIDE", 1)
    used = {}
    for backbone in (TinyEncoder(), TinyDecoder()):
        model = TorchEngine().adapt(backbone, ToyTask(), ToyState(labels=("no", "yes")), Top(1))
        used[backbone.spec.architecture] = settled(TrainingOptions(), torch.device("cpu"), model).precision
    assert used == {"encoder": "bf16", "decoder": "fp32"}


def test_events_say_what_happens(tmp_path: Path) -> None:
    events: list[Event] = []
    fit = loop(tmp_path, emit=events.append).run()
    steps = [event for event in events if event.kind == "step"]
    assert [event.step for event in steps] == list(range(1, 13))
    assert set(steps[0].values) == {"loss", "learning_rate", "rows_per_second"}
    kinds = [event.kind for event in events]
    assert (kinds.count("epoch"), kinds.count("metric")) == (2, 4)
    assert "checkpoint" in kinds
    assert fit.metrics["best_step"] == 3, "the first of equals is the best"
    assert len(fit.history) == 4


def test_training_stops_early_where_dev_gains_nothing(tmp_path: Path) -> None:
    fit = loop(tmp_path, epochs=20, patience=2).run()
    assert fit.metrics["steps"] == 9
    assert fit.notes == ["stopped early after 1.5 of 20 epochs."]


def test_a_step_that_is_cut_gives_the_gradients_of_the_whole(tmp_path: Path) -> None:
    whole, cut = (
        loop(tmp_path / name, dropout=0.0, dev=False, epochs=1, head_first=False) for name in ("whole", "cut")
    )
    cut.objective.budget = 16
    assert max(cut.lengths) < 16 < sum(cut.lengths[:8])
    for one in (whole, cut):
        for module in one.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        one.run()
    for name, tensor in whole.phi.items():
        assert (tensor - cut.phi[name]).abs().max() < 1e-4, name


def test_a_run_ends_after_its_steps_whatever_its_epochs_say(tmp_path: Path) -> None:
    for options, steps in (({"least_steps": 8, "epochs": 1}, 8), ({"most_steps": 3, "epochs": 4}, 3)):
        fit = loop(tmp_path / str(steps), dev=False, **options).run()
        assert fit.metrics["steps"] == steps


class Reading(Adaptation[NoOptions]):
    """A head on an encoder-decoder's states."""

    def cut(self, spec: Any) -> int:
        return int(spec.points)


def test_targets_of_unequal_lengths_give_in_one_batch_what_each_gives_alone() -> None:
    backbone, engine, task = TinyEncoderDecoder(), TorchEngine(), ToyTask()
    reader = Reader(backbone.tokenizer, backbone.spec)
    model = engine.adapt(backbone, task, ToyState(labels=("no", "yes")), Reading())
    with torch.no_grad():
        model.head.linear.weight.mul_(50)
    texts = ("we saw the good film in the rain", "bad", "the day was very fine")
    targets = ([0], [0, 9, 4, 12, 7], [0, 6, 5])
    sources = [tokens.ids for tokens in reader.tokenizer.tokens(texts)]
    rows = [reader.row(ids, target=np.asarray(one)) for ids, one in zip(sources, targets, strict=True)]

    def scores(some: list[Any]) -> Any:
        with torch.inference_mode():
            return model({name: torch.from_numpy(array) for name, array in pad(some, model.inputs).items()})["scores"]

    alone = torch.cat([scores([row]) for row in rows])
    assert (alone[0] - alone[1]).abs().max() > 0.1, "the target is read"
    torch.testing.assert_close(scores(rows), alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("cut", [0, 2])
def test_features_of_a_crown_are_those_that_its_phi_makes_now(tmp_path: Path, cut: int) -> None:
    backbone, engine = TinyEncoder(), TorchEngine()
    model = engine.adapt(backbone, ToyTask(), ToyState(labels=("no", "yes")), Top(max(1, cut)), seed=1)
    model.cut, rows = cut, toy_rows(backbone, 20)
    run = Run(tmp_path / "run", tmp_path / "store", 0)
    with engine.session(model, rows, None, run) as session:
        before = session.features(rows.rows)
        with torch.no_grad():
            for parameter in model.network.blocks[-1].parameters():
                parameter.mul_(1.5)
        now = session.features(rows.rows)
        each = [{name: torch.from_numpy(one) for name, one in pad([row], model.inputs).items()} for row in rows.rows]
        alone = torch.cat([model.features({}, batch) for batch in each])
    assert (now - alone).abs().max() < 1e-4
    assert (now - before).abs().max() > 1e-2

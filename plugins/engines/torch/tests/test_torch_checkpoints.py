"""What a run that was broken off goes on from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from looping import Top, loop, stop_at

from functory_sdk import Run, TrainingError, TrainingOptions
from functory_sdk.testing.fitted import toy_rows
from functory_sdk.testing.tiny import TinyEncoder
from functory_sdk.testing.toy import ToyState, ToyTask
from functory_torch import TorchEngine


def test_another_seed_is_refused_by_a_checkpoint_with_what_differs(tmp_path: Path) -> None:
    loop(tmp_path).run()
    with pytest.raises(TrainingError, match=r"seed: 0 then, 1 now") as caught:
        loop(tmp_path, seed=1).run()
    assert "remove" in caught.value.do


def test_a_run_that_was_broken_off_goes_on_in_its_own_precision_and_is_refused_in_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functory_torch.rounding.WIDE", 1)
    monkeypatch.setattr("functory_torch.rounding.has_amx", lambda: True)
    whole = loop(tmp_path / "whole")
    whole.run()
    with pytest.raises(KeyboardInterrupt):
        loop(tmp_path / "broken", emit=stop_at(8)).run()
    again = loop(tmp_path / "broken")
    again.run()
    for name, parameter in whole.phi.items():
        assert torch.equal(parameter, again.phi[name]), name
    monkeypatch.setattr("functory_torch.rounding.has_amx", lambda: False)
    with pytest.raises(TrainingError, match=r"precision=bf16 .*then, .*precision=fp32"):
        loop(tmp_path / "broken").run()


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    whole = loop(tmp_path / "whole")
    whole.run()
    stopped = loop(tmp_path / "damaged", emit=stop_at(8))
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    newest = max((tmp_path / "damaged" / "run" / "checkpoints").iterdir())
    content = bytearray((newest / "tensors.safetensors").read_bytes())
    content[-1] ^= 1
    (newest / "tensors.safetensors").write_bytes(bytes(content))
    again = loop(tmp_path / "damaged")
    again.run()
    for name, parameter in whole.phi.items():
        assert torch.equal(parameter, again.phi[name]), name


def test_at_most_two_checkpoints_are_kept(tmp_path: Path) -> None:
    loop(tmp_path, checkpoint_steps=1).run()
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 2


def test_a_stage_has_checkpoints_of_its_own(tmp_path: Path) -> None:
    backbone, engine = TinyEncoder(), TorchEngine()
    model = engine.adapt(backbone, ToyTask(), ToyState(labels=("no", "yes")), Top(2), seed=1)
    rows = toy_rows(backbone, 20)
    with engine.session(model, rows, rows, Run(tmp_path / "run", tmp_path / "store", 0)) as session:
        stage = session.stage("first", model, rows)
        stage.loop(TrainingOptions(epochs=1))
    assert stage.dev is None
    assert [place.name for place in (tmp_path / "run").iterdir()] == ["first"]

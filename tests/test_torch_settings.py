"""What a plugin sets for everybody in a step, in torch and in the process, is put right after it, and told of no other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.plugins.registry import registered
from functory_sdk import Fit, TrainingSession, hookimpl
from functory_sdk.testing import kit
from functory_sdk.testing.toy import ToyAdaptation, rows

torch = pytest.importorskip("torch")


class Rude(ToyAdaptation):
    """Leaves another default type behind."""

    def fit(self, session: TrainingSession) -> Fit:
        made = super().fit(session)
        torch.set_default_dtype(torch.float64)
        return made


class RudeHook:
    """Leaves gradients off, as a wrapper and as an answer."""

    @hookimpl(wrapper=True)
    def train(self) -> Any:
        torch.set_grad_enabled(False)
        torch.set_grad_enabled(True)
        fit = yield
        torch.set_grad_enabled(False)
        return fit

    @hookimpl
    def load_backbone(self) -> None:
        torch.set_default_device("meta")


def test_what_a_step_changes_in_torch_is_put_right_and_told_of_who_did(capsys: pytest.CaptureFixture[str]) -> None:
    with kit(), registered("adaptations", "rude", Rude, distribution="functory-rude", version="2.0"):
        function = functory.build(task="toy", train=rows(48), backbone="tiny-encoder", adaptation="rude", hooks=[RudeHook()])
        assert (torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled()) == (
            torch.float32, torch.device("cpu"), True,
        )  # fmt: skip
        assert function("we saw the good film").label in ("yes", "no")
    notes = [line for line in capsys.readouterr().err.splitlines() if "changed torch's" in line]
    hook, back = "note: hook plugin 'RudeHook' changed torch's", "; functory put it back."
    rude = "note: adaptation 'rude' (functory-rude 2.0) changed torch's"
    assert sorted(notes) == [
        f"{rude} default type: torch.float32, now torch.float64 in step train{back}",
        f"{hook} default device: cpu, now meta in step load_backbone{back}",
        f"{hook} gradients: on, now off in step train{back}",
    ]


class Wanders:
    """Goes elsewhere, as a wrapper and as an observer."""

    @hookimpl(wrapper=True)
    def train(self) -> Any:
        os.chdir("/")
        return (yield)

    @hookimpl
    def progress(self) -> None:
        os.chdir("/")


def test_a_function_is_saved_where_it_was_asked_for_whatever_folder_a_hook_goes_to(project: Any) -> None:
    project.write("data.jsonl", rows(32))
    with registered("hooks", "wanders", Wanders, distribution="acme-wanders", version="2.0"):
        code, _, err = project.run(
            "build", "--task", "toy", "--backbone", "tiny-encoder", "--adaptation", "toy-head", "--train", "data.jsonl",
            "--output", "made", "--hook", "wanders",
        )  # fmt: skip
    assert (code, Path.cwd(), (project.folder / "made" / "function.json").is_file()) == (0, project.folder, True)
    for step in ("train", "progress"):
        assert f"hook plugin 'wanders' changed the working directory: {project.folder}, now / in step {step}" in err

"""Stdout is for results: what the code of plugins prints goes to stderr, whatever part of a verb or a step calls it."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

import functory
from functory_sdk import Event, hookimpl
from functory_sdk.testing import registered
from functory_sdk.testing.toy import ToyTask, rows


class NoisyTask(ToyTask):
    """Says what it does, as one does while one looks for a mistake."""

    def encode(self, *args: Any, **kwargs: Any) -> Any:
        print("noise: encode")
        return super().encode(*args, **kwargs)

    def decode(self, *args: Any, **kwargs: Any) -> Any:
        json.dump("noise: decode", sys.stdout)
        logging.StreamHandler(sys.stdout).emit(logging.makeLogRecord({"msg": "noise: log"}))
        return super().decode(*args, **kwargs)


class Loud:
    """A hook that prints wherever it takes part."""

    name = "loud"

    def __init__(self) -> None:
        print("noise: made")

    @hookimpl(wrapper=True)
    def train(self) -> Any:
        print("noise: before")
        fit = yield
        print("noise: after")
        return fit

    @hookimpl
    def progress(self, event: Event) -> None:
        print("noise:", event.kind)


PARTS = {"task": "noisy", "backbone": "tiny-encoder", "adaptation": "toy-head"}


def test_what_plugins_print_within_a_verb_goes_to_stderr_and_the_json_is_json(project: Any) -> None:
    project.write("data.jsonl", rows(32))
    parts = [word for name, value in PARTS.items() for word in (f"--{name}", value)]
    with registered("tasks", "noisy", NoisyTask), registered("hooks", "loud", Loud):
        code, out, err = project.run("build", *parts, "--train", "data.jsonl", "-o", "made", "--hook", "loud", "--json")
        assert (code, bool(json.loads(out))) == (0, True)
        assert {"made", "before", "after", "start", "done", "encode"} <= set(err.replace("noise: ", "").splitlines())
        code, out, err = project.run("run", "made", "a good b", "a bad c", "--json")
        assert (code, ["label" in json.loads(line) for line in out.splitlines()]) == (0, [True, True])
        assert all(f"noise: {what}" in err for what in ("encode", "decode", "log"))
        code, out, err = project.run("run", "made", "a good b")
        assert (code, "noise" in out, "noise" in err) == (0, False, True)


def test_what_hooks_print_within_a_step_goes_to_stderr_in_python_too(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    stdout = sys.stdout
    functory.build(**{**PARTS, "task": "toy"}, train=rows(32), report=False, hooks=[Loud])
    assert sys.stdout is stdout
    out, err = capsys.readouterr()
    assert out == ""
    assert {"made", "before", "after", "start", "done"} <= set(err.replace("noise: ", "").splitlines())

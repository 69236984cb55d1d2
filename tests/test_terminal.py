"""On a terminal, with stdout led elsewhere: every verb's output arrives whole, and the bar stays on the terminal."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import functory
from functory.cli import SUMMARIES, main
from functory.terminal import bars
from functory_sdk import Event, hookimpl
from functory_sdk.testing import Terminal, kit, toy_function
from functory_sdk.testing.toy import rows

EXAMPLES = rows(40, seed=3)
VERBS: dict[str, list[str]] = {
    "build": [
        "--task", "toy", "--train", "toy.jsonl", "--backbone", "tiny-encoder", "--adaptation", "toy-head", "--output", "built",
        "--json",
    ],
    "cache": ["--json"],
    "compare": ["toy", "toy", "--data", "toy.jsonl", "--json"],
    "completion": ["bash", "--json"],
    "doctor": ["functory-occlusion", "--json"],
    "evaluate": ["toy", "--data", "toy.jsonl", "--json"],
    "explain": ["toy", "a good film", "--json"],
    "info": ["text-classification", "--json"],
    "list": ["--json"],
    "new": ["plugin", "--kind", "samples", "--name", "pets", "--output", "pets", "--json"],
    "optimize": [
        "toy", "--data", "toy.jsonl", "--output", "fast", "--json", "--set", 'engines=["onnxruntime"]',
        "--set", 'precisions=["fp32"]', "--set", "probe_inputs=16", "--set", "rounds=1", "--set", "threads=[1]",
    ],
    "package": ["toy", "--help"],  # the packager starts a process of its own
    "run": ["toy", "--input", "toy.jsonl", "--json"],
    "verify": ["toy", "--json"],
}  # fmt: skip
"""Every verb, as it is typed where its output goes into a file."""
WITH_BARS = {"build", "compare", "evaluate", "explain", "optimize", "run"}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a saved function and data for it."""
    place = tmp_path_factory.mktemp("terminal")
    (place / "toy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in EXAMPLES))
    with kit():
        toy_function().save(place / "toy")
        yield place


def told(verb: list[str], terminal: Terminal, monkeypatch: pytest.MonkeyPatch, out: Path) -> str:
    """Run a verb with stdin and stderr on a terminal and stdout in a file; return what is in the file."""
    with out.open("w", encoding="utf-8") as stdout, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal.stream)
        patch.setattr(sys, "stdout", stdout)
        patch.setenv("TERM", "xterm")
        patch.delenv("FUNCTORY_QUIET", raising=False)
        assert main(verb) == 0
        assert sys.stdout is stdout
    return out.read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", sorted(SUMMARIES))
def test_no_output_of_a_verb_is_lost_where_stdout_leads_elsewhere(
    verb: str, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verb in VERBS, f"say in VERBS how {verb!r} is typed."
    monkeypatch.chdir(toy)
    with Terminal() as terminal:
        found = told([verb, *VERBS[verb]], terminal, monkeypatch, tmp_path / "out")
    if "--help" not in VERBS[verb]:
        for value in found.splitlines() if verb == "run" else [found]:
            json.loads(value)
    if verb == "run":
        assert len(found.splitlines()) == len(EXAMPLES)
    assert found.strip()
    assert found.splitlines()[0] not in terminal.text.splitlines()
    assert ("─" in terminal.text) == (verb in WITH_BARS), "the bar goes to the terminal"


def test_answers_to_lines_of_stdin_arrive_whole(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(toy)
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{row['text']}\n" for row in EXAMPLES)))
    with Terminal() as terminal:
        found = told(["run", "toy", "--json"], terminal, monkeypatch, tmp_path / "out")
    assert [set(json.loads(line)["scores"]) for line in found.splitlines()] == [{"no", "yes"}] * len(EXAMPLES)
    assert "scores" not in terminal.text


def test_a_loop_over_map_prints_into_a_file_and_a_terminal_alike(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function: Any = toy_function()
    texts = [row["text"] for row in EXAMPLES]
    expected = [
        f"{text}: {output.label}" for text, output in zip(texts, function.map(texts, progress=False), strict=True)
    ]
    monkeypatch.setenv("TERM", "xterm")
    with Terminal() as terminal, (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stderr", terminal.stream)
        for stdout in (out, terminal.stream):
            monkeypatch.setattr(sys, "stdout", stdout)
            for text, output in zip(texts, function.map(texts), strict=True):
                print(f"{text}: {output.label}")
    assert (tmp_path / "out").read_text().splitlines() == expected
    assert terminal.screen().splitlines() == expected
    assert terminal.text.count("toy  ") > len(texts)


def test_the_bar_of_map_goes_on_with_every_batch_whatever_a_chunk_holds(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[float] = []
    monkeypatch.setattr(bars._Lines, "show", lambda self, done: shown.append(done))
    function: Any = toy_function().opened(budget=64)
    texts = [row["text"] for row in EXAMPLES] * 5
    monkeypatch.setattr("functory.running.mapping.CHUNK", 150)
    assert len(list(function.map(texts))) == 200
    assert shown[-1] == pytest.approx(200)
    assert shown == sorted(shown)
    assert max(later - sooner for sooner, later in pairwise([0, *shown])) < 20, "it jumps"


def test_a_build_tells_how_far_features_folds_and_training_are_and_how_they_go(toy: Path) -> None:
    events: list[Event] = []

    class Observer:
        """Keeps what happens."""

        @hookimpl
        def progress(self, event: Event) -> None:
            events.append(event)

    functory.build(task="toy", train=EXAMPLES, backbone="tiny-encoder", adaptation="head", hooks=[Observer()])
    stages = list(dict.fromkeys(event.stage for event in events if event.total))
    assert stages[:2] == ["features", "folds"]
    assert "training" in stages
    for stage in stages:
        steps = [event for event in events if event.stage == stage and event.total]
        assert [event.step for event in steps] == sorted(event.step for event in steps)
        assert 0 < steps[-1].step <= steps[-1].total
    features = [event for event in events if event.stage == "features"]
    assert features[-1].step == features[-1].total == 32
    losses = [event.values["loss"] for event in events if event.kind == "step" and event.stage == "training"]
    assert len(losses) > 2
    assert losses[-1] < losses[0]
    held_out = [event.values["held_out_loss"] for event in events if event.kind == "metric" and event.stage == "folds"]
    assert len(held_out) > 2
    assert any("dev_accuracy" in event.values for event in events if event.kind == "metric")

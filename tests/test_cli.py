"""The verbs that build and use functions, as a user types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from functory.cli import main


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [f"{word} number {n},{word}" for n in range(20) for word in ("cat", "dog")]
    (tmp_path / "pets.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    return tmp_path


def test_build_run_evaluate_verify(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            ["build", "--task", "text-classification", "--train", "pets.csv", "--adaptation", "head", "--name", "pets"]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert "accuracy" in out
    assert "saved to pets" in out
    assert main(["run", "pets", "a cat", "a dog", "--json"]) == 0
    assert [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()] == ["cat", "dog"]
    assert main(["evaluate", "pets", "--data", "pets.csv", "--json", "--html", "report.html"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["accuracy"]["value"] == 1.0
    assert "<html" in (place / "report.html").read_text()
    assert main(["verify", "pets"]) == 0
    (place / "pets" / "weights.safetensors").write_bytes(b"nothing")
    capsys.readouterr()
    assert main(["verify", "pets", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "ArtefactCorrupt"


def test_a_recipe_file_with_changes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "recipe.toml").write_text(
        'task = "text-classification"\ntrain = "pets.csv"\n[adaptation]\nname = "head"\npenalty = 0.1\n'
    )
    assert main(["build", "recipe.toml", "--set", "adaptation.folds=3", "--output", "out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["info"]["adaptation"]["options"]["folds"] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--task", "text-classification", "--train", "no.csv"], 1, "no file no.csv"),
        (["--task", "text-clasification", "--train", "pets.csv"], 2, "did you mean 'text-classification'"),
        (["--task", "text-classification", "--train", "pets.csv", "--adaptation", "haed"], 2, "did you mean 'head'"),
        (["--task", "text-classification", "--train", "pets.csv", "--set", "adaptation.steps=-1"], 2, "steps = -1 is not"),
        (["--task", "text-classification", "--train", "pets.csv", "--column", "text=body"], 1, "body"),
        (["--task", "text-classification", "--adaptation", "head"], 2, "learns from examples"),
        (["--train", "pets.csv"], 2, "names no task"),
    ],
)  # fmt: skip
def test_a_wrong_build_says_what_to_do_and_leaves_nothing(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    before = sorted(place.iterdir())
    assert main(["build", *arguments]) == code
    said = capsys.readouterr()
    assert message in said.err
    assert "Traceback" not in said.err
    assert "do:" in said.err
    assert sorted(place.iterdir()) == before


TELLING_AT_ONCE = """
import sys
from functory.cli import main
from functory.terminal import bars
bars.LINE_SECONDS = 0.0
sys.exit(main(sys.argv[1:]))
"""
"""The command line, which tells how far work is with every step: nobody waits ten seconds for the first line."""


def test_ctrl_c_ends_a_build_with_130_and_leaves_nothing(place: Path) -> None:
    build = ["build", "--task", "text-classification", "--train", "samples:rotten-tomatoes", "--backbone", "minilm",
             "--adaptation", "head", "--limit", "2000", "--output", "film"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", TELLING_AT_ONCE, *build], cwd=place, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stderr is not None
    next(line for line in process.stderr if "features:" in line)  # in the midst of the pass over the backbone
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert [path.name for path in place.iterdir()] == ["pets.csv"]


def test_info_says_which_backbone_and_adaptation_suit_a_task_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "text-classification"]) == 0
    told = capsys.readouterr().out.partition("built with, where none is named")[2].partition("\n\n")[0].splitlines()[1:]
    assert [line.split("  ")[1].strip() for line in told] == ["with examples", "without"]
    assert "minilm (e5 where the texts are not English), auto" in told[0]
    assert told[0].endswith("your data decide")
    assert "smollm2, zero-shot" in told[1]
    assert main(["info", "text-generation", "--json"]) == 0
    [facts] = json.loads(capsys.readouterr().out)
    with_examples, without = facts["suits"]
    assert (with_examples["backbone"], with_examples["adaptation"]) == ("smollm2", "lora")
    assert (without["backbone"], without["adaptation"]) == ("smollm2", "zero-shot")

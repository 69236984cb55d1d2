"""Beside a hundred and fifty hostile distributions: good ones go on working, what is wrong is told, nothing hangs.

``HOSTILE=1000 HOSTILE_SEED=7 python -m pytest tests/test_hostile.py`` makes more of them, of another seed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hostile
import pytest

COUNT = int(os.environ.get("HOSTILE", "150"))
SEED = int(os.environ.get("HOSTILE_SEED", "0"))
EXAMINED = 16 if COUNT == 150 else COUNT
"""How many with hostile code the doctor imports: each in a process of its own."""
GOOD = """[functory.backbones]
tiny = functory_sdk.testing.tiny:TinyEncoder
[functory.tasks]
toy = functory_sdk.testing.toy:ToyTask
[functory.adaptations]
toy-head = functory_sdk.testing.toy:ToyAdaptation
"""
LIMIT_SECONDS = 240
"""A verb that takes longer hangs; it is no measure of speed."""


@dataclass
class Beside:
    """A machine with one good distribution among hostile ones."""

    folder: Path
    made: list[hostile.Hostile]
    home: Path

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a verb; whatever it prints holds nothing that steers a terminal."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "FUNCTORY_CACHE": str(self.home / "cache")}
        done = subprocess.run(
            [sys.executable, "-m", "functory", *arguments],
            env=environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == code, done.stderr[-3000:]
        for output in (done.stdout, done.stderr):
            assert "Traceback" not in output
            assert "this is a bug" not in output
            assert not steering(output)
        return done


def steering(output: str) -> set[str]:
    """Return the characters of an output that steer a terminal, hide, or are halves of others."""
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    before_numbers = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"  # which are seen
    seen = f"\n\t\u200c\u200d{before_numbers}"
    return {letter for letter in output if unicodedata.category(letter) in kinds and letter not in seen}


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    root = tmp_path_factory.mktemp("hostile")
    folder, home = root / "site", root / "home"
    folder.mkdir()
    home.mkdir()
    hostile.add(folder, "good", None, entries=GOOD)
    code = COUNT // 3
    made = hostile.make(folder, SEED, COUNT - code, code)
    yield Beside(folder, made, home)
    for place in folder.glob("*/*"):
        if place.is_dir() and not place.is_symlink():
            place.chmod(0o700)


def test_every_family_of_hostile_metadata_and_code_is_among_them(beside: Beside) -> None:
    assert len(beside.made) == COUNT
    assert len({one.family for one in beside.made}) > 60


def test_list_shows_the_good_ones_and_names_whose_metadata_cannot_be_read(beside: Beside) -> None:
    done = beside.run("list")
    for name in ("tiny", "toy-head", "zero-shot", "build"):
        assert f"  {name} " in done.stdout
    named = {line.partition(":")[0] for line in done.stderr.splitlines()}
    broken = {one.name for one in beside.made if one.told & {"too-many", "too-large", "malformed-entry", "unknown-kind"}}
    assert broken <= named
    listed = json.loads(beside.run("list", "--json").stdout)
    assert {"good", "functory"} <= {entry["distribution"] for entry in listed}
    assert {"list", "run"} <= {entry["name"] for entry in listed if entry["kind"] == "commands"}


def test_info_tells_a_good_component_and_only_the_error_of_a_hostile_one(beside: Beside) -> None:
    assert beside.run("info", "tiny").stdout.startswith("tiny  (backbone, good 1.0)")
    rogue = next(one.name for one in beside.made if one.family == "an error that cannot be told")
    assert beside.run("info", rogue, code=1).stderr.startswith("PluginImportError: ")


def test_a_function_is_built_run_and_completed_beside_them(beside: Beside) -> None:
    from functory_sdk.testing.toy import rows

    examples = rows(48)
    (beside.home / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in examples))
    parts = ("--task", "toy", "--backbone", "tiny", "--adaptation", "toy-head")
    beside.run("build", *parts, "--train", "rows.jsonl", "--output", "fn", "--quiet")
    assert beside.run("run", "fn", next(iter(examples[0].values()))).stdout.strip()
    assert "toy-head" in beside.run("completion", "bash", "--line", "functory build --adaptation t").stdout


def test_the_doctor_says_of_each_what_is_true(beside: Beside) -> None:
    rogues = [one for one in beside.made if one.name.startswith("rogue-")]
    others = [one for one in beside.made if not one.name.startswith("rogue-")]
    step = max(1, len(rogues) // EXAMINED)
    chosen = [one for one in rogues if not one.is_heavy][SEED % step :: step]
    wanted = [*(one.name for one in chosen), "good"]
    told = json.loads(beside.run("doctor", "--json", "--timeout", "5", *wanted, code=1).stdout)
    for one in chosen:
        check(one, [finding for finding in told["findings"] if finding["distribution"] == one.name])
    assert not [finding for finding in told["findings"] if finding["distribution"] == "good"]
    metadata_only(beside, others)


def metadata_only(beside: Beside, others: list[hostile.Hostile]) -> None:
    """Check what the doctor says of metadata, for which nothing is imported."""
    code = (
        "import json, sys; from dataclasses import asdict; from functory.plugins import doctor\n"
        "print(json.dumps([asdict(one) for one in doctor.from_metadata()]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(beside.folder)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True
    )
    findings = json.loads(done.stdout)
    for one in others:
        check(one, [finding for finding in findings if finding["distribution"] == one.name])


def check(one: hostile.Hostile, findings: list[dict[str, Any]]) -> None:
    """Compare what was found of a distribution with what it does."""
    diagnoses = {finding["diagnosis"] for finding in findings}
    assert not one.told or diagnoses & one.told, (one, diagnoses)
    if one.is_fatal is not None:
        assert any(finding["is_fatal"] for finding in findings) is one.is_fatal, (one, findings)

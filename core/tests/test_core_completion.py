"""Completion: what may follow on a line that is being typed; and bash, completing with the script that is printed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functory.cli import SUMMARIES, main
from functory.cli.completing import candidates
from functory.plugins import registry as plugins


@pytest.fixture
def place(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a saved function, another folder and a file, beside plugins that cannot be imported."""
    site.add("functory-stub", {"tasks": {"stub-task": "Thing"}, "samples": {"stub-rows": "Thing"}}, "1 / 0")
    site.add("functory-one", {"tasks": {"twice": "Thing"}}, "1 / 0")
    site.add("functory-two", {"tasks": {"twice": "Thing"}}, "1 / 0")
    plugins.refresh()
    folder = tmp_path / "place"
    for name in ("sentiment", "other things"):
        (folder / name).mkdir(parents=True)
    (folder / "sentiment" / "function.json").write_text("{}")
    (folder / "reviews.csv").write_text("text\n")
    monkeypatch.chdir(folder)
    return folder


def words(line: str) -> list[str]:
    return [word for word, _ in candidates(line)]


def test_verbs_come_first_with_what_they_do(place: Path) -> None:
    found = dict(candidates("functory "))
    assert {name: found[name] for name in SUMMARIES} == SUMMARIES
    assert words("functory ev") == ["evaluate"]
    assert words("functory --v") == ["--version"]
    assert words("functory nonsense ") == []


def test_options_of_a_verb_and_their_values(place: Path) -> None:
    assert {"--task", "--train", "--quiet", "--json"} <= set(words("functory build --"))
    assert words("functory build --ta") == ["--task"]
    assert {"stub-task", "functory-one:twice", "functory-two:twice"} <= set(words("functory build --task "))
    assert "twice" not in words("functory build --task ")
    assert words("functory build --task=stub") == ["--task=stub-task"]
    assert words("functory build --task stub-task --on-bad-row s") == ["skip", "stop"]
    assert words("functory list --kind read") == ["readers"]
    assert "--line" not in words("functory completion bash --")
    assert words("functory completion ") == ["bash", "fish", "zsh"]


def test_functions_are_folders_that_hold_one_and_folders_lead_on(place: Path) -> None:
    assert words("functory run ") == ["other\\ things/", "sentiment"]
    assert words('functory run "oth') == ["other things/"]
    assert candidates("functory run oth", quotes=False) == [("other things/", "")]
    assert words("functory run sentiment a") == []  # a text is the user's own
    assert words("functory verify --json sen") == ["sentiment"]
    assert words("functory explain --form torch sen") == ["sentiment"]
    assert words(f"functory run {place}/sen") == [f"{place}/sentiment"]
    assert words("functory run nowhere/") == []


def test_samples_are_named_once_their_name_begins_and_files_are_the_shells(place: Path) -> None:
    assert words("functory run sentiment --input ") == words("functory run sentiment --input rev") == []
    assert words("functory run sentiment --input samples:st") == ["samples:stub-rows"]
    assert "samples:stub-rows" in words("functory build --train sam")


def test_the_script_is_printed_plainly_or_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    for shell, sign in (("bash", "complete -o default"), ("zsh", "compdef _functory"), ("fish", "complete -c functory")):
        assert main(["completion", shell]) == 0
        assert sign in (script := capsys.readouterr().out)
        assert main(["completion", shell, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"shell": shell, "script": script}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("functory ver", ["verify"]),
        ("functory run s", ["sentiment"]),
        ("functory run o", ["other\\ things/"]),
        ("functory list --kind sam", ["samples"]),
        ("functory run sentiment --input samples:st", ["stub-rows"]),
        ("functory build --task=stub", ["stub-task"]),
        ("functory run sentiment --input rev", []),
    ],
)
def test_bash_completes(place: Path, site: Any, tmp_path: Path, line: str, expected: list[str]) -> None:
    ask = (
        'eval "$(functory completion bash)"; complete -p functory >/dev/null || exit 9\n'
        f'COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}; _functory functory; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    assert asked(["bash", "--norc", "-c", ask], site, tmp_path) == expected


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("functory ver", [f"verify\t{SUMMARIES['verify']}"]),
        ("functory run o", ["other things/"]),  # it escapes what it inserts
        ("functory run sentiment --input rev", ["reviews.csv"]),
    ],
)
def test_fish_completes(place: Path, site: Any, tmp_path: Path, line: str, expected: list[str]) -> None:
    ask = f"functory completion fish | source; complete -C {line!r}"
    assert asked(["fish", "--no-config", "-c", ask], site, tmp_path) == expected


def asked(command: list[str], site: Any, folder: Path) -> list[str]:
    """Run a shell that knows the program; return the lines that it prints."""
    program = folder / "bin" / "functory"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -m functory \"$@\"\n")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(site.folder), "PATH": path, "HOME": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [word for word in done.stdout.splitlines() if word]


def test_no_name_that_a_shell_would_run_or_that_cannot_be_shown_is_completed_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("x$(id)", "x`id`", "x;id", "x\nid", "x\x1b[2J", "x\u202ee", "x'y", "plain x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "function.json").touch()
    monkeypatch.chdir(tmp_path)
    words = {word for word, _ in candidates("functory run x")}
    assert words == {r"x\$\(id\)", r"x\`id\`", r"x\;id", r"x\'y"}
    assert {word for word, _ in candidates('functory run "x')} == {"x;id"}
    assert {word for word, _ in candidates("functory run x", quotes=False)} == {"x$(id)", "x`id`", "x;id", "x'y"}

"""Every verb prints whole on terminals of every encoding, and what people write by hand is read with its mark."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import functory
from functory.cli import SUMMARIES, main
from functory.machine import configuration
from functory.recipe import Recipe
from functory.terminal.streams import FALLBACKS
from functory_sdk.testing import kit, toy_function
from functory_sdk.testing.toy import rows

ENCODINGS = ("ascii", "cp1252", "cp437", "latin-1", "cp932", "utf-16", "utf-8-sig")
PARTS = ["--task", "toy", "--train", "toy.jsonl", "--backbone", "tiny-encoder", "--adaptation", "toy-head"]
VERBS: dict[str, list[list[str]]] = {
    "build": [[*PARTS, "--output", "built"], ["--task", "φ"]],
    "cache": [[]],
    "compare": [["toy", "toy", "--data", "toy.jsonl"]],
    "completion": [["bash"], ["zsh"], ["fish"]],
    "doctor": [["functory-occlusion"]],
    "evaluate": [["toy", "--data", "toy.jsonl"]],
    "explain": [["toy", "ein guter Film – 新鲜 ❤️"]],
    "info": [["lora"], ["toy"], ["φ"]],
    "list": [[], ["--kind", "tasks"]],
    "new": [["plugin", "--kind", "samples", "--name", "pets", "--output", "pets-{encoding}"]],
    "optimize": [["toy", "--method", "φ", "--output", "fast"]],
    "package": [["toy", "--engine", "φ"]],
    "run": [["toy", "新鲜"], ["toy", "a – b", "φ"], ["toy", "--input", "toy.jsonl"]],
    "verify": [["toy"], ["φ"]],
}
"""Every verb, and what it refuses in words of its own."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a saved function and data for it."""
    folder = tmp_path_factory.mktemp("encodings")
    (folder / "toy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(24)))
    with kit(), pytest.MonkeyPatch.context() as patch:
        toy_function().save(folder / "toy")
        patch.chdir(folder)
        patch.setenv("FUNCTORY_QUIET", "1")
        yield folder


def printed(arguments: list[str], encoding: str) -> tuple[int, str, str]:
    """Return a verb's exit code, and what it prints to stdout and stderr, both strict in one encoding."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding, newline="\n") for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        code = main([one.format(encoding=encoding) for one in arguments])
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode(encoding) for stream in streams)  # type: ignore[attr-defined]
    return code, out, err


def in_ascii(text: str) -> str:
    """Return a text as ASCII has it."""
    return "".join(one if one.isascii() else FALLBACKS.get(one, "?") for one in text)


@pytest.mark.parametrize("verb", [*sorted(SUMMARIES), ""])
def test_a_verb_prints_on_ascii_what_it_prints_on_utf8_with_plain_signs(verb: str, place: Path) -> None:
    for arguments in VERBS[verb] if verb else [[], ["--help"], ["--φ"], ["φ"]]:
        whole = [verb, *arguments] if verb else arguments
        code, out, err = printed(whole, "utf-8")
        again, plain, told = printed(whole, "ascii")
        assert again == code
        assert len(plain.splitlines()) == len(out.splitlines()), whole
        assert len(told.splitlines()) == len(err.splitlines()), whole
        assert "Unicode" not in told, told
        if verb in ("list", "info", "completion", "verify", ""):
            assert (plain, told) == (in_ascii(out), in_ascii(err))
        if verb not in ("completion", "", "new"):
            _, out, _ = printed([*whole, "--json"], "ascii")
            for value in out.splitlines() if verb == "run" else filter(None, [out]):
                json.loads(value)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_printed_in_any_encoding_is_whole(encoding: str, place: Path) -> None:
    for arguments in ([], ["list"], ["info", "lora"], ["run", "toy", "a – b", "φ"], ["evaluate", "toy", "--data", "toy.jsonl"],
                      ["explain", "toy", "a film – φ"], ["verify", "φ"], ["build", "--task", "φ"]):  # fmt: skip
        code, out, err = printed(arguments, "utf-8")
        again, plain, told = printed(arguments, encoding)
        assert again == code
        assert [len(one.splitlines()) for one in (plain, told)] == [len(one.splitlines()) for one in (out, err)]
        assert "Unicode" not in told, told


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_the_whole_program_lists_everything_where_the_terminal_has_only_ascii(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "functory", "list"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = subprocess.run(command, env={**os.environ, "PYTHONUTF8": "1"}, capture_output=True, check=False).stdout.splitlines()
    assert len(done.stdout.splitlines()) == len(lines)
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("term", "columns", "no_color"),
    [("dumb", "80", ""), ("xterm", "0", ""), ("xterm", "-5", ""), ("xterm", "wide", "1"), ("unknown", "30", "1")],
)
def test_any_terminal_gets_every_verb(
    term: str, columns: str, no_color: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functory_sdk.testing import Terminal

    for name, value in {"TERM": term, "COLUMNS": columns, "NO_COLOR": no_color}.items():
        monkeypatch.setenv(name, value)
    data = ["--data", "toy.jsonl"]
    with Terminal() as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal.stream)
        patch.setattr(sys, "stderr", terminal.stream)
        for arguments in (["list"], ["explain", "toy", "a good film"], ["evaluate", "toy", *data], ["run", "toy", "a", "b"]):
            assert main(arguments) == 0
    for words in ("occlusion", "comprehensiveness", "accuracy"):
        assert words in terminal.text, "there is room for words"
    if term in ("dumb", "unknown"):
        assert "\x1b" not in terminal.text
    if no_color:
        assert "38;" not in terminal.text
        assert "\x1b[3" not in terminal.text, "no colour"


# -- what people write by hand ---------------------------------------------------------------------------

RECIPE = 'task = "toy"\r\nbackbone = "tiny-encoder"\r\nadaptation = "toy-head"\r\nname = "größe"\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_recipe_and_a_configuration_are_read_with_their_mark(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "recipe.toml").write_bytes(RECIPE.encode(encoding))
    assert Recipe.make(tmp_path / "recipe.toml").name == "größe"
    (tmp_path / "config.toml").write_bytes('hooks = ["ö"]\n'.encode(encoding))
    monkeypatch.setenv("FUNCTORY_CONFIG", str(tmp_path / "config.toml"))
    assert configuration.hooks() == ("ö",)


@pytest.mark.parametrize(
    "data", [RECIPE.encode("utf-16-le"), b"\xff\xfea", b"name = '\xe9'", b"a = " + b"[" * 100_000, b"\0\0\0"]
)
def test_a_recipe_that_is_no_text_is_refused_in_words(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recipe.toml").write_bytes(data)
    with pytest.raises(functory.errors.RecipeError) as caught:
        Recipe.make(tmp_path / "recipe.toml")
    assert str(tmp_path / "recipe.toml") in caught.value.where
    monkeypatch.setenv("FUNCTORY_CONFIG", str(tmp_path / "recipe.toml"))
    with pytest.raises(functory.errors.UsageError, match="the configuration"):
        configuration.hooks()


def test_the_files_of_a_model_are_read_with_their_mark(tmp_path: Path) -> None:
    from functory_sdk import read_json
    from functory_sdk.signs import chat_template

    (tmp_path / "config.json").write_text('{"a": "é"}', "utf-8-sig")
    assert read_json(tmp_path, "config.json") == {"a": "é"}
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}", "utf-8-sig")
    assert chat_template(tmp_path, {}) == "{{ messages }}"

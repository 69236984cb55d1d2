"""What stands on a terminal fits it, however narrow it is, in scripts of wide characters too; a file has whole lines."""

from __future__ import annotations

import json
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from functory.cli import SUMMARIES, main
from functory.cli.output import print_columns, print_paragraphs, say
from functory.terminal.widths import cut, width, wrapped
from functory_sdk.testing import Terminal, kit, toy_function
from functory_sdk.testing.toy import rows

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
VERBS = {
    "list": ["list"],
    "list of functions": ["list", "."],
    "info": ["info", "text-classification"],
    "info of a function": ["info", "./toy"],
    "verify": ["verify", "toy"],
    "cache": ["cache"],
    "evaluate": ["evaluate", "toy", "--data", "toy.jsonl"],
    "compare": ["compare", "toy", "toy", "--data", "toy.jsonl"],
    "explain": ["explain", "toy", "we saw the good 电影 and the bad night in the rain " * 3],
    "run": ["run", "toy", "--input", "toy.jsonl"],
    "verbs": [],
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a saved function and data for it."""
    place = tmp_path_factory.mktemp("widths")
    (place / "toy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(12, seed=3)))
    with kit():
        toy_function().save(place / "toy")
        yield place


def shown(arguments: list[str], columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines that a verb prints on a terminal of so many columns."""
    with Terminal() as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal.stream)
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("TERM", "xterm")
        patch.setenv("FUNCTORY_QUIET", "1")
        assert main(arguments) == 0
    return COLOURS.sub("", terminal.text).splitlines()


@pytest.mark.parametrize("columns", [44, 80])
@pytest.mark.parametrize("verb", [*VERBS, *(f"{name} --help" for name in SUMMARIES)])
def test_no_line_of_a_verb_is_wider_than_the_terminal(
    verb: str, columns: int, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy)
    lines = shown(VERBS.get(verb, verb.split()), columns, monkeypatch)
    assert lines
    # What is there to be copied stays whole, and so does an option beside its value, which argparse does not break.
    free = [line for line in lines if not re.match(r"  (functory|pip|eval|tail) |sha256 [0-9a-f]{64}$| +\[?--[\w-]+ \S+$", line)]
    assert [line for line in free if width(line) > columns] == []


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 13, ["one two three"]),
        ("电影很好看 ok", 6, ["电影很", "好看", "ok"]),
        ("abcdefghij k", 4, ["abcd", "efgh", "ij k"]),
        ("", 5, [""]),
        ("a\nb", 5, ["a b"]),
        ("电", 1, ["电"]),  # nothing narrower is left of it
    ],
)
def test_a_text_is_broken_at_spaces_and_beside_wide_characters(text: str, room: int, lines: list[str]) -> None:
    assert wrapped(text, room) == lines


def test_rows_and_prose_fit_a_terminal_and_stand_whole_in_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = [("name", "0.1.0", "what it is for, at some length, 也有中文的说明"), ("another-name", "0.1.0", "")]

    def everything() -> None:
        print_columns(table)
        print_paragraphs(table)
        say("  a note that says rather more than what fits into one line of a narrow terminal")

    everything()
    whole = capsys.readouterr().out.splitlines()
    assert whole[:2] == whole[2:4]
    assert whole[0].endswith(table[0][2])
    assert len(whole) == 5
    for columns in (30, 50):
        with Terminal() as terminal, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", terminal.stream)
            patch.setenv("COLUMNS", str(columns))
            everything()
        lines = terminal.text.splitlines()
        assert max(map(width, lines)) <= columns
        assert "也有中文的说明" in terminal.text.replace("\n", "").replace(" ", "")
        assert sum(line.startswith("    ") for line in lines) >= 2  # the note goes on below itself
    assert cut("电影很好看", 7) == "电影很…"


def test_marks_and_joiners_take_no_column_and_are_not_cut_off_from_what_they_stand_on() -> None:
    assert [width(text) for text in ("สวัสดี", "می\u200cخواهم", "e\u0301", "שָׁלוֹם")] == [4, 7, 1, 4]
    assert cut("สวัสดีครับ", 5) == "สวัสดี…"
    assert wrapped("e\u0301" * 5, 2) == ["e\u0301" * 2, "e\u0301" * 2, "e\u0301"]


def test_a_text_of_any_length_is_cut_and_broken_in_a_time_that_grows_with_it_alone() -> None:
    long = "新鲜" * 500_000  # by the square of it, hours
    assert cut(long, 9) == "新鲜新鲜…"
    assert len(wrapped(long[:20_000], 40)) == 1000


def test_prose_fits_the_terminal_that_it_goes_to_while_stdout_leads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    monkeypatch.delenv("COLUMNS", raising=False)
    with Terminal() as terminal:
        fcntl.ioctl(terminal.stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 24, 37, 0, 0))
        say("note: " + "many words " * 12, terminal.stream)
    lines = terminal.text.splitlines()
    assert max(map(len, lines)) <= 37
    assert len(lines) == 5

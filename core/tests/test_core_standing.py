"""Streams that are closed, full or broken off: the exit code says so, stderr says why, and nobody sees a traceback."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")


def shell(command: str, **environment: str) -> tuple[int, str, str]:
    """Run a line of a shell in which `functory` is the command, and `python` this Python; return exit code and output."""
    line = f'functory() {{ "$PYTHON" -m functory "$@"; }}; python() {{ "$PYTHON" "$@"; }}; {command}'
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env={**os.environ, "PYTHON": sys.executable, **environment},
        timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("verb", ["--version", "--help", "list --kind tasks --json", "cache --help"])
@pytest.mark.parametrize(
    ("where", "why"), [pytest.param(">/dev/full", "no room is left on the disk", marks=FULL), (">&-", "it is closed")]
)
def test_what_stdout_does_not_take_is_an_error_on_stderr(verb: str, where: str, why: str) -> None:
    code, _, err = shell(f"functory {verb} {where}")
    assert code == 1
    assert f"StorageError: stdout cannot be written: {why}.\n" in err
    assert err.count("StorageError") == 1
    assert "do:    lead stdout elsewhere." in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize(
    "where", [pytest.param(">/dev/full", marks=FULL), ">&-", pytest.param("2>/dev/full >/dev/full", marks=FULL), "2>&- >&-"]
)
@pytest.mark.parametrize("verb", ["info none-such", "info none-such --json", "none-such"])
def test_an_error_keeps_its_exit_code_and_is_told_on_stderr_whatever_stdout_is(verb: str, where: str) -> None:
    code, _, err = shell(f"functory {verb} {where}")
    assert code == shell(f"functory {verb}")[0]
    assert code in (1, 2)
    assert ("none-such" in err) == ("2>" not in where)
    assert "Traceback" not in err
    assert "stdout" not in err, "that stdout is bad is not what was asked"


@pytest.mark.parametrize("where", [pytest.param("2>/dev/full", marks=FULL), "2>&-", "<&-", "<&- 2>&-"])
def test_a_bad_stderr_or_stdin_costs_nothing(where: str) -> None:
    assert shell(f"functory list --kind tasks {where}") == shell("functory list --kind tasks")
    assert shell(f"functory --version {where}")[0] == 0


def test_an_error_in_json_is_on_stdout_where_stderr_is_closed() -> None:
    code, out, err = shell("functory info none-such --json 2>&-")
    assert (code, err) == (2, "")
    assert '"what": ' in out


@pytest.mark.parametrize("verb", ["--version", "list", "info none-such --json"])
def test_a_reader_that_has_had_enough_ends_a_verb_in_silence(verb: str) -> None:
    for reader in ("true", "head -c 1"):
        _, out, err = shell(f"{{ functory {verb}; echo code=$? >&2; }} | {{ sleep 0.01; {reader} >/dev/null; }}")
        assert out == ""
        assert err.splitlines()[-1] in ("code=0", "code=141", "code=2")
        assert "Traceback" not in err
        assert "Exception ignored" not in err
    _, _, err = shell("{ sleep 0.3; functory list; echo code=$? >&2; } | true")
    assert err == "code=141\n"


def test_what_is_opened_never_gets_the_number_of_a_stream_that_is_closed() -> None:
    code = (
        "import functory.cli as cli, os; "
        "cli._main = lambda arguments: int(os.open(os.devnull, os.O_RDONLY) < 3); "
        "raise SystemExit(cli.main([]))"
    )
    for where in ("<&- >&- 2>&-", ">&- 2>&-", "2>&-", "<&-"):
        assert shell(f'python -c "{code}" {where}')[0] == 0, where


def test_a_prompt_without_stdin_says_that_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    code, _, err = shell("functory cache clear <&-", FUNCTORY_CACHE=str(tmp_path))
    assert code == 2
    assert "there is no terminal to ask on" in err


@pytest.mark.parametrize(
    ("columns", "lines"), [("0", "0"), ("abc", "abc"), ("-5", "²"), ("1", "1"), ("", ""), ("9" * 12, "9" * 12), ("²", "0")]
)
def test_whatever_columns_and_lines_say_verbs_print_on_a_terminal(columns: str, lines: str) -> None:
    import threading

    ours, theirs = pty.openpty()
    taken: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(ours, 65536):
                taken.append(piece)
        except OSError:  # the terminal is gone
            return

    reader = threading.Thread(target=read)
    reader.start()
    code = (
        "import sys; from functory.cli import main; from functory.terminal import show, table; "
        "main(['list', '--kind', 'tasks', '--help']); main(['list', '--kind', 'readers']); "
        "show(table(['word', 'b'], [['1', '2']]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=theirs, stderr=subprocess.PIPE, stdin=theirs, text=True, check=False,
        env={**os.environ, "COLUMNS": columns, "LINES": lines, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    reader.join()
    os.close(ours)
    said = b"".join(taken).decode()
    assert (done.returncode, done.stderr) == (0, "")
    assert "csv" in said or columns == "1"
    assert "word" in said or columns == "1"


@pytest.mark.parametrize("where", ["<&-", "<&- >&-"])
def test_a_run_without_texts_and_without_stdin_says_so_before_it_opens_anything(where: str) -> None:
    code, _, err = shell(f"functory run none-such {where}")
    assert code == 2
    assert err == "UsageError: there is nothing to run on: stdin is closed.\n  do:    give texts, or --input.\n"


def test_what_is_started_from_here_finds_no_stream_closed() -> None:
    code = (
        "import functory.cli as cli, subprocess, sys; "
        "inner = 'import os; [os.fstat(number) for number in range(3)]'; "
        "cli._main = lambda arguments: subprocess.run([sys.executable, '-c', inner]).returncode; raise SystemExit(cli.main([]))"
    )
    assert shell(f'python -c "{code}" <&- >&- 2>&-')[0] == 0


@pytest.mark.parametrize("held", ["sys.stdout", "sys.stderr"])
def test_a_library_that_keeps_a_verbs_stream_for_its_logging_fails_on_it_nowhere(tmp_path: Path, held: str) -> None:
    """As NNCF's logging does: it flushes at the interpreter's end what it took for stdout within a verb."""
    (tmp_path / "late.py").write_text(
        "import logging, sys\n"
        "from functory.cli.standing import standing\n"
        "def work():\n"
        f"    logging.getLogger('late').addHandler(logging.StreamHandler({held}))\n"
        "    print('a result')\n"
        "    return 0\n"
        "code = standing(work)\n"
        "logging.getLogger('late').warning('said too late')\n"
        "sys.exit(code)\n"
    )
    code, out, err = shell(f"python {tmp_path / 'late.py'}")
    assert (code, out) == (0, "a result\n")
    assert err in ("", "said too late\n")

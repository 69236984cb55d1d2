"""Bars and lines: how far work is, how long it will take, and that nobody's output is lost for them."""

from __future__ import annotations

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from functory.terminal import progress
from functory.terminal.bars import LINE_SECONDS, Progress, _Bar, _Lines
from functory.terminal.pace import Pace
from functory_sdk.testing import Terminal as PseudoTerminal
from functory_sdk.testing import screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def speaking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("FUNCTORY_QUIET", raising=False)


def test_progress_on_a_terminal_is_a_bar_and_nested_bars_live_together() -> None:
    stream = Terminal()
    for _ in progress(range(3), "outer [red]", stream=stream):
        assert sum(progress(range(4), "inner", stream=stream)) == 6
    drawn = stream.getvalue()
    assert "outer [red]" in drawn
    assert "inner" in drawn
    assert screen(drawn) == ""


def test_progress_elsewhere_is_a_line_now_and_then_and_one_at_the_end() -> None:
    stream, now = io.StringIO(), [0.0]
    work: Progress[int] = Progress(None, 100, _Lines("encoding", 100, stream, clock=lambda: now[0]))
    with work:
        for _ in range(100):
            now[0] += 0.3
            work.advance()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "encoding: 34 of 100 (34%), 10 s, about 20 s left"
    assert lines[-1] == "encoding: 100 in 30 s"
    assert len(lines) == 30 // LINE_SECONDS


def test_progress_guesses_nothing_from_a_first_step() -> None:
    stream, now = io.StringIO(), [0.0]
    with Progress[int](None, 1343, _Lines("tags", 1343, stream, clock=lambda: now[0])) as work:
        now[0] += 22
        work.advance()
    assert stream.getvalue().splitlines()[0] == "tags: 1 of 1,343 (0%), 22 s"


@pytest.mark.parametrize("quiet", [True, None])
def test_progress_is_silent_when_asked_to_be(quiet: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNCTORY_QUIET", "1")
    stream = Terminal()
    assert list(progress(iter("abc"), "work", quiet=quiet, stream=stream)) == ["a", "b", "c"]
    assert stream.getvalue() == ""


def test_a_bar_is_cleared_when_work_is_broken_off() -> None:
    stream = Terminal()

    def break_off() -> None:
        with progress(10, "work", stream=stream, quiet=False) as bar:
            bar.advance()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert "work" in stream.getvalue()
    assert screen(stream.getvalue()) == ""
    with progress(1, "again", stream=stream, quiet=False) as bar:  # the shared display was given back
        bar.advance()


def test_a_bar_leaves_a_redirected_stdout_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with PseudoTerminal() as terminal, (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stderr", terminal.stream)
        monkeypatch.setattr(sys, "stdout", out)
        for n in progress(range(300), "work"):
            print(f"result {n}")
            assert sys.stdout is out
        assert sys.stderr is terminal.stream
    assert (tmp_path / "out").read_text() == "".join(f"result {n}\n" for n in range(300))
    assert "work" in terminal.text
    assert "result" not in terminal.text


def test_lines_printed_to_the_terminal_of_a_bar_stand_whole_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "a line of " + "many " * 30 + "words"
    with PseudoTerminal() as terminal:
        monkeypatch.setattr(sys, "stderr", terminal.stream)
        monkeypatch.setattr(sys, "stdout", terminal.stream)
        with progress(3, "outer") as outer:
            for n in progress(range(3), "inner"):
                print("result", n, end="")
                print(":", long)
                print("a warning", file=sys.stderr)
                outer.advance()
        print("done", flush=True)
    printed = [f"result {n}: {long}\na warning" for n in range(3)]
    assert terminal.screen() == "\n".join([*printed, "done"])
    assert terminal.text.count("outer") > 3  # it came back below each line


def test_an_unfinished_line_is_not_drawn_over(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    with progress(2, "work") as bar:
        print("name? ", end="", flush=True)
        bar.advance()
        assert screen(stream.getvalue()) == "name?"
        print("Ada")
        assert screen(stream.getvalue()).startswith("name? Ada\nwork")
    assert screen(stream.getvalue()) == "name? Ada"


def test_bars_of_many_threads_share_one_terminal_and_leave_it_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)

    def work(number: int) -> None:
        for n in range(20):
            for _ in progress(range(2), f"work {number}"):
                sys.stdout.write(f"line {number} {n}\n")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert sys.stdout is stream
    assert sorted(screen(stream.getvalue()).splitlines()) == sorted(
        f"line {k} {n}" for k in range(8) for n in range(20) for _ in "ab"
    )


def test_a_stream_kept_from_the_time_of_a_bar_still_writes_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    with progress(1, "work"):
        kept = sys.stdout
    assert sys.stdout is stream
    print("later", file=kept)
    assert screen(stream.getvalue()) == "later"


@pytest.mark.parametrize("name", ["\u65b0\u95fb" * 60, "two\nlines", "\x1b[2Jclear"])
def test_a_name_neither_steers_the_terminal_nor_breaks_the_bar(name: str) -> None:
    stream = Terminal()
    with progress(3, name, stream=stream):
        assert "\n" not in stream.getvalue()
        assert "\x1b[2J" not in stream.getvalue()
    assert screen(stream.getvalue()) == ""


def test_a_note_stands_beside_the_count() -> None:
    stream = Terminal()
    with progress(10, "training", stream=stream) as bar:
        bar.say("loss 0.31")
        with progress(1, "inner", stream=stream):
            assert "loss 0.31" in screen(stream.getvalue())


def test_a_bar_whose_steps_are_done_tells_the_time_and_no_rest() -> None:
    now = [0.0]
    bar = _Bar("training", 4, Terminal(), clock=lambda: now[0])
    for done in (1, 2, 3, 4):
        now[0] += 2
        bar.pace.mark(now[0], done)
        bar.done = done
    assert bar.line(80).endswith("  4/4  8.0 s")
    assert bar._line(4, 8.0) == "training: 4 of 4 (100%), 8.0 s"
    bar.total = 5
    assert bar.line(80).endswith("left")
    assert bar._line(4, 8.0).endswith("left")


def test_time_left_follows_what_was_measured_last() -> None:
    pace = Pace()
    assert pace.left(30, 100) is None
    pace.mark(30, 1)  # the first step loaded a model
    assert pace.left(30, 100) is None
    for n in range(1, 30):
        pace.mark(30 + n, 1 + n)
    assert pace.left(59, 100) == pytest.approx(70)  # one second a step
    for n in range(1, 30):
        pace.mark(59 + 3 * n, 30 + n)
    assert pace.left(146, 100) == pytest.approx(41 * 3, rel=0.05)  # three, of late


def test_time_left_grows_while_a_step_is_late() -> None:
    pace = Pace()
    for n in range(11):
        pace.mark(n, n)
    on_time, late, later = (pace.left(now, 20) for now in (10.5, 20, 40))
    assert on_time == pytest.approx(9.5)
    assert on_time is not None
    assert late is not None
    assert later is not None
    assert on_time < late < later


def test_progress_off_a_terminal_does_not_import_rich() -> None:
    code = (
        "import sys; from functory.terminal import progress; list(progress([1, 2], 'w')); "
        "print('rich' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("False False", "")

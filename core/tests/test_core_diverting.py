"""What a diverted thread prints goes elsewhere; other threads, handlers and whoever captures meanwhile keep their streams."""

from __future__ import annotations

import io
import logging
import sys
from contextlib import redirect_stdout
from threading import Barrier, Thread

import pytest

from functory.terminal.diverting import diverted


def test_threads_that_are_diverted_one_over_the_other_print_each_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    stdout, places, step = sys.stdout, {"a": io.StringIO(), "b": io.StringIO()}, Barrier(3, timeout=60)

    def one(name: str, first_out: bool) -> None:
        with diverted(places[name]):
            step.wait()
            print(name, "within")
            if first_out:
                step.wait()
        if not first_out:
            step.wait()
        print(name, "after")

    threads = [Thread(target=one, args=("a", False)), Thread(target=one, args=("b", True))]
    for thread in threads:
        thread.start()
    step.wait()
    print("the main thread")
    step.wait()
    for thread in threads:
        thread.join()
    assert sys.stdout is stdout
    assert {name: place.getvalue() for name, place in places.items()} == {"a": "a within\n", "b": "b within\n"}
    assert sorted(capsys.readouterr().out.splitlines()) == ["a after", "b after", "the main thread"]


def test_a_handler_made_while_diverted_writes_to_stdout_afterwards_and_elsewhere_when_diverted_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = logging.Logger("acme")
    with diverted():
        log.addHandler(logging.StreamHandler(sys.stdout))
        log.warning("first")
    log.warning("between")
    with diverted():
        log.warning("again")
    assert capsys.readouterr() == ("between\n", "first\nagain\n")


def test_who_captures_within_has_what_is_printed_and_the_innermost_place_wins(capsys: pytest.CaptureFixture[str]) -> None:
    stdout, captured, inner = sys.stdout, io.StringIO(), io.StringIO()
    with diverted():
        with redirect_stdout(captured):
            print("captured")
            with diverted(inner):
                print("inner")
            print("captured again")
        print("outer")
    assert sys.stdout is stdout
    assert (captured.getvalue(), inner.getvalue()) == ("captured\ncaptured again\n", "inner\n")
    assert capsys.readouterr() == ("", "outer\n")


def test_where_there_is_no_stderr_nothing_is_printed_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with diverted():
        print("nowhere")

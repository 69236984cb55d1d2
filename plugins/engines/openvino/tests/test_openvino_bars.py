"""What a converter draws meanwhile neither stands among the results nor takes others' output along."""

from __future__ import annotations

import sys
from threading import Thread

import pytest

rich = pytest.importorskip("rich")
convert = pytest.importorskip("functory_openvino.convert")


def test_the_converters_bars_are_not_seen_and_what_other_threads_print_is(capsys: pytest.CaptureFixture[str]) -> None:
    stdout = sys.stdout
    with convert._without_bars():
        rich.get_console().print("a bar")
        other = Thread(target=print, args=("a result",))
        other.start()
        other.join()
        assert sys.stdout is stdout
    rich.get_console().print("later")
    assert capsys.readouterr().out == "a result\nlater\n"

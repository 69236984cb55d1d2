"""Nothing phones home: what the tour does, done without a network, with everything that it tried to reach told."""

from __future__ import annotations

import csv
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from alone import Alone, alone, has_namespaces

from functory.data import read

FUNCTORY = Path(sys.executable).with_name("functory")
TEXT = "A small movie with a big impact."
FONTS = ".cache/matplotlib/"
"""A list of the machine's fonts, which captum brings about by what it imports; it tells nothing of the user."""


def silent(done: Alone) -> str:
    """Return what a program printed that came out well, reached for nothing, and left nothing in the user's home.

    What fails at the interpreter's very end, with an exit code of 0, is no good end either.
    """
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    assert not done.tried, "\n".join(done.tried)
    assert not [file for file in done.left if not file.startswith(FONTS)]
    return done.output


@pytest.mark.parametrize(
    "code",
    [
        "import socket\ntry: socket.create_connection(('203.0.113.1', 443), 2)\nexcept OSError: pass",
        "import socket\ntry: socket.getaddrinfo('functory.invalid', 443)\nexcept OSError: pass",
        "import socket\ntry: socket.socket(2, 2).sendto(b'x', ('203.0.113.1', 53))\nexcept OSError: pass",
    ],
    ids=["an address", "a name", "a datagram"],
)
def test_an_attempt_is_seen_whoever_makes_it(tmp_path: Path, code: str) -> None:
    done = alone([sys.executable, "-c", code], tmp_path)
    assert done.code == 0, done.output
    assert any("<string>" in line for line in done.tried)
    assert not has_namespaces() or any("the kernel counted" in line for line in done.tried)


@pytest.mark.skipif(not has_namespaces(), reason="the system gives no network namespaces")
def test_an_attempt_of_another_language_is_seen_too(tmp_path: Path) -> None:
    code = "import os; os.execvp('bash', ['bash', '-c', 'exec 3<>/dev/udp/203.0.113.1/53 || true'])"
    done = alone([sys.executable, "-c", code], tmp_path)
    assert [line for line in done.tried if "the kernel counted" in line]


@pytest.mark.parametrize("library", ["openvino", "onnxruntime", "nncf"])
def test_a_library_that_comes_after_a_plugin_tells_its_maker_nothing(tmp_path: Path, library: str) -> None:
    if not find_spec(library):
        pytest.skip(f"needs {library}")
    code = f"from functory.plugins.registry import load; load('engines', 'torch')\nimport {library}"
    silent(alone([sys.executable, "-c", code], tmp_path))


@pytest.mark.skipif(not find_spec("openvino_telemetry"), reason="needs openvino-telemetry")
def test_a_library_that_came_before_is_silent_from_then_on(tmp_path: Path) -> None:
    code = """
import openvino, onnxruntime, openvino_telemetry
from functory.plugins.registry import load
consented = openvino_telemetry.Telemetry().consent
load("engines", "torch")
print(consented, openvino_telemetry.Telemetry().consent)
"""
    assert "True False" in alone([sys.executable, "-c", code], tmp_path).output


def test_what_the_user_has_set_stays(tmp_path: Path) -> None:
    code = """
import os
from functory.plugins.registry import load
load("engines", "torch")
print(os.environ["DO_NOT_TRACK"], os.environ["ORT_DISABLE_TELEMETRY"])
"""
    assert "0 1" in alone([sys.executable, "-c", code], tmp_path, {"DO_NOT_TRACK": "0"}).output


def test_a_new_plugin_leaves_nothing_in_the_users_home(tmp_path: Path) -> None:
    if not find_spec("cookiecutter"):
        pytest.skip("needs cookiecutter")
    silent(alone([FUNCTORY, "new", "plugin", "--kind", "tasks", "--name", "mine"], tmp_path))


@pytest.mark.slow
def test_the_tour_reaches_for_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    rows = [record.values for record in read("samples:rotten-tomatoes")]
    for name, side in {"train.csv": rows[:300], "test.csv": rows[300:400]}.items():
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["text", "label"], *([row["text"], row["label"]] for row in side)])

    def functory(*arguments: str) -> str:
        return silent(alone([FUNCTORY, *arguments], tmp_path))

    functory("list")
    functory("doctor")
    functory("build", "--task", "text-classification", "--train", "train.csv", "--test", "test.csv", "--adaptation",
            "head", "--output", "sentiment")  # fmt: skip
    functory("run", "sentiment", TEXT)
    functory("explain", "sentiment", TEXT, "--method", "integrated-gradients", "--html", "why.html")
    functory("optimize", "sentiment", "--data", "test.csv", "--output", "fast")
    functory("verify", "fast")
    functory("evaluate", "fast", "--data", "test.csv", "--html", "report.html")
    functory("package", "fast", "--name", "my-sentiment", "--output", "wheels")

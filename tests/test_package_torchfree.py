"""A self-contained function in an environment of its own: installed by pip from wheels, called where there is no torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from alone import alone

import functory
from functory.function import Function
from functory.plugins import registry as plugins
from functory.using.packaging import package
from functory_sdk.testing import converted, kit

ROOT = Path(__file__).resolve().parent.parent
TEXT = "A small movie with a big impact."
SIBLINGS = (
    "core", "sdk", "plugins/tasks/text-classification", "plugins/tasks/text-pair", "plugins/tasks/text-generation",
    "plugins/tasks/text-to-text", "plugins/explanations/occlusion",
)  # fmt: skip
PAIR = ("the good film", "a bad day")


@pytest.fixture(scope="module")
def engines() -> list[str]:
    """The installed engines that have a form of their own."""
    found = [entry.name for entry in plugins.entries("engines") if entry.name in ("openvino", "onnxruntime")]
    if not found:
        pytest.skip("needs functory-openvino or functory-onnxruntime")
    return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Function:
    """A cross-encoder of pairs, whose texts meet in one row."""
    rows = [{"first": f"the {one} was good", "second": f"a bad {other}", "label": "same" if one == other else "different"}
            for one in ("film", "book", "day") for other in ("film", "book", "day")]  # fmt: skip
    with kit():
        return functory.build(
            task={"name": "text-pair", "symmetric": True}, train=rows * 3, backbone="tiny-encoder",
            adaptation={"name": "lora", "epochs": 1}, put="features", dev_share=0, test_share=0, report=False, name="pair",
        )  # fmt: skip


@pytest.fixture(scope="module")
def write(engines: list[str]) -> Function:
    """A function that writes, on a tiny decoder, as the engine that writes without torch has it."""
    if "openvino" not in engines:
        pytest.skip("needs functory-openvino")
    with kit():
        return functory.build(task={"name": "text-generation", "max_new_tokens": 8}, backbone="tiny-decoder", name="write")


@pytest.fixture(scope="module")
def restate(engines: list[str]) -> Function:
    """A function that writes after sources, in whole numbers as `optimize` chose it."""
    if "openvino" not in engines:
        pytest.skip("needs functory-openvino")
    texts = [f"we saw the {what} and it was {how}" for what in ("sun", "rain", "film", "book") for how in ("good", "bad", "fine")]
    with kit():
        whole = functory.build(
            task={"name": "text-to-text", "instruction": "say it again:", "max_new_tokens": 8}, backbone="tiny-encoder-decoder",
            name="restate",
        )  # fmt: skip
        rows = [{"input": one, "output": whole(one).text} for one in texts]
        quick = {"rounds": 1, "threads": [1], "probe_inputs": 4}
        with pytest.MonkeyPatch.context() as patch:  # how fast a tiny one is says nothing
            patch.setattr("functory_int8.probing._judge", lambda report, before, options: report)
            return whole.optimize("int8", rows, engines=["openvino"], precisions=["int8"], max_drop=0.3, **quick)


def saved(function: Function, engine: str, folder: Path, precision: str = "fp32") -> Path:
    """Save the function as an engine has it."""
    files = folder / f"{engine}-{function.name}-files"
    return converted(function, files, engine=engine, precision=precision).save(folder / f"{engine}-{function.name}")


def run(command: Sequence[str | Path], place: Path, **extra: str) -> str:
    """Run a command as a stranger would: outside the tree, with a cache of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        command, cwd=place, env={**kept, "FUNCTORY_CACHE": str(place / "cache"), **extra},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_self_contained_wheel_runs_in_an_environment_without_torch(
    sentiment: Path, pair: Function, write: Function, restate: Function, engines: list[str], tmp_path: Path
) -> None:
    function = functory.load(sentiment)
    first, *others = [saved(function, engine, tmp_path) for engine in engines]
    wheels = tmp_path / "wheels"
    package(first, "my-sentiment", wheels, also=others)
    package(saved(pair, engines[0], tmp_path, "int8"), "my-pair", wheels)
    package(saved(write, "openvino", tmp_path), "my-writer", wheels)
    package(restate.save(tmp_path / "restate"), "my-restater", wheels)
    folders = [ROOT / folder for folder in (*SIBLINGS, *(f"plugins/engines/{engine}" for engine in engines))]
    run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", wheels, *folders],
        tmp_path,
    )
    run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], tmp_path)
    there = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "--python", there / "python", "install"]
    # Every wheel of ours by its file: no distribution of the same name elsewhere can come in its place.
    bound = ["--only-binary", ":all:", "-c", ROOT / "constraints.txt"]
    run([*pip, *bound, *sorted(wheels.glob("*.whl"))], tmp_path)

    code = f"""
import importlib.util, sys
for name in ("torch", "transformers", "functory_torch", "functory_minilm", "functory_head", "functory_wheel"):
    assert importlib.util.find_spec(name) is None, name
from my_sentiment import my_sentiment
import functory
assert my_sentiment({TEXT!r}) == functory.load("my-sentiment")({TEXT!r})
from my_pair import my_pair
assert my_pair(*{PAIR!r}) == my_pair(*{PAIR[::-1]!r}), "the order says nothing"
assert abs(my_pair(*{PAIR!r}).scores["same"] - {pair(*PAIR).scores["same"]}) < 0.1
assert "int8" in my_pair.form.name
from my_writer import my_writer
assert my_writer({TEXT!r}).text == {write(TEXT).text!r}
assert my_writer.using(guide=["yes", "no"])({TEXT!r}).text in ("yes", "no")
assert "".join(my_writer.stream({TEXT!r})) == my_writer({TEXT!r}).text
from my_restater import my_restater
assert my_restater({TEXT!r}).text == {restate(TEXT).text!r}
assert my_restater.using(beams=3)({TEXT!r}).text == {restate.using(beams=3)(TEXT).text!r}
assert "openvino int8" in my_restater.form.name
assert not {{"torch", "transformers"}} & sys.modules.keys()
print(my_sentiment({TEXT!r}).label, my_sentiment.form.name)
"""
    def quietly(*command: str | Path) -> str:
        """Run a command of the environment without a network; it reaches for nothing."""
        done = alone(command, tmp_path, {"FUNCTORY_CACHE": str(tmp_path / "cache"), "PYTHONPATH": ""})
        assert done.code == 0, done.output
        assert not done.tried, "\n".join(done.tried)
        assert not done.left
        return done.output

    label, form = quietly(there / "python", "-c", code).split(maxsplit=1)
    assert label == function(TEXT).label
    assert form.split()[0] in engines
    assert label in quietly(there / "functory", "run", "my-sentiment", TEXT)
    assert "come out the same" in quietly(there / "functory", "verify", "my-sentiment")
    assert "come out the same" in quietly(there / "functory", "verify", "my-pair")
    why = json.loads(quietly(there / "functory", "explain", "my-pair", *PAIR, "--json"))["pieces"]
    assert [PAIR[piece["field"] == "second"][piece["start"] : piece["end"]] for piece in why] == " ".join(PAIR).split()
    size = sum(
        file.stat().st_size for file in (tmp_path / "venv").rglob("*") if file.is_file() and not file.is_symlink()
    )
    print(
        f"the torch-free environment: {size / 1e6:,.0f} MB; the wheel: {next(wheels.glob('my_*')).stat().st_size / 1e6:.1f} MB"
    )
    assert size < 1e9, "something large came along"

"""The client that `functory client` writes: typed, with the labels as Literals, and of use without functory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import functory
from functory.cli import main
from functory_remote.card import Card
from functory_remote.client import source
from functory_remote.place import place_of
from functory_sdk import Function, UsageError, card
from functory_sdk.testing import CommandSuite

TEXT = "we saw the good film"
USE = """
from typing import Any

from my_client import FunctionError, story, toy

out = toy({text!r})
print(out["label"], [one["label"] for one in toy.map([{text!r}] * 130)] == [out["label"]] * 130)
label = out["label"]
if label == "yes":
    print(out["scores"]["yes"])
print("".join(story.stream("we saw")) == story("we saw")["text"])
try:
    toy("")
    wrong: Any = {{"nonsense": 1}}
    next(toy.map([wrong]))
except FunctionError as error:
    print(error.status, error.error)
"""


class TestClient(CommandSuite):
    component = "client"


@pytest.fixture(scope="module")
def written(toy: Function, serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    story = functory.build(task="text-generation", backbone="tiny-decoder", name="story", max_new_tokens=8)
    folder = tmp_path_factory.mktemp("client")
    with serve({"toy": toy, "story": story}) as (url, _):
        assert main(["client", url, "--output", str(folder / "my_client.py")]) == 0
        yield folder


def test_it_is_of_use_in_a_python_that_has_nothing_else(written: Path, toy: Function) -> None:
    (written / "use.py").write_text(USE.format(text=TEXT))
    done = subprocess.run([sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, '.'); import use"],
                          cwd=written, capture_output=True, text=True, check=True)  # fmt: skip
    label, score, told, error = done.stdout.splitlines()
    assert label == f"{toy(TEXT).label} True"
    assert float(score) == toy(TEXT).scores["yes"]
    assert (told, error) == ("True", "422 InputError")


@pytest.mark.slow
def test_it_passes_the_strictest_type_check_and_a_misspelt_label_does_not(written: Path) -> None:
    (written / "use.py").write_text(USE.format(text=TEXT))
    (written / "wrong.py").write_text("from my_client import toy\n\nif toy('a')['label'] == 'yess':\n    print()\ntoy(3)\n")

    def check(*names: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(written / "cache"), *names]
        done = subprocess.run(command, cwd=written, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    assert check("my_client.py", "use.py") == (0, "Success: no issues found in 2 source files\n")
    code, told = check("wrong.py")
    assert code == 1
    assert "comparison-overlap" in told
    assert "arg-type" in told


def test_every_kind_of_schema_becomes_a_module_that_python_reads(toy: Function) -> None:
    from functory_sdk import load

    told = json.loads(json.dumps(card("toy", toy)))
    for name in ("text-classification", "ner", "ranking", "decision", "extract", "controlled-generation", "question-answering"):
        task = load("tasks", name).configure()
        state = task.State.model_validate({"labels": ("for", "b\"\n", "価格")} if "labels" in task.State.model_fields else {})
        own = {"input": task.Input.model_json_schema(), "output": task.output_schema(state), "shorthand": task.shorthand}
        module = ModuleType("made")
        code = source(place_of("http://h/x"), [Card.model_validate({**told, "name": name, "signature": own})])
        exec(compile(code, name, "exec"), module.__dict__)
        assert hasattr(module, name.replace("-", "_"))


def test_names_that_python_does_not_take_are_refused(toy: Function) -> None:
    told = json.loads(json.dumps(card("toy", toy)))
    for names in (["class"], ["a-b", "a.b"], ["2nd"]):
        with pytest.raises(UsageError, match="in Python"):
            source(place_of("http://h/x"), [Card.model_validate({**told, "name": name}) for name in names])

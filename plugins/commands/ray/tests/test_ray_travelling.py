"""What needs no cluster: a function on its way, and what is said where Ray is not installed."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import pytest

import functory_ray
from functory_ray.mapping import Worker
from functory_ray.travelling import arrived, travelling
from functory_sdk import ArtefactCorrupt, Function, InputError, NotSupported
from functory_sdk.testing import CommandSuite


class TestRay(CommandSuite):
    component = "ray"


def test_a_function_arrives_as_it_was_sent_or_not_at_all(mood: Function, folder: Path) -> None:
    sent = travelling(folder)
    assert sent.sha256
    assert arrived(sent, 1)("the good book") == mood("the good book")
    assert arrived(travelling(mood), 1)("the bad day") == mood("the bad day")
    name = next(path for path in sent.files if path.endswith(".onnx"))
    with pytest.raises(ArtefactCorrupt, match="the manifest says"):
        arrived(dataclasses.replace(sent, files={**sent.files, name: sent.files[name] + b"x"}), 1)
    assert travelling("my-mood").reference == "my-mood"
    assert travelling("http://127.0.0.1:1/mood").reference == "http://127.0.0.1:1/mood"


def test_a_batch_keeps_its_columns_and_tells_of_rows_that_are_refused(mood: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    def worker(on_bad_row: str, columns: dict[str, str] | None = None) -> Worker:
        found = Worker.__new__(Worker)
        found._function, found._columns, found._output, found._keeps = mood, columns, "mood", on_bad_row == "keep"
        return found

    batch = {"id": [1, 2, 3], "said": ["the good book", None, "the bad day"]}
    made = worker("keep", {"text": "said"})(batch)
    assert made["mood"].tolist() == [mood("the good book").json(), None, mood("the bad day").json()]
    assert ["text" in one for one in made["error"]] == [False, True, False]
    assert made["id"] == [1, 2, 3]
    with pytest.raises(InputError, match="text"):
        worker("stop", {"text": "said"})(batch)
    assert worker("stop")({"text": ["the good book"]})["mood"].tolist() == [mood("the good book").json()]


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_the_line_that_brings_it_is_told(folder: Path) -> None:
    for ask in (lambda: functory_ray.map(folder, None), lambda: functory_ray.application({"mood": folder})):
        with pytest.raises(NotSupported, match="Ray with its part") as caught:
            ask()
        assert caught.value.do == 'pip install "ray[data,serve]", in the version of your cluster.'

"""A function that writes: what forms it is tried in, what is kept, and that what is kept writes the same once it was saved."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("openvino")

import functory
from functory_int8 import probing
from functory_sdk import ArtefactCorrupt, Function, Input, WriteOptions, WriteTask
from functory_sdk.testing import kit, registered

QUICK = {"probe_inputs": 4, "rounds": 1, "threads": (1,), "precisions": ("fp32",), "engines": ("openvino", "onnxruntime")}
ROWS = [{"text": f"we saw the {what}", "reference": "good"} for what in ("sun", "rain", "film", "book", "day", "night")] * 2
PROMPTS = ["we saw", "", "the night was 价格合理"]


class Asked(Input):
    """A prompt."""

    text: str


class Referenced(Asked):
    """A prompt with its text."""

    reference: str


class Story(WriteTask[WriteOptions]):
    """Writes."""

    Input = Asked
    Example = Referenced


@pytest.fixture(scope="module")
def write() -> Iterator[Function]:
    with kit(), registered("tasks", "story", Story):
        yield functory.build(task={"name": "story", "max_new_tokens": 6}, backbone="tiny-decoder")


@pytest.fixture(scope="module")
def fast(write: Function) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probing, "_judge", lambda report, before, options: report)  # how fast it is here says nothing
        return write.optimize("int8", ROWS, **QUICK)


def test_a_form_that_writes_is_measured_and_kept_and_engines_that_write_nothing_are_named(write: Function, fast: Any) -> None:
    assert fast.optimization.kept == fast.form.name == "openvino fp32"
    assert "onnxruntime fp32 was set aside: the onnxruntime engine cannot write generate programs" in fast.optimization.reason
    assert [one.text for one in fast.map(PROMPTS)] == [one.text for one in write.map(PROMPTS)]


def test_what_is_kept_is_saved_without_the_backbone_and_writes_on(fast: Any, tmp_path: Path) -> None:
    fast.save(tmp_path / "fast")
    again = functory.load(tmp_path / "fast", form="openvino fp32")
    drawn = {"temperature": 0.8, "samples": 2, "seed": 3}
    assert [one.others for one in again.using(**drawn).map(PROMPTS)] == [one.others for one in fast.using(**drawn).map(PROMPTS)]
    with again.stream("we saw") as pieces:
        assert "".join(pieces) == fast("we saw").text
        assert pieces.finish in ("length", "end")
    functory.verify(tmp_path / "fast")
    told = (tmp_path / "fast" / "function.json").read_text().replace('"kind": "generate"', '"kind": "forward"')
    (tmp_path / "fast" / "function.json").write_text(told)
    digest = sha256(told.encode()).hexdigest()
    (tmp_path / "fast" / "function.json.sha256").write_text(f"{digest}  function.json\n")
    with pytest.raises(ArtefactCorrupt, match="put as a generate program; this one is forward"):
        functory.load(tmp_path / "fast", form="openvino fp32")

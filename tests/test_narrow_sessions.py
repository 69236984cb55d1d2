"""Sessions in bfloat16: nearly the same answers, the same function, and nobody else's numbers touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory import errors
from functory.contracts.engine import SessionOptions
from functory.running import replays
from functory.running.forms import program
from functory.running.golden import Golden, replay

pytest.importorskip("torch")

ROWS = [{"text": f"{text} {n}", "label": label} for n in range(12) for text, label in (("a good day", "yes"), ("bad", "no"))]


@pytest.fixture(scope="module", autouse=True)
def small() -> Any:
    from functory_sdk.testing import kit

    with kit():
        yield


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> tuple[functory.Function, Path]:
    """A function that was built in bfloat16, and where it is saved."""
    function = functory.build(
        task="text-classification", train=ROWS, backbone="tiny-encoder", adaptation={"name": "lora", "epochs": 1}, report=False,
        session={"precision": "bf16", "threads": 1}, name="narrow",
    )  # fmt: skip
    return function, function.save(tmp_path_factory.mktemp("narrow") / "narrow")


def numbers(function: functory.Function) -> Any:
    """Return what the program gives for the golden inputs."""
    values = [function.coerce(one.value) for one in function.golden]
    return np.concatenate([np.ravel(value) for _, rows in function.trace(values) for row in rows for value in row.values()])


def test_a_function_that_is_built_in_a_narrow_session_is_kept_in_its_own_precision(
    narrow: tuple[functory.Function, Path],
) -> None:
    function, saved = narrow
    stored = np.concatenate([np.ravel(value) for one in function.golden for row in one.numeric for value in row.values()])
    wide = functory.load(saved)
    assert wide.session_options.precision == "auto"
    assert np.abs(numbers(wide) - stored).max() <= function.form.tolerance
    off = np.abs(numbers(function) - stored).max()
    assert 0 < off <= 0.05 * np.abs(stored).max()
    assert function.form.tolerance < 0.01, "what a session rounds is no tolerance of the form's"
    assert json.loads((saved / "function.json").read_text())["recipe"]["session"]["precision"] == "bf16"


def test_a_narrow_replay_is_another_one_and_bounded(
    narrow: tuple[functory.Function, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path))
    _, saved = narrow
    function = functory.load(saved, precision="bf16")
    assert replays.is_remembered(saved, function)
    assert not replays.is_remembered(saved, function.opened(precision="auto"))
    [first, *_] = function.golden
    far = [{name: (np.asarray(value) + 0.2 * np.abs(value).max()).tolist() for name, value in row.items()}
           for row in first.numeric]  # fmt: skip
    with pytest.raises(errors.GoldenMismatch, match="off by"):
        replay(function, [Golden(first.value, first.output, far)], function.form.tolerance)


def test_a_narrow_session_leaves_the_models_of_others_as_they_are(narrow: tuple[functory.Function, Path]) -> None:
    function = functory.load(narrow[1])
    before = numbers(function)
    other = function.opened(precision="bf16")
    assert 0 < np.abs(numbers(other) - before).max() < 0.5
    assert (numbers(function) == before).all()
    dtypes = {str(parameter.dtype) for parameter in function.form.program.model.parameters()}
    assert dtypes == {"torch.float32"}


@pytest.mark.parametrize("backbone", ["tiny-decoder", "tiny-encoder-decoder"])
def test_what_writes_writes_in_a_narrow_session_and_replays_there(backbone: str, tmp_path: Path) -> None:
    task = {"name": "text-generation", "max_new_tokens": 6}
    saved = functory.build(task=task, backbone=backbone, name="write", golden=["we saw"]).save(tmp_path / "write")
    function = functory.load(saved, precision="bf16")
    assert function("we saw").text is not None
    maps = [type(one).__name__ for one in function.session.model.network.modules() if "Linear" in type(one).__name__]
    assert set(maps) == {"NarrowLinear"}
    [one] = function.golden
    far = [{**row, "log_probability": [value - 0.3 for value in row["log_probability"]]} for row in one.numeric]
    with pytest.raises(errors.GoldenMismatch, match="log-probabilities of its tokens are off by"):
        replay(function, [Golden(one.value, one.output, far)], function.form.tolerance)


def test_an_engine_that_knows_no_narrow_sessions_says_so(
    narrow: tuple[functory.Function, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    function = functory.load(narrow[1])
    monkeypatch.setattr(type(function.form.engine), "session_precisions", ("auto",))
    with pytest.raises(errors.NotSupported, match=r"engine 'torch' has no sessions in 'bf16'") as refused:
        function.opened(precision="bf16")("a good day")
    assert "auto" in refused.value.do
    with pytest.raises(errors.OptionError, match="precision"):
        function.opened(precision="fp8")


def test_a_network_with_nothing_to_narrow_says_so(narrow: tuple[functory.Function, Path]) -> None:
    import torch

    class Own(torch.nn.Linear):
        def forward(self, input: Any) -> Any:
            return super().forward(input)

    form: Any = functory.load(narrow[1]).form
    for module in form.program.model.network.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = Own
    with pytest.raises(errors.NotSupported, match="nothing to multiply in bfloat16"):
        form.open(SessionOptions(precision="bf16", merged=False))


def test_a_processor_without_the_instructions_is_told_once(
    narrow: tuple[functory.Function, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "has_bf16", lambda: False)
    function = functory.load(narrow[1])
    capsys.readouterr()
    for precision in ("auto", "bf16", "bf16"):
        form: Any = function.form
        form.open(SessionOptions(precision=precision)).close()
    assert capsys.readouterr().err.count("this processor has no instructions for bfloat16") == 1


def test_the_parts_of_a_composite_are_opened_as_it_is(narrow: tuple[functory.Function, Path], tmp_path: Path) -> None:
    from functory.contracts.component import NoOptions
    from functory.contracts.task import Input, Output, Task

    class Asked(Input):
        text: str

    class Told(Output):
        label: str

    class Twice(Task[NoOptions]):
        name = "twice"
        Input, Output = Asked, Told
        parts = {"only": "text-classification"}

        def compose(self, parts: Any, inputs: Any) -> Any:
            return [Told(label=one.label) for one in parts["only"].map([value.text for value in inputs], progress=False)]

    made = functory.compose(Twice(), only=narrow[0])
    form: Any = made.form
    assert made.is_narrow
    assert form.parts["only"].is_narrow
    wide: Any = made.opened(precision="auto", threads=1).form
    assert wide.parts["only"].session_options == SessionOptions(threads=1)

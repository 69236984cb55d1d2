"""A task's method that gives another number of things than it was given is named, with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

pytest.importorskip("torch", reason="tiny networks are trained: pip install functory-torch")

import functory
from functory import errors
from functory_sdk.testing import ToyTask, kit, registered, toy_function
from functory_sdk.testing.toy import rows
from functory_sdk.testing.toybox import isolated_cache


@pytest.fixture(autouse=True)
def _kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FUNCTORY_CACHE", str(isolated_cache(tmp_path / "cache")))
    with kit():
        yield


class LabelsExamples(ToyTask):
    """Labels each example once, and a long text has many rows."""

    def label(self, examples: Any, encoded: Any, state: Any) -> Any:
        return super().label(examples, encoded, state)[: len(examples)]


class LosesASide(ToyTask):
    """Has no side for the last input."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        return replace(encoded, side=encoded.side[:-1])


class LosesAnOwner(ToyTask):
    """Does not say whose the last row is."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        return replace(encoded, owner=encoded.owner[:-1])


class CountsFromOne(ToyTask):
    """Counts the inputs from 1."""

    def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
        encoded = super().encode(inputs, reader, state)
        return replace(encoded, owner=[owner + 1 for owner in encoded.owner])


@pytest.mark.parametrize(
    ("task", "method", "says"),
    [
        (LabelsExamples, "label", r"LabelsExamples\.label gives 8 labels for \d+ rows of 8 examples"),
        (LosesASide, "encode", r"LosesASide\.encode gives 7 of 'side' for 8 inputs"),
        (LosesAnOwner, "encode", r"LosesAnOwner\.encode gives \d+ of 'owner' for 8 inputs"),
        (CountsFromOne, "encode", r"CountsFromOne\.encode says that a row is input 8's, of 8"),
    ],
)
def test_a_wrong_number_of_labels_sides_or_owners_is_named_with_file_and_line(task: Any, method: str, says: str) -> None:
    train = [{**row, "text": row["text"] + " and the rain" * (40 * (index == 3))} for index, row in enumerate(rows(8))]
    parts = {"backbone": "tiny-encoder", "adaptation": "toy-head"}
    with registered("tasks", "miscounting", task), pytest.raises(errors.PluginError, match=says) as caught:
        functory.build(task="miscounting", train=train, dev_share=0, test_share=0, **parts)
    line = vars(task)[method].__code__.co_firstlineno
    assert caught.value.where.startswith(f"{__file__}, line {line}, in {task.__name__}.{method}")


class Forgets(ToyTask):
    """Composes an output for all inputs but the last."""

    parts: ClassVar = {"one": "toy"}

    def compose(self, parts: Any, inputs: Any) -> Any:
        return list(parts["one"].map([value.text for value in inputs], progress=False))[:-1]


def test_a_composite_that_forgets_an_input_is_named_with_file_and_line() -> None:
    part = toy_function()
    with registered("tasks", "forgets", Forgets), pytest.raises(errors.PluginError) as caught:
        functory.compose("forgets", one=part)  # its golden inputs are computed
    assert "Forgets.compose gives 3 outputs for 4 inputs" in caught.value.what
    assert f"line {Forgets.compose.__code__.co_firstlineno}" in caught.value.where

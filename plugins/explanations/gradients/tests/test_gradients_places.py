"""Every token is put down to the characters it stands for, whatever repeats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from functory_gradients.places import places_of
from functory_sdk import Encoded, Input
from functory_sdk.testing.toybox import isolated_cache, kit, toy_function


@pytest.fixture(autouse=True)
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FUNCTORY_CACHE", str(isolated_cache(tmp_path / "cache")))
    with kit():
        yield


class Two(Input):
    first: str
    second: str


class RowEach:
    """One row per field, and one of both, with a special token before each."""

    def encode(self, inputs: list[Any], reader: Any, state: Any) -> Encoded:
        [value] = inputs
        [first], [second] = reader.tokenizer.tokens([value.first]), reader.tokenizer.tokens([value.second])
        rows = [[[0], first.ids], [[0], second.ids], [[0], first.ids, [0], second.ids]]
        return Encoded([{"input_ids": np.concatenate(row)} for row in rows], [0, 0, 0], [None])


def placed(value: Two) -> list[list[tuple[str, str] | None]]:
    function = SimpleNamespace(reader=toy_function().reader, form=SimpleNamespace(formulation=RowEach()), state=None)
    return [
        [place and (place.field, getattr(value, place.field)[place.start : place.end]) for place in row]
        for row in places_of(function, value)
    ]


def test_what_two_fields_share_is_put_down_to_the_field_of_its_row() -> None:
    first, second, both = placed(Two(first="red apples", second="green apples red apples"))
    assert {place[0] for place in first if place} == {"first"}
    assert {place[0] for place in second if place} == {"second"}
    assert both == first + second
    assert first[0] is second[0] is None


def test_equal_fields_are_told_apart_by_their_order() -> None:
    first, second, _ = placed(Two(first="red apples", second="red apples"))
    assert {place[0] for place in first if place} == {"first"}
    assert {place[0] for place in second if place} == {"second"}


def test_windows_of_a_text_that_repeats_itself_stand_one_after_the_other() -> None:
    function = toy_function()
    value = function.read("red apples and green pears " * 60)
    rows = places_of(function, value)
    assert len(rows) > 1
    starts = [place.start for row in rows for place in row if place]
    assert starts == sorted(starts)
    assert rows[-1][-2].end == len(value.text.rstrip())

"""Every token is put down to the characters it stands for, whatever repeats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from functory_gradients.places import places_of
from functory_sdk import Encoded, Input, texts_of
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


class Turned(RowEach):
    """The second text before the first, after a piece of a prompt."""

    def encode(self, inputs: list[Any], reader: Any, state: Any) -> Encoded:
        [value] = inputs
        prompt, second, first = (one.ids for one in reader.tokenizer.tokens(["red apples", value.second, value.first]))
        return Encoded([{"input_ids": np.concatenate([prompt, second, first])}], [0], [None])


class Stripping(RowEach):
    """Reads other strings than those of the input, which say the same."""

    def encode(self, inputs: list[Any], reader: Any, state: Any) -> Encoded:
        copied = {name: "".join(list(text)) for name, text in dict(inputs[0]).items()}
        return super().encode([Two(**copied)], reader, state)


def placed(value: Any, formulation: Any = None) -> list[list[tuple[str, str] | None]]:
    form = SimpleNamespace(formulation=formulation or RowEach())
    function: Any = SimpleNamespace(reader=toy_function().reader, form=form, state=None)
    texts = texts_of(value)
    return [
        [place and (place.field, texts[place.field][place.start : place.end]) for place in row]
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


def test_equal_texts_are_told_apart_in_any_order_and_from_a_prompt_that_says_the_same() -> None:
    [row] = placed(Two(first="red apples", second="red apples"), Turned())
    third = len(row) // 3
    assert [place and place[0] for place in row] == [*[None] * third, *["second"] * third, *["first"] * third]


def test_a_text_that_is_read_as_another_string_is_known_by_what_it_says() -> None:
    assert placed(Two(first="red apples", second="green apples"), Stripping()) == placed(
        Two(first="red apples", second="green apples")
    )


def test_texts_of_a_list_are_placed_by_their_paths() -> None:
    function = toy_function(task="toy-many")
    value = function.coerce(("we saw", ("the film", "a day", "the film")))
    [row] = places_of(function, value)
    paths = [place.field for place in row if place]
    assert list(dict.fromkeys(paths)) == ["question", "options.0", "options.1", "options.2"]
    assert [paths.count(path) for path in dict.fromkeys(paths)] == [2, 2, 2, 2]


def test_windows_of_a_text_that_repeats_itself_stand_one_after_the_other() -> None:
    function = toy_function()
    value = function.read("red apples and green pears " * 60)
    rows = places_of(function, value)
    assert len(rows) > 1
    starts = [place.start for row in rows for place in row if place]
    assert starts == sorted(starts)
    assert rows[-1][-2].end == len(value.text.rstrip())

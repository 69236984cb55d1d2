"""Frames, series, arrays and Arrow tables say what lists of dicts say.

pandas, polars and pyarrow are no dependencies: what stands here for them has their methods and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from functory.contracts.plain import plain
from functory.contracts.task import Input, Task
from functory.data import examples, read
from functory.data.tables import table_of
from functory.errors import DataError, InputError
from functory.running.inputs import item, many

unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
ROWS = [{"text": "a", "tags": ["O", "B-x"]}, {"text": "b", "tags": ["O"]}]
TAGS = np.asarray([np.asarray(row["tags"], dtype=object) for row in ROWS], dtype=object)


class Series:
    """Values as pandas and polars hold them."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def to_list(self) -> list[Any]:
        return list(self.values)


class Scalar:
    """A value as Arrow holds it."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def as_py(self) -> Any:
        return self.value


class NAType:
    """The nothing of pandas."""


class PandasFrame:
    columns = ("text", "tags")

    def __len__(self) -> int:
        return len(ROWS)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def itertuples(self, index: bool, name: None) -> Iterator[tuple[Any, ...]]:
        assert index is False
        return zip(["a", "b"], TAGS, strict=True)

    def __arrow_c_stream__(self) -> Any:
        raise AssertionError("it can be read without pyarrow")


class PolarsFrame:
    columns = ("text", "tags")

    def __len__(self) -> int:
        return len(ROWS)

    def iter_rows(self, *, named: bool) -> Iterator[dict[str, Any]]:
        assert named
        return iter([{**row, "tags": Series(row["tags"])} for row in ROWS])


class LazyFrame:
    columns = ("text", "tags")

    def collect(self) -> PolarsFrame:
        return PolarsFrame()

    def collect_schema(self) -> Any:
        return {}


class Schema:
    names = ("text", "tags")


class ArrowBatch:
    schema = Schema()

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows, self.num_rows = rows, len(rows)

    def to_pylist(self) -> list[dict[str, Any]]:
        return self.rows


class ArrowTable:
    schema = Schema()
    num_rows = 2
    column_names = ("text", "tags")

    def to_batches(self) -> list[ArrowBatch]:
        return [ArrowBatch(ROWS[:1]), ArrowBatch(ROWS[1:])]


class ArrowReader:
    schema = Schema()

    def read_next_batch(self) -> ArrowBatch:
        raise NotImplementedError

    def __iter__(self) -> Iterator[ArrowBatch]:
        return iter(ArrowTable().to_batches())


class Tagged(BaseModel):
    text: str
    tags: tuple[str, ...]


@pytest.mark.parametrize(
    "source",
    [
        PandasFrame(), PolarsFrame(), LazyFrame(), ArrowTable(), ArrowReader(), ArrowBatch(ROWS),
        {"text": ["a", "b"], "tags": TAGS}, {"text": np.asarray(["a", "b"]), "tags": Series([["O", "B-x"], ["O"]])},
        [{"text": "a", "tags": TAGS[0]}, {"text": "b", "tags": Series(["O"])}],
        np.asarray([("a", ["O", "B-x"]), ("b", ["O"])], dtype=[("text", "U1"), ("tags", object)]),
    ],
    ids=lambda source: type(source).__name__,
)  # fmt: skip
def test_every_table_in_memory_gives_the_rows_that_a_list_of_dicts_gives(source: Any) -> None:
    wanted = examples(read(ROWS), Tagged, {})
    found = examples(read(source), Tagged, {})
    assert list(found) == list(wanted)
    assert found.sha256 == wanted.sha256
    assert found.places == ("rows[0]", "rows[1]")


def test_a_table_of_arrays_has_the_hash_of_the_same_rows_as_lists() -> None:
    assert read({"text": ["a", "b"], "tags": TAGS}).sha256 == read(PandasFrame()).sha256 == read(ROWS).sha256


@pytest.mark.parametrize(
    "source", [{"train": ROWS, "test": ROWS}, {"text": ["a", "b"], "tags": [["O"]]}, {"text": "ab", "tags": "OO"}, {}]
)
def test_a_dict_of_anything_but_columns_of_one_length_is_no_table(source: Mapping[str, Any]) -> None:
    with pytest.raises(DataError, match=r"a dict with the keys .* is not rows"):
        read(source)


@pytest.mark.parametrize("frame", [PandasFrame, ArrowTable])
def test_columns_of_one_name_are_refused_since_a_row_keeps_one(monkeypatch: pytest.MonkeyPatch, frame: type) -> None:
    monkeypatch.setattr(*(PandasFrame, "columns") if frame is PandasFrame else (Schema, "names"), ("text", "text"))
    with pytest.raises(DataError, match="two columns are named 'text'"):
        table_of(frame())


def test_an_array_of_no_dimension_is_no_rows() -> None:
    with pytest.raises(DataError, match="is not rows"):
        read(np.array("a.csv"))


def test_what_only_streams_arrow_needs_pyarrow_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Relation:
        def __arrow_c_stream__(self) -> Any:
            raise NotImplementedError

    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"(?s)a Relation is read by way of Arrow.*pip install pyarrow"):
        table_of(Relation())


nested = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)
)


@unhurried
@given(nested)
def test_a_value_is_the_same_in_lists_and_in_any_array(value: Any) -> None:
    array = np.empty((), dtype=object)
    array[()] = value
    assert plain(value) == plain(array) == plain(Scalar(value)) == value
    assert plain(Series([value])) == plain((value,)) == [value]
    assert plain(plain(value)) == plain(value)


def test_numbers_come_out_as_pythons_own_and_nothing_as_none() -> None:
    found = plain({"a": np.int64(3), "b": np.asarray([True]), "c": NAType(), "d": [Scalar(None), np.str_("x")]})
    assert found == {"a": 3, "b": [True], "c": None, "d": [None, "x"]}
    assert type(found["a"]) is int
    assert plain(np.ndarray) is np.ndarray  # a class is no value of it


class ClassLabel:
    """A column of classes, as `datasets` declares it."""

    names = ("O", "B-x")

    def int2str(self, number: int) -> str:
        return self.names[number]


class ListOf:
    def __init__(self, feature: Any) -> None:
        self.feature = feature


class Dataset:
    """Rows in the format that was asked for: `with_format("numpy")` gives arrays and numpy's own numbers."""

    features: ClassVar = {"text": object(), "tags": ListOf(ClassLabel()), "label": ClassLabel()}
    column_names = ("text", "tags", "label")

    def __init__(self, form: Any) -> None:
        self.form = form

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([{"text": "a", "tags": self.form([0, 1]), "label": self.form(1)}])


@pytest.mark.parametrize("form", [lambda value: value, np.asarray, Scalar], ids=["plain", "numpy", "arrow"])
def test_a_data_set_gives_the_names_of_its_classes_in_every_format(form: Any) -> None:
    [record] = read(Dataset(form))
    assert record.values == {"text": "a", "tags": ["O", "B-x"], "label": "B-x"}
    assert texts(Dataset(form)) == ["a"]


# Function.map


class Text(Input):
    text: str


class Toy(Task[Any]):
    Input = Text
    columns = {"text": ("text", "review")}


def texts(inputs: Any) -> list[str]:
    return [item(Toy(), value, "toy(text)").text for value in many(Toy(), inputs, "toy(text)")]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "inputs",
    [
        ["a", "b"], ("a", "b"), (text for text in "ab"), {"a": 1, "b": 2}.keys(), [{"text": "a"}, {"text": "b"}],
        [("a",), ("b",)], np.asarray(["a", "b"]), Series(["a", "b"]), [Scalar("a"), Scalar("b")], [Text(text="a"), "b"],
        [{"Review": "a"}, {"review": "b"}],
        PandasFrame(), PolarsFrame(), LazyFrame(), ArrowTable(), {"Review": ["a", "b"], "n": [1, 2]}, read(ROWS),
    ],
    ids=lambda inputs: type(inputs).__name__,
)  # fmt: skip
def test_map_goes_through_whatever_holds_many_inputs(inputs: Any) -> None:
    assert texts(inputs) == ["a", "b"]


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ("ab", r"was given one text: 'ab'(?s:.*)call toy\(…\) for one, or give a list"),
        (b"ab", "was given one text: b'ab'"),
        (__import__("pathlib").Path("a.csv"), r"was given one \w*Path(?s:.*)toy\.map\(read\(FILE\)\)"),
        (Text(text="a"), "was given one Text"),
        ({"text": "a"}, r"one dict with the keys 'text'(?s:.*)toy\(\*\*fields\)"),
        ({"body": ["a"]}, r"no column is clearly 'text'(?s:.*)toy\.map\(table\['body'\]\)"),
        (3, "a int is not many inputs"),
        (np.array("ab"), "was given one text: 'ab'"),
        (np.array(3), "a int is not many inputs"),
    ],
)
def test_map_says_what_to_do_with_what_is_one_input_or_none(inputs: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        texts(inputs)

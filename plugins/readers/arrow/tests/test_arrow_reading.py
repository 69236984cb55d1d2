"""What only these readers do: names whatever they are called, splits, places, packing, features of every shape."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from functory.data import read
from functory_arrow import DatasetFolder, Parquet
from functory_arrow.features import namer_of
from functory_sdk import DataError, DataFile


def test_first_bytes_go_before_the_name_and_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    plain = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"text": ["good"], "label": ["pos"]}), plain)
    for name, content in (("data.csv", plain.read_bytes()), ("a.parquet.gz", gzip.compress(plain.read_bytes()))):
        (tmp_path / name).write_bytes(content)
        assert Parquet().recognise(DataFile(tmp_path / name)) == "certain"
        [row] = Parquet().read(DataFile(tmp_path / name))
        assert row.values == {"text": "good", "label": "pos"}  # type: ignore[union-attr]
        assert row.where == f"{name}, row 1"


def test_a_file_is_read_batch_by_batch(tmp_path: Path) -> None:
    path = tmp_path / "long.parquet"
    parquet.write_table(pa.table({"n": range(5000)}), path, row_group_size=1000)
    rows = Parquet().read(DataFile(path))
    assert [row.where for row in list(rows)[-1:]] == ["long.parquet, row 5,000"]


def test_splits_and_missing_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "my test"]}))
    assert DatasetFolder().recognise(DataFile(tmp_path)) == "certain"
    with pytest.raises(DataError, match="holds the splits train, my test") as caught:
        list(DatasetFolder().read(DataFile(tmp_path)))
    assert caught.value.do == f"give one of them: {tmp_path}/train."
    for name in ("gone.arrow", "../gone.arrow"):
        (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
        with pytest.raises(DataError, match="is not in its folder"):
            list(DatasetFolder().read(DataFile(tmp_path)))


def test_feather_of_version_2_is_arrow_and_of_version_1_is_told(tmp_path: Path) -> None:
    from functory_arrow import Arrow

    made = pa.table({"text": ["good"]})
    feather.write_feather(made, tmp_path / "a.feather")
    assert [row.values for row in Arrow().read(DataFile(tmp_path / "a.feather"))] == [{"text": "good"}]  # type: ignore[union-attr]
    (tmp_path / "b.feather").write_bytes(b"FEA1" + bytes(60) + b"FEA1")
    with pytest.raises(DataError, match="Feather version 1"):
        list(Arrow().read(DataFile(tmp_path / "b.feather")))


CLASS = {"names": ["no", "yes"], "_type": "ClassLabel"}


@pytest.mark.parametrize(
    ("feature", "value", "expected"),
    [
        (CLASS, 1, "yes"),
        (CLASS, -1, None),
        (CLASS, 7, None),
        (CLASS, "yes", "yes"),
        (CLASS, None, None),
        ([CLASS], [0, 1], ["no", "yes"]),
        ({"feature": CLASS, "_type": "Sequence", "length": -1}, [1], ["yes"]),
        ({"feature": {"feature": CLASS, "_type": "List"}, "_type": "LargeList"}, [[0], None], [["no"], None]),
        ({"a": CLASS, "b": {"dtype": "int64", "_type": "Value"}}, {"a": 1, "b": 1}, {"a": "yes", "b": 1}),
        ({"feature": {"a": CLASS}, "_type": "Sequence"}, {"a": [0, 1]}, {"a": ["no", "yes"]}),
        ({"feature": {"a": CLASS}, "_type": "List"}, [{"a": 0}], [{"a": "no"}]),
    ],
)  # fmt: skip
def test_class_numbers_become_names_wherever_they_stand(feature: object, value: object, expected: object) -> None:
    namer = namer_of(feature)
    assert namer is not None
    assert namer(value) == expected


def test_what_holds_no_classes_is_left_as_it_is() -> None:
    for feature in ({"dtype": "int64", "_type": "Value"}, {"_type": "List", "feature": {"_type": "Value"}}, [], None, "x", {}):
        assert namer_of(feature) is None


def test_columns_of_one_name_are_refused_since_a_row_keeps_one(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["x"]), pa.array(["y"])], names=["text", "label", "label"])
    feather.write_feather(pa.table({"text": ["a"]}), tmp_path / "one.feather")
    with (tmp_path / "two.arrow").open("wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    assert len(read(tmp_path / "one.feather")) == 1
    with pytest.raises(DataError, match="two columns are named 'label'"):
        read(tmp_path / "two.arrow")

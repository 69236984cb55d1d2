"""What every component of its kind owes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from functory_sdk.testing import ReaderSuite

ROWS = (
    {"text": "good", "label": "pos", "tags": ["B-x", "O"]},
    {"text": "bad", "label": "neg", "tags": []},
    {"text": "so so", "label": None, "tags": None},
)
CLASSES: dict[str, Any] = {"names": ["neg", "pos"], "_type": "ClassLabel"}
FEATURES = {
    "text": {"dtype": "string", "_type": "Value"},
    "label": CLASSES,
    "tags": {"feature": {"names": ["O", "B-x"], "_type": "ClassLabel"}, "_type": "List"},
}


def table() -> pa.Table:
    """A table as `datasets` stores it: classes as numbers, their names in the schema."""
    made = pa.table({"text": ["good", "bad", "so so"], "label": [1, 0, -1], "tags": [[1, 0], [], None]})
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})


def write_ipc(path: Path, made: pa.Table, *, stream: bool) -> Path:
    """Write a table as an Arrow stream or file."""
    with path.open("wb") as sink, (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, made.schema) as writer:
        writer.write_table(made, max_chunksize=2)
    return path


def save_to_disk(folder: Path) -> Path:
    """Write a folder as `Dataset.save_to_disk` does: two shards as streams, features and state as JSON."""
    folder.mkdir()
    plain = table().replace_schema_metadata({})
    names = [f"data-{n:05}-of-00002.arrow" for n in range(2)]
    for name, part in zip(names, (plain.slice(0, 2), plain.slice(2)), strict=True):
        write_ipc(folder / name, part, stream=True)
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names], "_split": "train"}))
    return folder


class TestParquet(ReaderSuite):
    component = "parquet"
    rows = ROWS

    def write(self, folder: Path) -> Path:
        parquet.write_table(table(), folder / "train.parquet", row_group_size=2)
        return folder / "train.parquet"


class TestArrow(ReaderSuite):
    component = "arrow"
    rows = ROWS

    def write(self, folder: Path) -> Path:
        return write_ipc(folder / "train.arrow", table(), stream=False)


class TestArrowStream(TestArrow):
    def write(self, folder: Path) -> Path:
        return write_ipc(folder / "train.arrow", table(), stream=True)


class TestDatasetFolder(ReaderSuite):
    component = "datasets"
    rows = ROWS

    def write(self, folder: Path) -> Path:
        return save_to_disk(folder / "saved")

"""Parquet and Arrow files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from functory_arrow.batches import BATCH, damaged, rows
from functory_sdk import Columns, DataError, DataFile, DataReader, Fault, NoOptions, Recognition, Record, Rows

_FILE, _STREAM, _FEATHER = b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"


class Parquet(DataReader[NoOptions]):
    """Parquet files; class numbers become the names that `datasets` declares."""

    endings: ClassVar[tuple[str, ...]] = (".parquet", ".pq")
    writes: ClassVar[Columns] = "values"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train 'data/train-*.parquet' --test data/test.parquet",
        "functory run sentiment --input reviews.parquet --output scored.parquet",
    )

    def recognise(self, file: DataFile) -> Recognition:
        return "certain" if file.head.startswith(b"PAR1") else super().recognise(file)

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        from pyarrow import parquet

        with file.seekable() as source:
            try:
                opened = parquet.ParquetFile(source)
            except Exception as error:
                raise damaged(file.name, error) from error
            yield from rows(opened.iter_batches(batch_size=BATCH), opened.schema_arrow, file.name)

    def write(self, path: Path, rows: Rows) -> None:
        """Write rows; objects and lists are columns of their own kind, and what is of several kinds is written as JSON."""
        from functory_arrow.writing import write_parquet

        write_parquet(path, rows)


class Arrow(DataReader[NoOptions]):
    """Arrow files and streams, and Feather files; class numbers become the names that `datasets` declares."""

    endings: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".ipc")
    examples: ClassVar[tuple[str, ...]] = ("functory evaluate sentiment --data test.arrow",)

    def recognise(self, file: DataFile) -> Recognition:
        """By the first bytes; those of a stream say less, and want the name beside them."""
        if file.head.startswith((_FILE, _FEATHER)):
            return "certain"
        is_named = file.ending in self.endings and not file.is_folder
        return "certain" if is_named and file.head.startswith(_STREAM) else super().recognise(file)

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        if file.head.startswith(_FEATHER):
            raise DataError(
                "the file is Feather version 1.", where=file.name, do="write it anew: pyarrow.feather.write_feather(table, FILE)."
            )
        with file.seekable() as source:
            schema, batches = opened(source, file.name, is_file=file.head.startswith(_FILE))
            yield from rows(batches, schema, file.name)


def opened(source: Any, name: str, *, is_file: bool) -> tuple[Any, Iterator[Any]]:  # Any: pyarrow has no types
    """Return schema and batches of an Arrow file or stream.

    :raises DataError: when it is none.
    """
    import pyarrow as pa

    try:
        if not is_file:
            stream = pa.ipc.open_stream(source)
            return stream.schema, iter(stream)
        file = pa.ipc.open_file(source)
        return file.schema, (file.get_batch(n) for n in range(file.num_record_batches))
    except Exception as error:
        raise damaged(name, error) from error

"""Rows to Parquet: the columns' types are found in a first pass over the rows, and the rows are written in a second.

A column whose values have no one type, such as texts and numbers, or objects of too many names, holds their JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from functory_sdk import Rows

AT_ONCE = 4096
"""Rows that are turned into columns at once."""
GROUP_ROWS, GROUP_BYTES = 65_536, 64 << 20
"""A row group ends when it has so many rows, or bytes."""
MOST_FIELDS = 1000
"""An object of more names than these is a mapping, whose names are no columns."""


def write_parquet(path: Path, rows: Rows) -> None:
    """Write rows to a Parquet file; no more of them than a row group has are held in memory."""
    import pyarrow as pa
    from pyarrow import parquet

    schema, as_json = _schema(rows)
    with parquet.ParquetWriter(path, schema) as writer:
        held: list[Any] = []  # Any: pyarrow has no types
        for batch in _batches(rows):
            columns = [_array(batch, field.name, field.type, field.name in as_json) for field in schema]
            held.append(pa.RecordBatch.from_arrays(columns, schema=schema))
            if sum(one.num_rows for one in held) >= GROUP_ROWS or sum(one.nbytes for one in held) >= GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(held, schema))
                held = []
        if held:
            writer.write_table(pa.Table.from_batches(held, schema))


def _batches(rows: Rows) -> Iterator[list[Mapping[str, Any]]]:
    found = iter(rows)
    while batch := list(islice(found, AT_ONCE)):
        yield batch


def _schema(rows: Rows) -> tuple[Any, set[str]]:  # Any: as above
    """Return the schema that holds all rows, and the columns that hold JSON."""
    import pyarrow as pa

    types: dict[str, Any] = {name: pa.null() for name in rows.columns}
    as_json: set[str] = set()
    for batch in _batches(rows):
        for name in rows.columns:
            if name in as_json:
                continue
            found = _joined(types[name], [row.get(name) for row in batch])
            if found is None:
                as_json.add(name)
            types[name] = pa.string() if found is None else found
    for name, kind in types.items():
        if not _is_kept(kind):
            types[name] = pa.string()
            as_json.add(name)
    return pa.schema(list(types.items())), as_json


def _joined(kind: Any, values: Sequence[Any]) -> Any:  # Any: as above
    """Return the type that holds both what came before and some values; None where there is none."""
    import pyarrow as pa

    try:
        found = pa.array(values).type
        both = [pa.schema([("", one)]) for one in (kind, found)]
        joined = pa.unify_schemas(both, promote_options="permissive").field(0).type
        return None if _fields(joined) > MOST_FIELDS else joined
    except (pa.ArrowException, OverflowError):
        return None


def _array(rows: Sequence[Mapping[str, Any]], name: str, kind: Any, as_json: bool) -> Any:  # Any: as above
    """Return a column of some rows."""
    import pyarrow as pa

    values = [row.get(name) for row in rows]
    if as_json:
        values = [_text(one) for one in values]
    return pa.array(values, type=kind)


def _text(value: Any) -> str | None:  # Any: what a row holds
    """Return a value as text: what is none, as JSON."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _fields(kind: Any) -> int:  # Any: as above
    """Return how many columns without parts a type comes to."""
    return sum(_fields(kind.field(n).type) for n in range(kind.num_fields)) if kind.num_fields else 1


def _is_kept(kind: Any) -> bool:  # Any: as above
    """Return whether Parquet holds a type: an object without a name is none."""
    import pyarrow as pa

    if pa.types.is_struct(kind) and not kind.num_fields:
        return False
    return all(_is_kept(kind.field(n).type) for n in range(kind.num_fields))

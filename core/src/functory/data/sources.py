"""From whatever the user has (a path, dicts, a data set, a sample's name) to records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeGuard

from functory.contracts.plain import plain
from functory.data.faults import Fault
from functory.data.files import read_file
from functory.data.records import Record, Records, Values, columns_of
from functory.data.tables import table_of
from functory.errors import DataError

Source = str | PathLike[str] | Iterable[Values]

SAMPLES = "samples:"


def read(source: Source, *, columns: Sequence[str] | None = None) -> Records:
    """Read rows, each with its place.

    :param source: a path (CSV, TSV, JSON Lines, also .gz and .bz2; UTF-8), ``samples:NAME``, an iterable of
        dicts or of pydantic models, a data set of the `datasets` library, a frame of pandas or polars, an Arrow
        table, or a dict of columns.
    :param columns: the column names of a CSV or TSV file that has no header line.
    :raises DataError: when the source as a whole cannot be read; a faulty row is kept as a fault instead.
    :raises UnknownComponent: when there is no sample of that name.
    """
    if isinstance(source, Records):
        return source
    if isinstance(source, str) and source.startswith(SAMPLES):
        return _read_sample(source)
    if isinstance(source, (str, PathLike)):
        return read_file(Path(fspath(source)).expanduser(), columns)
    if is_dataset(source):
        return _read_dataset(source)
    table = table_of(source)
    if table is not None:
        rows = tuple(Record(row, f"rows[{n}]", n) for n, row in enumerate(table.rows))
        return Records(rows, f"a {type(source).__name__}", table.columns)
    return _read_iterable(source)


def _read_sample(reference: str) -> Records:
    """Read a sample that a plugin brings."""
    from functory.plugins.registry import load

    sample = load("samples", reference.removeprefix(SAMPLES))()
    rows = tuple(Record(row, f"{reference}[{n}]", n) for n, row in enumerate(sample.rows()))
    return Records(rows, reference, columns_of(rows[:1]))


def _read_iterable(source: object) -> Records:
    """Read dicts (or pydantic models, by their fields) from an iterable; anything else in it is a fault."""
    if isinstance(source, Mapping):
        raise DataError(
            f"a {type(source).__name__} with the keys {', '.join(map(repr, list(source)[:8]))} is not rows.",
            do="give an iterable of dicts, one per example, or columns of one length; of a data set in several splits, "
            "give one split.",
        )
    if not isinstance(source, Iterable):
        raise DataError(f"a {type(source).__name__} is not rows.", do="give a path, or an iterable of dicts.")
    rows, faults = [], []
    for n, item in enumerate(source):
        values = item.model_dump(exclude_unset=True) if hasattr(item, "model_dump") else plain(item)
        if isinstance(values, Mapping):
            rows.append(Record(values, f"rows[{n}]", n))
        else:
            what = f"a row is a {type(item).__name__}, not a dict"
            faults.append(Fault(what, n, f"rows[{n}]", do='give dicts: {"column": value, …}.'))
    return Records(tuple(rows), "rows in memory", columns_of(rows), tuple(faults))


def is_dataset(source: object) -> TypeGuard[Any]:  # Any: `datasets` is not imported to name its class
    """Tell a `datasets.Dataset` (or one that streams) by its attributes."""
    return hasattr(source, "features") and hasattr(source, "column_names") and not isinstance(source, Mapping)


def _read_dataset(dataset: Any) -> Records:  # Any: as above
    """Read a data set; class numbers become the names that its features declare."""
    first = list(chain(dataset.column_names or (), dataset.features or ()))
    name = str(getattr(dataset, "split", None) or "dataset")
    names = {column: _class_names((dataset.features or {}).get(column)) for column in dict.fromkeys(first)}
    rows = tuple(
        Record({key: names.get(key, _same)(value) for key, value in row.items()}, f"{name}[{n}]", n)
        for n, row in enumerate(dataset)
    )
    return Records(rows, f"a data set ({name})", columns_of(rows))


def _class_names(
    feature: Any,
) -> Callable[[Any], Any]:  # Any: a feature of `datasets` and the values it describes
    """Return what turns a feature's values into names; nested lists of classes too. -1 means "no label"."""
    if hasattr(feature, "int2str"):
        return lambda value: (
            value if not isinstance(value, int) else feature.int2str(value) if value >= 0 else None
        )
    inner = getattr(feature, "feature", None)
    inner = feature[0] if isinstance(feature, list) and feature else inner
    if inner is None:
        return _same
    name = _class_names(inner)
    return (
        _same
        if name is _same
        else lambda values: None if values is None else [name(value) for value in values]
    )


def _same(value: Any) -> Any:  # Any: as above
    return value

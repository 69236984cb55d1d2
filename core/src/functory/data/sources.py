"""From whatever the user has (paths, dicts, a data set, a sample's name) to records, as they come."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeGuard

from functory.contracts.component import Part
from functory.contracts.plain import plain
from functory.data.faults import Fault
from functory.data.files import DataFile, Doubt
from functory.data.recognition import reader_of
from functory.data.records import Record, Records, RecordStream, Values
from functory.data.tables import table_of
from functory.errors import DataError
from functory.machine.storage import is_there

Named = str | PathLike[str]
Source = Named | Iterable[Named] | Iterable[Values] | Records
Format = str | Mapping[str, Any] | Part  # Any: the options of a reader

SAMPLES = "samples:"


def read(
    source: Source, *, columns: Sequence[str] | None = None, format: Format | None = None, encoding: str = ""
) -> Records:
    """Read all rows, each with its place.

    :param source: as for `stream`.
    :raises DataError: as `stream`.
    """
    if isinstance(source, Records):
        return source
    return stream(source, columns=columns, format=format, encoding=encoding).whole()


def stream(
    source: Source, *, columns: Sequence[str] | None = None, format: Format | None = None, encoding: str = ""
) -> RecordStream:
    """Read rows as they come, each with its place: in one pass, and none is kept.

    :param source: a path, or several; a pattern such as ``data/*.csv``; ``samples:NAME``; an iterable of dicts or of
        pydantic models; a data set of the `datasets` library; a frame of pandas or polars, an Arrow table, or a dict of
        columns.
    :param columns: the column names of a CSV or TSV file that has no header line.
    :param format: the name of the reader, a mapping of its name and its options, or of options alone; found out by the
        file's name and first bytes when None.
    :param encoding: the encoding of the files' text, where their bytes do not tell; UTF-8 when empty.
    :raises DataError: when the source as a whole cannot be read; a faulty row is given as a fault instead.
    :raises UnknownComponent: when there is no sample, or no reader, of that name.
    :raises OptionError: for an option that the reader has not, or an encoding that there is not.
    """
    if isinstance(source, Records):
        rows: list[Record | Fault] = [*source.items, *source.faults]
        rows.sort(key=lambda row: row.row)
        return RecordStream(rows, source.source, notes=[*source.notes], doubts=[*source.doubts])
    if isinstance(source, str) and source.startswith(SAMPLES):
        return _sample(source)
    if _are_paths(source) and any(str(one).startswith(SAMPLES) for one in source):
        return _joined([stream(one, columns=columns, format=format, encoding=encoding) for one in source])
    if isinstance(source, (str, PathLike)) or _are_paths(source):
        part = part_of(format)
        if columns:
            part = part.model_copy(update={"options": {**part.options, "names": tuple(columns)}})
        return _files(paths_of(source), part, encoding)
    if is_dataset(source):
        return _dataset(source)
    table = table_of(source)
    if table is not None:
        found = (Record(row, f"rows[{n}]") for n, row in enumerate(table.rows))
        return RecordStream(found, f"a {type(source).__name__}", has_end=table.count is not None)
    return _iterable(source)


def part_of(format: Format | None) -> Part:
    """Return a reader's name and its options, from whatever way they are given in."""
    if format is None or isinstance(format, Part):
        return format or Part()
    if isinstance(format, str):
        return Part(name=format)
    options = dict(format)
    return Part(name=options.pop("name", ""), options=options)


# -- files ------------------------------------------------------------------------------------------------


def _are_paths(source: object) -> TypeGuard[Sequence[Named]]:
    """Return whether a source is a list of paths."""
    return (
        isinstance(source, (list, tuple)) and bool(source) and all(isinstance(one, (str, PathLike)) for one in source)
    )


def paths_of(source: Named | Sequence[Named]) -> list[Path]:
    """Return the files that paths and patterns name, those of a pattern in the order of their names.

    :raises DataError: when nothing fits a pattern.
    """
    named = [source] if isinstance(source, (str, PathLike)) else source
    return [path for name in named for path in _expanded(Path(fspath(name)).expanduser())]


def _expanded(path: Path) -> list[Path]:
    """Return the files that fit a pattern; what is there by its very name is no pattern.

    :raises DataError: when nothing fits.
    """
    if not glob.has_magic(str(path)) or is_there(path):
        return [path]
    found = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 - absolute ones too
    if not found:
        do = f"look at what is there: ls {shlex.quote(str(path.parent))}"
        raise DataError(f"no file fits the pattern {str(path)!r}.", do=do)
    return [name for name in found if not name.is_dir()] or found  # a folder beside files is none of them


def _joined(streams: Sequence[RecordStream]) -> RecordStream:
    """Read several sources, one after the other."""
    notes: list[str] = []

    def rows() -> Iterator[Record | Fault]:
        for one in streams:
            yield from one
            notes.extend(one.notes)

    return RecordStream(rows(), f"{streams[0].source} and {len(streams) - 1:,} more", notes=notes)


def _files(paths: Sequence[Path], part: Part, encoding: str) -> RecordStream:
    """Read files one after the other; the first is opened now, so that what is wrong with it is told at once."""
    notes: list[str] = []
    doubts: list[Doubt] = []
    is_clear = len({path.name for path in paths}) == len(paths)  # else places name the folders too

    def opened(path: Path) -> tuple[DataFile, Iterator[Record | Fault]]:
        file = DataFile(path, encoding, name="" if is_clear else str(path))
        try:
            return file, reader_of(file, part).read(file)
        except BaseException:
            file.close()
            raise

    first = opened(paths[0])

    def rows() -> Iterator[Record | Fault]:
        for number, path in enumerate(paths):
            file, found = first if number == 0 else opened(path)
            with closing(file):
                for row in found:
                    if file.doubt is not None:
                        doubts.append(file.doubt)
                        file.doubt = None
                    yield row
            notes.extend(file.notes)

    name = paths[0].name if len(paths) == 1 else f"{paths[0].name} and {len(paths) - 1:,} more"
    return RecordStream(rows(), name, notes=notes, doubts=doubts)


# -- samples, data sets, rows in memory -------------------------------------------------------------------


def _sample(reference: str) -> RecordStream:
    """Read a sample that a plugin brings."""
    from functory.plugins.registry import load

    sample = load("samples", reference.removeprefix(SAMPLES))()
    rows = (Record(row, f"{reference}[{n}]") for n, row in enumerate(sample.rows()))
    return RecordStream(rows, reference)


def _iterable(source: object) -> RecordStream:
    """Read dicts (or pydantic models, by their fields) from an iterable; anything else in it is a fault.

    :raises DataError: for what is no iterable of rows.
    """
    if isinstance(source, Mapping):
        raise DataError(
            f"a {type(source).__name__} with the keys {', '.join(map(repr, list(source)[:8]))} is not rows.",
            do="give an iterable of dicts, one per example, or columns of one length; of a data set in several splits, "
            "give one split.",
        )
    if not isinstance(source, Iterable) or getattr(source, "ndim", 1) == 0:
        raise DataError(f"a {type(source).__name__} is not rows.", do="give a path, or an iterable of dicts.")
    rows = (_row(item, f"rows[{n}]") for n, item in enumerate(source))
    return RecordStream(rows, "rows in memory", has_end=hasattr(source, "__len__"))


def _row(item: Any, where: str) -> Record | Fault:  # Any: whatever stands in the iterable
    values = item.model_dump(exclude_unset=True) if hasattr(item, "model_dump") else plain(item)
    if isinstance(values, Mapping):
        return Record(values, where)
    return Fault(f"a row is a {type(item).__name__}, not a dict", 0, where, do='give dicts: {"column": value, …}.')


def is_dataset(source: object) -> TypeGuard[Any]:  # Any: `datasets` is not imported to name its class
    """Tell a `datasets.Dataset` (or one that streams) by its attributes."""
    return hasattr(source, "features") and hasattr(source, "column_names") and not isinstance(source, Mapping)


def _dataset(dataset: Any) -> RecordStream:  # Any: as above
    """Read a data set; class numbers become the names that its features declare."""
    first = list(chain(dataset.column_names or (), dataset.features or ()))
    name = str(getattr(dataset, "split", None) or "dataset")
    names = {column: _class_names((dataset.features or {}).get(column)) for column in dict.fromkeys(first)}
    rows = (
        Record({key: names.get(key, _same)(plain(value)) for key, value in row.items()}, f"{name}[{n}]")
        for n, row in enumerate(dataset)
    )
    return RecordStream(rows, f"a data set ({name})", has_end=hasattr(dataset, "__len__"))


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

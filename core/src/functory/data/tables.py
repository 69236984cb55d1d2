"""Rows of what is a table in memory: frames of pandas and polars, Arrow tables, dicts of columns, structured arrays.

None of their libraries is imported for it, but pyarrow for what can only be read as a stream of Arrow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import Any

from functory.contracts.plain import plain
from functory.errors import DataError


@dataclass(frozen=True)
class Table:
    """A table in memory.

    :param columns: the names of its columns.
    :param rows: one dict a row, to be gone through once.
    :param count: how many rows there are; None where that is not known before.
    :raises DataError: when two columns have one name: a dict would keep one of them.
    """

    columns: tuple[str, ...]
    rows: Iterable[Mapping[str, Any]]  # Any: what the cells hold
    count: int | None = None

    def __post_init__(self) -> None:
        twice = next((name for name, count in Counter(self.columns).items() if count > 1), None)
        if twice is not None:
            raise DataError(f"two columns are named {twice!r}.", do="give each column its own name.")


def table_of(source: Any) -> Table | None:  # Any: whatever a caller has
    """Return a source as a table; None where it is none.

    :raises DataError: when it can only be read as a stream of Arrow, and pyarrow is not installed; when two columns have
        one name.
    """
    if isinstance(source, Mapping):
        return _of_columns(source)
    if isinstance(source, (str, bytes, list, tuple)):
        return None
    for kind in (_of_polars, _of_pandas, _of_arrow, _of_structured, _of_stream):
        found: Table | None = kind(source)
        if found is not None:
            return found
    return None


def _of_columns(source: Mapping[Any, Any]) -> Table | None:
    """Read a dict of equally long columns. A dict of lists of dicts is several tables, and none."""
    columns = {str(name): column for name, column in source.items()}
    if not columns or not all(map(_is_column, columns.values())) or len(set(map(len, columns.values()))) > 1:
        return None
    lists = {name: plain(column) for name, column in columns.items()}
    if all(values and all(isinstance(value, Mapping) for value in values) for values in lists.values()):
        return None
    rows = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    return Table(tuple(lists), rows, len(rows))


def _is_column(value: Any) -> bool:  # Any: as above
    return isinstance(value, (list, tuple)) or (
        hasattr(value, "__len__") and not isinstance(value, (str, bytes, Mapping)) and is_array(value)
    )


def is_array(value: Any) -> bool:  # Any: as above
    """Return whether a value is an array or a series of some library."""
    return not isinstance(value, type) and any(hasattr(value, name) for name in ("tolist", "to_list", "to_pylist", "__array__"))


def _of_polars(source: Any) -> Table | None:  # Any: as above, in all that follow
    if hasattr(source, "collect") and hasattr(source, "collect_schema") and not hasattr(source, "iter_rows"):
        source = source.collect()  # a lazy frame
    if not hasattr(source, "iter_rows"):
        return None
    return Table(tuple(source.columns), source.iter_rows(named=True), len(source))


def _of_pandas(source: Any) -> Table | None:
    if not hasattr(source, "itertuples"):
        return None
    columns = tuple(map(str, source.columns))
    rows = (dict(zip(columns, row, strict=True)) for row in source.itertuples(index=False, name=None))
    return Table(columns, rows, len(source))


def _of_arrow(source: Any) -> Table | None:
    """Read a table, a record batch, a reader of batches, or a data set of Arrow."""
    names = getattr(getattr(source, "schema", None), "names", None)
    if names is None:
        return None
    if hasattr(source, "to_batches"):
        batches: Iterator[Any] = iter(source.to_batches())
    elif hasattr(source, "to_pylist"):
        batches = iter([source])
    elif hasattr(source, "read_next_batch"):
        batches = iter(source)
    else:
        return None
    rows = chain.from_iterable(batch.to_pylist() for batch in batches)
    return Table(tuple(names), rows, getattr(source, "num_rows", None))


def _of_structured(source: Any) -> Table | None:
    """Read an array of numpy with named fields."""
    names: Sequence[str] = getattr(getattr(source, "dtype", None), "names", None) or ()
    if not names or not hasattr(source, "tolist"):
        return None
    rows = (dict(zip(names, row, strict=True)) for row in source.tolist())
    return Table(tuple(names), rows, len(source))


def _of_stream(source: Any) -> Table | None:
    """Read what says that it is a stream of Arrow, or a frame to be exchanged."""
    is_array_of_rows = is_array(source) or isinstance(source, Sequence)
    if is_array_of_rows or not (hasattr(source, "__arrow_c_stream__") or hasattr(source, "__dataframe__")):
        return None
    try:
        arrow = import_module("pyarrow")
        exchange = import_module("pyarrow.interchange")
    except ImportError as error:
        raise DataError(
            f"a {type(source).__name__} is read by way of Arrow, and pyarrow is not installed.",
            do="pip install pyarrow; or give a pandas or polars frame, or an iterable of dicts.",
        ) from error
    is_stream = hasattr(source, "__arrow_c_stream__")
    return _of_arrow(arrow.table(source) if is_stream else exchange.from_dataframe(source))

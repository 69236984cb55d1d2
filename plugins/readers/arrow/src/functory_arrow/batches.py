"""Batches of columns to rows, with the class names that `datasets` keeps beside the columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from functory_arrow.features import Namer, namer_of
from functory_sdk import DataError, Record, message_of

BATCH = 1024
"""Rows that are turned into Python at once."""


def rows(
    batches: Iterable[Any], schema: Any, name: str, features: Mapping[str, Any] | None = None, start: int = 0
) -> Iterator[Record]:  # Any: pyarrow has no types
    """Yield the rows of batches.

    :param name: what places are named after.
    :param features: what `datasets` declares of the columns; what the schema carries when None.
    :param start: how many rows went before.
    :raises DataError: when the file is damaged, or two columns have one name: a dict would keep one of them.
    """
    if twice := [column for column in schema.names if schema.names.count(column) > 1]:
        raise DataError(f"two columns are named {twice[0]!r}.", where=name, do="give each column its own name.")
    declared = features_of(schema) if features is None else features
    namers = {column: namer for column, feature in declared.items() if (namer := namer_of(feature)) is not None}
    number = start
    for batch in guarded(batches, name):
        for values in _values(batch, name):
            number += 1
            yield Record(_named(values, namers), f"{name}, row {number:,}")


def guarded(batches: Iterable[Any], name: str) -> Iterator[Any]:
    """Yield batches, and tell what goes wrong as a fault of the file.

    :raises DataError: when the file is damaged.
    """
    found = iter(batches)
    while True:
        try:
            batch = next(found)
            batch.validate(full=True)  # what a damaged file holds is never followed unseen
        except StopIteration:
            return
        except Exception as error:
            raise damaged(name, error) from error
        yield batch


def damaged(name: str, error: Exception) -> DataError:
    """Return the error of a file that is not what its first bytes say."""
    reason = message_of(error, 200)
    return DataError(f"it cannot be read: {reason}.", where=name, do="check the file; fetch or write it again.")


def features_of(schema: Any) -> Mapping[str, Any]:
    """Return what `datasets` declares of the columns, from a schema's metadata; nothing where it wrote none."""
    raw = (schema.metadata or {}).get(b"huggingface")
    try:
        found = json.loads(raw)["info"]["features"] if raw else {}
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _values(batch: Any, name: str) -> Iterator[dict[str, Any]]:
    for start in range(0, batch.num_rows, BATCH):
        try:
            yield from batch.slice(start, BATCH).to_pylist()
        except Exception as error:
            raise damaged(name, error) from error


def _named(values: dict[str, Any], namers: Mapping[str, Namer]) -> dict[str, Any]:
    """Return a row with names in the place of class numbers."""
    for column, namer in namers.items():
        if column in values:
            values[column] = namer(values[column])
    return values

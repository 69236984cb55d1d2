"""One record to one example: what is missing, empty or of the wrong type is told with its column."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping, Set
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError, WithJsonSchema

from functory.contracts.cells import broken, structure
from functory.contracts.plain import plain, plain_type
from functory.data.columns import Column, told, value_at
from functory.data.records import Record
from functory.errors import DataError

Gather = Callable[[str, Mapping[str, Any]], Any]
"""Makes a field's value of the cells of several columns: the field, and column → cell, None where it holds nothing."""


def one_column(field: str, cells: Mapping[str, Any]) -> Any:  # Any: it gives nothing
    """Refuse to read a field from several columns.

    :raises DataError: always.
    """
    raise DataError(f"{field!r} is read from one column, and not from {len(cells)}", do="name the one that holds it.")


def validate(
    record: Record,
    model: type[BaseModel],
    chosen: Mapping[str, Column],
    structured: Set[str],
    is_text: bool,
    gather: Gather = one_column,
) -> BaseModel:
    """Return the example of one record.

    :param chosen: field → column, or several.
    :param structured: the fields in whose text a list or an object may stand, as JSON or Python write them.
    :param is_text: whether the source has no other way to say "nothing" than an empty text.
    :param gather: makes the value of a field that is read from several columns.
    :raises DataError: whose `where` is the column.
    """
    values: dict[str, Any] = {}
    fields = model.model_fields
    for field, column in chosen.items():
        if not isinstance(column, str):
            values[field] = gather(field, {one: _cell(record, one, is_text) for one in column})
            continue
        value = value_at(record.values, column) if is_text else plain(value_at(record.values, column))
        required = fields[field].is_required()
        if _is_missing(value) or (is_text and value == "" and not required):
            if required:
                raise DataError(f"{field!r} is missing", where=column, do=f"give each row its {column!r}.")
            if value == fields[field].default:  # an empty text that is one
                values[field] = value
            continue
        if required and isinstance(value, str) and not value.strip():
            raise DataError(f"{field!r} is empty", where=column, do="complete the row.")
        if not is_text and not _is_unicode(value):
            raise DataError(f"{field!r} holds half of a surrogate pair, which is no text", where=column)
        if field in structured and isinstance(value, str):
            value = _structure(field, value, "" if takes_text(fields[field].annotation) else column)
        values[field] = value
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _wrong(error, chosen) from None


def _structure(field: str, text: str, column: str) -> Any:  # Any: what JSON and Python can write
    """Return the list or the object that a cell writes; the text itself where it writes none.

    :param column: to name where it begins as one, and is none; empty where it may be a text.
    :raises DataError: there.
    """
    found = structure(text)
    if column and isinstance(found, str) and (fault := broken(text)):
        raise DataError(f"{field!r} is {fault}", where=column, do="correct the cell.")
    return found


def _cell(record: Record, column: str, is_text: bool) -> Any:  # Any: whatever a row holds
    """Return what one of several columns holds; None for nothing.

    :raises DataError: for half of a surrogate pair.
    """
    value = plain(value_at(record.values, column))
    if _is_missing(value) or (isinstance(value, str) and not value.strip()):
        return None
    if not is_text and not _is_unicode(value):
        raise DataError("it holds half of a surrogate pair, which is no text", where=column)
    return value


def _is_missing(value: object) -> bool:
    """Return whether a value is none: null, or the NaN by which data frames say so."""
    return value is None or (isinstance(value, float) and value != value)


def _is_unicode(value: Any) -> bool:  # Any: a value as it was read
    r"""Return whether all text in a value can be encoded: JSON may hold a lone "\ud800", which is none."""
    try:
        (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)).encode()
    except UnicodeEncodeError:
        return False
    return True


def _wrong(error: ValidationError, chosen: Mapping[str, Column]) -> DataError:
    """Turn pydantic's first complaint into ours."""
    fault = error.errors(include_url=False)[0]
    field = str(fault["loc"][0]) if fault["loc"] else ""
    message = fault["msg"].removeprefix("Value error, ").rstrip(".")
    shown = repr(fault["input"]) if field else ""
    shown = f" is {shown if len(shown) <= 60 else shown[:59] + '…'}" if fault["type"] != "missing" else ""
    what = f"{field!r}{shown}: {message[0].lower()}{message[1:]}" if field else message
    if fault["type"] == "missing" and len(fault["loc"]) > 1 and isinstance(fault["input"], Mapping):
        *owner, lacking = map(str, fault["loc"])
        what = f"{'.'.join(owner)} has no {lacking!r}, but {', '.join(map(repr, fault['input'])) or 'nothing'}"
    return DataError(what, where=told(chosen.get(field, "")))


def structured_fields(model: type[BaseModel]) -> set[str]:
    """Return the fields that may hold a list, a dict or a model, which a cell's text can only write."""
    return {field for field, info in model.model_fields.items() if _has_structure(info.annotation)}


def takes_text(annotation: Any) -> bool:  # Any: a type expression
    """Return whether a type allows a text itself, beside lists of some."""
    bare = plain_type(annotation)
    return bare is str or (get_origin(bare) in (Union, types.UnionType) and str in get_args(bare))


def listable_fields(model: type[BaseModel]) -> set[str]:
    """Return the fields that hold a text, and take a list of texts in its place, as their schema says."""
    schemas = {field: [one.json_schema for one in info.metadata if isinstance(one, WithJsonSchema)]
               for field, info in model.model_fields.items()}  # fmt: skip
    return {
        field for field, own in schemas.items()
        if any(branch.get("type") == "array" for one in own for branch in (one or {}).get("anyOf", ()))
    }  # fmt: skip


def _has_structure(annotation: Any) -> bool:  # Any: a type expression
    """Return whether a type allows a list, a dict or a model."""
    origin = get_origin(annotation)
    if origin is Literal:
        return False
    if origin is None or not isinstance(origin, type) or issubclass(origin, types.UnionType):
        plain = isinstance(annotation, type) and issubclass(annotation, (list, tuple, set, dict, BaseModel))
        return plain or any(_has_structure(argument) for argument in get_args(annotation))
    return True

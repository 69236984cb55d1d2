"""From records to validated examples of a task, each with its place."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

from pydantic import BaseModel

from functory.data.columns import Column, guess, told
from functory.data.faults import Fault, OnBadRow, settle
from functory.data.records import Record, Records, RecordStream, hash_rows
from functory.data.sampling import PER_LIMIT, All, Limit, Reservoir
from functory.data.sources import stream
from functory.data.validation import Gather, one_column, structured_fields, validate
from functory.errors import DataError


@dataclass(frozen=True)
class Examples(Sequence[Any]):  # Any: instances of the task's own Example, a pydantic model
    """Validated examples of one source, in its order.

    :param items: the examples.
    :param places: where each comes from: ``reviews.csv, line 7``.
    :param source: the name of the source.
    :param inputs: the fields that make the input; the others are what is to be learned.
    :param skipped: the rows that were passed over.
    :param notes: what a person should know of the source: a repeated header, rows beyond a limit.
    """

    items: tuple[Any, ...]
    places: tuple[str, ...]
    source: str
    inputs: tuple[str, ...] = ()
    skipped: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{len(self.items):,} examples of {self.source}>"

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Any, ...]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    @cached_property
    def sha256(self) -> str:
        """The hash of the examples' content, in their order, whatever format they came in."""
        return hash_rows(example.model_dump(mode="json") for example in self.items)

    @cached_property
    def identities(self) -> tuple[str, ...]:
        """Each example's input as one text: equal texts are exact duplicates."""
        fields = set(self.inputs) or None
        return tuple(example.model_dump_json(include=fields) for example in self.items)

    @property
    def passed_over(self) -> str:
        """How many rows were passed over, and the first of them with its place; empty where none was."""
        count = len(self.skipped)
        return f"{count:,} bad row{' was' if count == 1 else 's were'} skipped, the first: {self.skipped[0]}" if count else ""

    def take(self, indices: Iterable[int]) -> Examples:
        """Return some of the examples, in the order of the indices; only the whole tells what was skipped and noted."""
        chosen = list(indices)
        items, places = (tuple(kept[n] for n in chosen) for kept in (self.items, self.places))
        return replace(self, items=items, places=places, skipped=(), notes=())


def examples(
    records: Records | RecordStream,
    model: type[BaseModel],
    columns: Mapping[str, Sequence[str]],
    mapping: Mapping[str, str | Sequence[str]] | None = None,
    *,
    on_bad_row: OnBadRow = "stop",
    check: Callable[[Any], object] | None = None,
    inputs: Sequence[str] | None = None,
    limit: Limit | None = None,
    gather: Gather = one_column,
) -> Examples:
    """Make a validated example of each record; of a stream, nothing else is kept.

    :param model: the task's Example (or its Input, where there is nothing to learn from).
    :param columns: for each field, the names of columns by which it is known.
    :param mapping: field → column (or a path into one, ``passage.text``), or several, where the user said so.
    :param on_bad_row: stop when there are bad rows, or skip and count them.
    :param check: called with each example; raises DataError for one that is sound by its types and wrong all
        the same, such as a label that the function does not know.
    :param inputs: the fields that make the input; by default those of the model's base.
    :param limit: keep so many at most, each label by its share.
    :param gather: makes the value of a field that is read from several columns.
    :raises BadRows: for bad rows, with file, line and column of the first ten; or when no row is left.
    :raises DataError: when no column is clearly a field's, or there is no row.
    """
    rows = records if isinstance(records, RecordStream) else stream(records)
    faults: list[Fault] = []
    if limit and not rows.has_end:
        rows.most = PER_LIMIT * limit.count
    part = Reservoir(limit.count, limit.seed, limit.stratify) if limit else All()
    for found in validated(rows, model, columns, mapping, check=check, gather=gather):
        if isinstance(found, Fault):
            faults.append(found)
        else:
            record, example = found
            part.add(record.row, example, record.where)
    skipped = settle(faults, part.passed, rows.source, on_bad_row)
    names = tuple(inputs) if inputs is not None else input_fields(model)
    items, places = part.chosen()
    notes = (*rows.notes, *_limited(rows, part, len(faults)))
    return Examples(tuple(items), tuple(places), rows.source, names, skipped, notes)


def validated(
    rows: RecordStream,
    model: type[BaseModel],
    columns: Mapping[str, Sequence[str]],
    mapping: Mapping[str, str | Sequence[str]] | None = None,
    *,
    check: Callable[[Any], object] | None = None,
    gather: Gather = one_column,
) -> Iterator[tuple[Record, Any] | Fault]:
    """Yield each record with its example, or what is wrong with it, in the order of the source; nothing is kept.

    :param model: as the other arguments, as for `examples`.
    :raises DataError: when no column is clearly a field's.
    """
    available = rows.columns
    seen = set(available)
    chosen: dict[str, Column] | None = None
    structured = structured_fields(model)
    for row in rows:
        if isinstance(row, Fault):
            yield row
            continue
        if chosen is None:
            chosen = _columns(rows, available, model, columns, mapping)
        if not row.values.keys() <= seen:
            available = tuple(dict.fromkeys([*available, *row.values]))
            seen = set(available)
            chosen = _again(chosen, row, _columns(rows, available, model, columns, mapping))
        try:
            example = validate(row, model, chosen, structured, row.is_text, gather)
            if check is not None:
                check(example)
        except DataError as error:
            yield _fault(error, row)
        else:
            yield row, example


def _columns(
    rows: RecordStream,
    available: Sequence[str],
    model: type[BaseModel],
    columns: Mapping[str, Sequence[str]],
    mapping: Mapping[str, str | Sequence[str]] | None,
) -> dict[str, Column]:
    """Return the column of each field; where that fails or is odd, say that a file may have been read in the wrong way.

    :raises DataError: when no column is clearly a field's, or the columns that are named are an example's values.
    """
    doubts = [doubt for doubt in rows.doubts if doubt.is_strong or not mapping]
    known = {name.casefold() for names in columns.values() for name in names} | set(model.model_fields)
    named = [column for column in available if column.strip().casefold() in known]
    if mapping and doubts and not named:
        do = f"{doubts[0].do}; if it does name them, --read header=true."
        raise DataError(f"{doubts[0].what}.", where=rows.source, do=do)
    for doubt in rows.doubts if mapping and not named else ():
        note = f"{rows.source}: {doubt.what}; it was taken for names ({doubt.do})."
        if note not in rows.notes:
            rows.notes.append(note)
    try:
        return guess(available, model, columns, mapping, source=rows.source)
    except DataError as error:
        if not doubts or mapping:
            raise
        what = f"{error.what} {doubts[0].what[:1].upper()}{doubts[0].what[1:]}."
        do = f"{doubts[0].do}." if doubts[0].is_strong else f"{doubts[0].do}. Or {error.do}"
        raise DataError(what, where=error.where, do=do) from None


def _again(before: dict[str, Column], row: Record, now: dict[str, Column]) -> dict[str, Column]:
    """Return the columns after a row that has a new one: it may hold a field that had none, and change no other.

    :raises DataError: when it changes another.
    """
    for field, column in before.items():
        if now[field] != column:
            raise DataError(
                f"{field!r} was read from {told(column)!r} so far, and here is {told(now[field])!r} too.",
                where=row.where,
                do=f"say which: --column {shlex.quote(f'{field}={told(column)}')} (columns={{{field!r}: {column!r}}}).",
            )
    return now


def _limited(rows: RecordStream, part: Reservoir | All, faults: int) -> list[str]:
    """Say what a limit left unseen."""
    notes = []
    if rows.most and part.passed + faults >= rows.most:
        notes.append(f"{rows.source}: the first {rows.most:,} rows were looked at, {PER_LIMIT} times the limit.")
    if isinstance(part, Reservoir) and (lacking := part.left_out):
        shown = ", ".join(map(repr, lacking[:5])) + (" …" if len(lacking) > 5 else "")
        notes.append(f"the limit is below the number of labels: {len(lacking):,} have no example ({shown}).")
    return notes


def checked(found: Examples, check: Callable[[Any], object], on_bad_row: OnBadRow = "stop") -> Examples:
    """Check examples that were read already, as `examples` does while it reads.

    :param check: called with each example; raises DataError for one that is wrong.
    :raises DataError: for the first bad one, with its file and line; or when none is left.
    """
    faults, sound = [], []
    for number, (example, place) in enumerate(zip(found.items, found.places, strict=True)):
        try:
            check(example)
        except DataError as error:
            faults.append(Fault(error.what.rstrip("."), number, place, error.where, error.do))
        else:
            sound.append(number)
    skipped = settle(faults, len(sound), found.source, on_bad_row)
    return replace(found.take(sound), skipped=(*found.skipped, *skipped), notes=found.notes) if faults else found


def input_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields that an Example inherits from its Input; all of them, where it inherits none."""
    for base in model.__mro__[1:]:
        if issubclass(base, BaseModel) and base.model_fields:
            return tuple(base.model_fields)
    return tuple(model.model_fields)


def _fault(error: DataError, record: Record) -> Fault:
    """Give a row's error its place."""
    return Fault(error.what.rstrip("."), record.row, record.where, error.where, error.do)

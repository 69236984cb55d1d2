"""From records to validated examples of a task, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

from pydantic import BaseModel

from functory.data.columns import guess
from functory.data.faults import Fault, OnBadRow, settle
from functory.data.records import Record, Records, hash_rows
from functory.data.validation import structured_fields, validate
from functory.errors import DataError


@dataclass(frozen=True)
class Examples(Sequence[Any]):  # Any: instances of the task's own Example, a pydantic model
    """Validated examples of one source, in its order.

    :param items: the examples.
    :param places: where each comes from: ``reviews.csv, line 7``.
    :param source: the name of the source.
    :param inputs: the fields that make the input; the others are what is to be learned.
    :param skipped: the rows that were passed over.
    """

    items: tuple[Any, ...]
    places: tuple[str, ...]
    source: str
    inputs: tuple[str, ...] = ()
    skipped: tuple[Fault, ...] = ()

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
        """Return some of the examples, in the order of the indices; only the whole tells what was skipped."""
        chosen = list(indices)
        items, places = (tuple(kept[n] for n in chosen) for kept in (self.items, self.places))
        return replace(self, items=items, places=places, skipped=())


def examples(
    records: Records,
    model: type[BaseModel],
    columns: Mapping[str, Sequence[str]],
    mapping: Mapping[str, str] | None = None,
    *,
    on_bad_row: OnBadRow = "stop",
    check: Callable[[Any], object] | None = None,
    inputs: Sequence[str] | None = None,
) -> Examples:
    """Make a validated example of each record.

    :param model: the task's Example (or its Input, where there is nothing to learn from).
    :param columns: for each field, the names of columns by which it is known.
    :param mapping: field → column, where the user said so.
    :param on_bad_row: stop at the first bad row, or skip and count them.
    :param check: called with each example; raises DataError for one that is sound by its types and wrong all
        the same, such as a label that the function does not know.
    :param inputs: the fields that make the input; by default those of the model's base.
    :raises DataError: for the first bad row, with its file, line and column; or when no row is left.
    """
    faults = list(records.faults)
    if not records.items:
        settle(faults, 0, records.source, on_bad_row)
    chosen = guess(records.columns, model, columns, mapping, source=records.source)
    structured = structured_fields(model) if records.is_text else set()
    items, places = [], []
    for record in records:
        try:
            example = validate(record, model, chosen, structured, records.is_text)
            if check is not None:
                check(example)
        except DataError as error:
            faults.append(_fault(error, record))
        else:
            items.append(example)
            places.append(record.where)
    skipped = settle(faults, len(items), records.source, on_bad_row)
    names = tuple(inputs) if inputs is not None else input_fields(model)
    return Examples(tuple(items), tuple(places), records.source, names, skipped)


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
    return replace(found.take(sound), skipped=(*found.skipped, *skipped)) if faults else found


def input_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields that an Example inherits from its Input; all of them, where it inherits none."""
    for base in model.__mro__[1:]:
        if issubclass(base, BaseModel) and base.model_fields:
            return tuple(base.model_fields)
    return tuple(model.model_fields)


def _fault(error: DataError, record: Record) -> Fault:
    """Give a row's error its place."""
    return Fault(error.what.rstrip("."), record.row, record.where, error.where, error.do)

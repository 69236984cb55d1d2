"""Labels as tables have them: several in one text, a path's steps in columns of their own, a column of 0 and 1 for each.

Apart from `task`, which says what is done with labels once they are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functory.contracts.labels import label_text, listed
from functory.errors import DataError
from functory_sdk.labels.paths import written

if TYPE_CHECKING:
    from functory.data import Examples

_YES, _NO = frozenset(["1", "1.0", "true", "yes"]), frozenset(["0", "0.0", "false", "no"])


def ticked(cells: Mapping[str, Any], *, is_one: bool) -> str | tuple[str, ...]:
    """Return the labels whose columns say 1, each column's name being a label.

    :param cells: column → what it holds.
    :param is_one: exactly one is wanted.
    :raises DataError: for a cell that is neither 0 nor 1, and for no or several labels where one is wanted.
    """
    given = tuple(label.strip() for label, cell in cells.items() if _is_ticked(label, cell))
    if not is_one:
        return given
    if len(given) != 1:
        raise DataError(
            f"{listed(given, 5) + ' are 1' if given else 'none is 1'}, and one label is wanted",
            where=", ".join(given) or listed(tuple(cells), 5),
            do="correct the row, or give any number of labels: mode = 'multi'.",
        )
    return given[0]


def _is_ticked(column: str, cell: Any) -> bool:  # Any: whatever a cell holds
    """Return whether a cell says 1.

    :raises DataError: when it says neither 1 nor 0.
    """
    said = str(label_text(cell)).casefold() if cell is not None else ""
    if said in _YES or said in _NO:
        return said in _YES
    raise DataError(
        f"{column!r} {f'is {cell!r}' if cell is not None else 'is empty'}, and a column for each label holds 0 or 1",
        where=column,
        do="correct the row; if the columns are the steps of a path, mode = 'path' reads them so.",
    )


def stepped(cells: Mapping[str, Any], separator: str) -> str:
    """Return the path whose steps stand in columns, from the top; it ends where the others are empty.

    :raises DataError: for no step at all, one that is missing before others, or that holds what stands between steps.
    """
    steps = {column: str(label_text(cell)) for column, cell in cells.items() if cell is not None}
    columns = list(cells)
    if list(steps) != columns[: len(steps)] or not steps:
        empty = next(column for column in columns if column not in steps)
        what = f"{empty!r} is empty, and {list(steps)[-1]!r} is not: a path has a gap" if steps else "the path has no step"
        raise DataError(what, where=empty, do="complete the row: a path may end early, and skips no step.")
    try:
        return written(list(steps.values()), separator)
    except DataError as error:
        raise DataError(error.what.rstrip("."), where=", ".join(steps), do=error.do) from None


def as_paths(found: Examples, field: str, separator: str) -> Examples:
    """Return examples with each label written as one path.

    :raises DataError: for a path with an empty step, naming the row.
    """
    items = []
    for example, place in zip(found, found.places, strict=True):
        given = getattr(example, field)
        try:
            path = written(given, separator)
        except DataError as error:
            raise DataError(f"{field}: {error.what}", where=place, do=error.do) from None
        items.append(example if path == given else example.model_copy(update={field: path}))
    return replace(found, items=tuple(items))


def named_places(found: Examples, field: str, labels: Sequence[str]) -> Examples:
    """Return examples whose lists say for each label whether they have it, as 0 or 1, with the names of those that are 1.

    :param labels: the names of the places, where the options give them.
    :raises DataError: where all lists are of one length, hold nothing else, some number stands twice, and places have no names.
    """
    lists = [getattr(example, field) for example in found]
    if not lists or any(isinstance(one, str) for one in lists) or len(set(map(len, lists))) > 1:
        return found
    is_places = all({*one} <= {"0", "1"} for one in lists) and any(len({*one}) < len(one) for one in lists)
    if not is_places or {"0", "1"} & {*labels}:
        return found
    if len(lists[0]) == len(labels):
        named = [tuple(label for label, cell in zip(labels, one, strict=True) if cell == "1") for one in lists]
        return replace(
            found, items=tuple(e.model_copy(update={field: one}) for e, one in zip(found, named, strict=True))
        )
    raise DataError(
        f"labels are rows of {len(lists[0])} zeros and ones, such as {', '.join(lists[0])}, which name no label.",
        where=found.places[0],
        do="give the names of those that are 1: ['red', 'car']; or name the places: labels = ['red', 'car', …].",
    )


def mixture(found: Examples, texts: Sequence[int], field: str) -> DataError:
    """Return the error of examples of which some have a list of labels and some a text."""
    lists = sorted(set(range(len(found))) - set(texts))
    first, other = found.places[lists[0]], found.places[texts[0]]
    return DataError(
        f"{len(lists):,} examples have a list of labels (the first {first}), and {len(texts):,} have a text "
        f"({getattr(found[texts[0]], field)!r} in {other}).",
        where=found.source,
        do="give every example a list, ['red'] too; or name what stands between labels in a text: separator = ','.",
    )

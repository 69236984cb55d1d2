"""The items of an export, whether it is one JSON list or an object on each line; and the first of them, to know it by."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from functory_sdk import DataFile, Fault, Record, json_members, load

Item = Any  # JSON: an object in most exports, a pair in some


AHEAD = 1000
"""So many rows are looked at to know whether a column holds one label a text, or many."""


class Picked(list[Any]):
    """What an annotator picked of a list. Tools write it in the same way whether one could be picked or many."""


class Misshapen(Exception):
    """An item that is not as its tool writes it; the text says what is wrong, without a final full stop."""


def first_item(file: DataFile) -> Item:
    """Return the first item of a file, as far as its first bytes hold it; None otherwise."""
    return next(first_items(file), None)


def first_items(file: DataFile) -> Iterator[Item]:
    """Yield the items that the first bytes of a file hold."""
    text = "" if file.is_folder else "".join(file.head_lines).lstrip("\ufeff \t\r\n")
    text = text.removeprefix("[").lstrip()
    place = 0
    while place < len(text):
        try:
            item, place = json.JSONDecoder().raw_decode(text, place)
        except (ValueError, RecursionError):
            return
        yield item
        while text[place : place + 1] in (*", \t\r\n",):
            place += 1


def items(file: DataFile, at: str = "") -> Iterator[tuple[str, Item] | Fault]:
    """Yield each item with its place, and a fault in the place of one that is no JSON.

    :param at: the key under which the list stands, where the file is one object.
    """
    if at or "".join(file.head_lines[:5]).lstrip("\ufeff \t\r\n").startswith("["):
        for number, (line, item) in enumerate(json_members(file, at), 1):
            yield f"{file.name}, item {number:,} (line {line:,})", item
    else:
        for row in load("readers", "jsonl")().read(file):
            yield row if isinstance(row, Fault) else (row.where, row.values)


def rows(
    file: DataFile, read: Callable[[Item], Mapping[str, Any] | str], at: str = ""
) -> Iterator[Record | Fault]:  # Any: JSON
    """Yield a row for each item; why items are left out is noted once, with their number and the first place.

    :param read: an item → what its row holds, or why there is none; raises `Misshapen` for one that is wrong.
    """
    left_out: dict[str, list[Any]] = {}
    for found in items(file, at):
        if isinstance(found, Fault):
            yield found
            continue
        where, item = found
        try:
            values = read(item)
        except Misshapen as error:
            yield Fault(str(error), 0, where, do="export it anew, or leave it out.")
            continue
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            yield Fault(f"the item is not as its tool writes it ({error!r})", 0, where, do="export it anew, or leave it out.")
            continue
        if isinstance(values, str):
            left_out.setdefault(values, [0, where])[0] += 1
        else:
            yield Record(values, where)
    for why, (count, where) in left_out.items():
        file.notes.append(f"{file.name}: {count:,} left out: {why}, the first at {where.removeprefix(f'{file.name}, ')}.")


def consistent(found: Iterable[Record | Fault], *, is_marked: bool = True) -> Iterator[Record | Fault]:
    """Yield rows with one form for each column: where some text has several labels, all have a list of them; else each has
    its one, or nothing.

    :param is_marked: where some text has entities, one without a word of them has none.
    """
    rows = iter(found)
    ahead = list(islice(rows, AHEAD))
    values = [row.values for row in ahead if isinstance(row, Record)]
    many = {name for row in values for name, value in row.items() if isinstance(value, Picked) and len(value) > 1}
    has_entities = is_marked and any(row.get("entities") for row in values)
    for row in chain(ahead, rows):
        if isinstance(row, Record):
            row.values = {name: _in_form(value, name in many) for name, value in row.values.items()}
            if has_entities:
                row.values.setdefault("entities", [])
        yield row


def _in_form(value: Any, is_many: bool) -> Any:
    """Return what was picked as a list or as the one that it is."""
    if is_many and isinstance(value, str):  # a tool that writes one in another way than several
        return [value]
    if not isinstance(value, Picked):
        return value
    if is_many or len(value) > 1:
        return list(value)
    return value[0] if value else None


def entity(start: Any, end: Any, label: Any) -> dict[str, Any]:
    """Return a span as tasks take it.

    :raises Misshapen: when it has no offsets or no label.
    """
    is_whole = all(isinstance(place, int) and not isinstance(place, bool) for place in (start, end))
    if not is_whole or not isinstance(label, str) or not label:
        raise Misshapen(f"a span from {start!r} to {end!r} with the label {label!r} is none")
    return {"start": start, "end": end, "label": label}

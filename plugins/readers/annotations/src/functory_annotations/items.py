"""The items of an export, whether it is one JSON list or an object on each line; and the first of them, to know it by."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from functory_sdk import DataFile, Fault, Record, json_members, load

Item = Any  # JSON: an object in most exports, a pair in some


class Misshapen(Exception):
    """An item that is not as its tool writes it; the text says what is wrong, without a final full stop."""


def first_item(file: DataFile) -> Item:
    """Return the first item of a file, as far as its first bytes hold it; None otherwise."""
    if file.is_folder:
        return None
    text = "".join(file.head_lines).lstrip("\ufeff \t\r\n")
    if text.startswith("["):
        text = text[1:].lstrip()
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


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


def one_or_all(labels: Sequence[Any]) -> Any:
    """Return the label where there is one alone, else all of them."""
    return labels[0] if len(labels) == 1 else list(labels)


def entity(start: Any, end: Any, label: Any) -> dict[str, Any]:
    """Return a span as tasks take it.

    :raises Misshapen: when it has no offsets or no label.
    """
    is_whole = all(isinstance(place, int) and not isinstance(place, bool) for place in (start, end))
    if not is_whole or not isinstance(label, str) or not label:
        raise Misshapen(f"a span from {start!r} to {end!r} with the label {label!r} is none")
    return {"start": start, "end": end, "label": label}

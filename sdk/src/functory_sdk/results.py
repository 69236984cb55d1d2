"""Shows the rows of a query as they come: columns on a terminal, tabs between fields elsewhere, or a JSON object a row."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from itertools import chain, count
from typing import Any

from functory.cli.output import print_columns
from functory.contracts.plain import finite
from functory.terminal.streams import exact
from functory.wording.harmless import harmless

Row = Sequence[Any]  # Any: what a database holds


def show_rows(columns: Sequence[str], parts: Iterable[Sequence[Row]], *, as_json: bool) -> None:
    """Print the rows of a result on stdout.

    :param columns: their names; one that stands twice gets a number in JSON, which would keep one of them.
    :param parts: the rows, some at a time.
    """
    out = exact(sys.stdout)
    if as_json:
        names = _once(columns)
        for rows in parts:
            objects = [json.dumps(finite(dict(zip(names, row, strict=True))), ensure_ascii=False, default=str) for row in rows]
            out.write("".join(f"{line}\n" for line in objects))
            out.flush()
    elif sys.stdout.isatty():
        for number, rows in enumerate(parts):
            head = [] if number else [columns]
            print_columns([*head, *([harmless(_told(value)) for value in row] for row in rows)], "")
    else:
        is_first = True
        for rows in parts:
            lines = [*([columns] if is_first else []), *([_told(value) for value in row] for row in rows)]
            out.write("".join("\t".join(" ".join(cell.split()) for cell in line) + "\n" for line in lines))
            out.flush()
            is_first = False


def _once(columns: Sequence[str]) -> list[str]:
    """Return names of which each stands once."""
    found: list[str] = []
    for name in columns:
        others = (f"{name}_{number}" for number in count(2))
        found.append(next(one for one in chain([name], others) if one not in found))
    return found


def _told(value: Any) -> str:  # Any: as above
    """Return a value as text: nothing for none, objects and lists as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool | dict | list):
        return json.dumps(finite(value), ensure_ascii=False, default=str)
    return str(value)

"""A step's arguments as hook plugins get them: what they change in these changes no step.

A row that was emptied or a seed that was set anew would make another function than the manifest says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any, cast, overload

from functory.contracts.engine import Event, Run
from functory.contracts.rows import Array, Taught
from functory.hooks.nesting import Misdeed


def shielded(value: Any) -> Any:  # Any: an argument of whatever step
    """Return an argument for a hook plugin: lists and tables are its own, rows and their arrays can only be read."""
    if isinstance(value, Taught):
        rows = cast(list[dict[str, Array]], _Rows(value.rows))
        return replace(value, rows=rows, owner=list(value.owner), group=list(value.group))
    if isinstance(value, Event):
        return replace(value, values=dict(value.values)) if value.values else value
    if isinstance(value, Mapping):
        return deepcopy(dict(value))
    return list(value) if isinstance(value, list) else value


class _Rows(Sequence[dict[str, Array]]):
    """Rows that can only be read, each made when it is asked for: there may be a million."""

    def __init__(self, rows: Sequence[dict[str, Array]]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> dict[str, Array]: ...
    @overload
    def __getitem__(self, index: slice) -> _Rows: ...
    def __getitem__(self, index: int | slice) -> dict[str, Array] | _Rows:
        if isinstance(index, slice):
            return _Rows(self._rows[index])
        return {name: _read_only(one) for name, one in self._rows[index].items()}


@contextmanager
def kept(*values: Any) -> Iterator[None]:  # Any: as above
    """Keep the runs among some arguments as they are: trackers know a run by its identity, so it is no copy.

    :raises Misdeed: when one was changed; it is as it was again.
    """
    runs = [(run, {one.name: getattr(run, one.name) for one in fields(Run)}) for run in values if isinstance(run, Run)]
    try:
        yield
    finally:
        changed = [name for run, before in runs for name in _restored(run, before)]
    if changed:
        raise Misdeed(f"it changed the run's {', '.join(changed)}, which is not its own")


def _restored(run: Run, before: Mapping[str, Any]) -> list[str]:
    """Give a run its values back; return the names of those that had been changed."""
    changed = [name for name, value in before.items() if getattr(run, name) is not value]
    for name in changed:
        setattr(run, name, before[name])
    return changed


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view

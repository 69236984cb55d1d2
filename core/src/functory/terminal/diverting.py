"""Sends what one thread prints elsewhere for a while: stdout is for results, and the code of a plugin prints what it likes.

`contextlib.redirect_stdout` would take the results of the other threads along, and a logging handler made meanwhile
would keep the wrong stream.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import Any, TextIO

_lock = Lock()
_elsewhere: dict[int, list[TextIO]] = {}
"""Where each thread prints that is diverted, the innermost last; one for all stand-ins, for a handler may keep an old one."""


class _ByThread:
    """Stands for stdout: what diverted threads print goes elsewhere, and no other's."""

    def __init__(self, stdout: TextIO) -> None:
        self.stdout = stdout
        self.inside = 0
        """How many are diverted since it stands there."""

    def close(self) -> None:
        """Stay open: it is everybody's."""

    def detach(self) -> Any:  # Any: the stream's own
        """Return what lies beneath without giving it up."""
        return self.buffer

    def __getattr__(self, name: str) -> Any:  # Any: a stream's own attributes
        return getattr(_elsewhere.get(get_ident(), [self.stdout])[-1], name)


@contextmanager
def diverted(elsewhere: TextIO | None = None) -> Iterator[None]:
    """Send what this thread prints elsewhere; what other threads print stays where it goes.

    :param elsewhere: stderr when not given.
    """
    thread = get_ident()
    with _lock:
        stdout: Any = sys.stdout
        stand_in = stdout if isinstance(stdout, _ByThread) else _ByThread(stdout)
        stand_in.inside += 1
        sys.stdout = stand_in  # it has whatever the stream has
        _elsewhere.setdefault(thread, []).append(elsewhere or sys.stderr or io.StringIO())
    try:
        yield
    finally:
        with _lock:
            _elsewhere[thread].pop()
            if not _elsewhere[thread]:
                del _elsewhere[thread]
            stand_in.inside -= 1
            if not stand_in.inside and sys.stdout is stand_in:
                sys.stdout = stand_in.stdout

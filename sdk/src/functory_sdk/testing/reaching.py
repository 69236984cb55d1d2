"""Notices what reaches for a network while a check runs: no component may, and no library beneath it.

Python tells of each name that it looks up and each address that it connects to. What native code does by itself is seen
only in a network namespace; functory's own tests do the tour in one.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname")
SENDS = ("socket.connect", "socket.sendto", "socket.sendmsg")
HERE = ("127.", "::1", "localhost")
_watches: list[list[str]] = []


@contextmanager
def unreached() -> Iterator[None]:
    """Fail where the block, or a thread of it, reaches for another machine.

    :raises AssertionError: naming the address, and the line that asked for it.
    """
    _watch()
    reached: list[str] = []
    _watches.append(reached)
    try:
        yield
    finally:
        _watches.remove(reached)
    allowed = "A backbone may fetch where `may_fetch` is true, and nothing else."
    assert not reached, f"it reaches for the network: {reached[0]}. {allowed}"


@cache
def _watch() -> None:
    """Let Python tell of every socket from now on; what it tells is heard only while a block watches."""
    sys.addaudithook(_heard)


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watches or not event.startswith("socket."):
        return
    if event in LOOKUPS:
        host = arguments[0]
    elif event in SENDS and isinstance(arguments[1], tuple):  # a text is a socket of this machine's own
        host = arguments[1][0]
    else:
        return
    if host and not str(host).startswith(HERE):
        place = next(one for one in reversed(traceback.extract_stack()[:-1]) if not one.filename.endswith("socket.py"))
        for reached in _watches:
            reached.append(f"{host} from {place.filename}, line {place.lineno}")

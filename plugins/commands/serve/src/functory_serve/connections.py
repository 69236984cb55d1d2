"""Connections that cannot be held for nothing: heads that do not come, answers that are not taken, more of them than may be."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from functory_serve.limits import Limits

LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def connections_within(limits: Limits) -> type[H11Protocol]:
    """Return what a server makes of each connection, within its limits."""
    return type("LimitedConnection", (Connection,), {"limits": limits})


class Connection(H11Protocol):
    """uvicorn's connection, which has no time of its own for the head of a request, nor for a client that does not read."""

    limits: Limits

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: as uvicorn makes it
        super().__init__(*args, **kwargs)
        self._head: asyncio.TimerHandle | None = None
        self._full: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        if len(self.connections) >= self.limits.connections:
            transport.write(FULL)
            transport.close()
        super().connection_made(transport)
        self._head = self.loop.call_later(self.limits.receive_seconds, self._is_late)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            _cancel(self._head)
            self._head = None
        elif self._head is None:
            self._head = self.loop.call_later(self.limits.receive_seconds, self._is_late)

    def pause_writing(self) -> None:
        super().pause_writing()
        _cancel(self._full)
        self._full = self.loop.call_later(self.limits.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._full)

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._head)
        _cancel(self._full)
        super().connection_lost(exc)

    def _is_late(self) -> None:
        """End a connection whose request has not come."""
        if not self.transport.is_closing():
            self.transport.write(LATE)
            self.transport.close()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    """Cancel a timer, if there is one."""
    if timer is not None:
        timer.cancel()

"""Connections that cannot be held for nothing: heads that do not come or never end, answers that are not taken, more of them than
may be.

Parsed by llhttp (httptools), which costs a third of what a parser in Python does, but bounds nothing: that is done here.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from functory_serve.limits import Limits

LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
LEAVING = "functory.leaving"
"""The extension of a scope that is a future: done once the client is gone."""
HEAD_BYTES = 65_536
"""The longest head of a request, its path and all of its headers, that comes in pieces."""


def connections_within(limits: Limits) -> type[HttpToolsProtocol]:
    """Return what a server makes of each connection, within its limits."""
    return type("LimitedConnection", (Connection,), {"limits": limits})


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which has no time of its own for the head of a request, nor for a client that does not read."""

    limits: Limits

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: as uvicorn makes it
        super().__init__(*args, **kwargs)
        self._head: asyncio.TimerHandle | None = None
        self._full: asyncio.TimerHandle | None = None
        self._heads = self._head_bytes = 0
        """How many heads came whole, and how much of the next one."""
        self._is_in_head = True
        self._leaving: asyncio.Future[None] = self.loop.create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        if len(self.connections) >= self.limits.connections:
            transport.write(FULL)
            transport.close()
        super().connection_made(transport)
        self._head = self.loop.call_later(self.limits.receive_seconds, self._is_late)

    def data_received(self, data: bytes) -> None:
        before = self._heads if self._is_in_head else -1
        super().data_received(data)
        if not self._is_in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data) if self._heads == before else 0
        if self._head_bytes > HEAD_BYTES:
            self.send_400_response("The head of the request is too long.")
        elif self._head is None and (self.cycle is None or self.cycle.response_complete):
            self._head = self.loop.call_later(self.limits.receive_seconds, self._is_late)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {LEAVING: self._leaving}  # type: ignore[dict-item]  # there may be any

    def on_headers_complete(self) -> None:
        self._is_in_head, self._head_bytes = False, 0
        self._heads += 1
        _cancel(self._head)
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_head = True
        super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        if self.cycle is not None and self.cycle.response_complete:  # it was refused, and goes on
            self.transport.close()
            return
        super().on_body(body)

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
        if not self._leaving.done():  # whoever waited for it may have been cancelled, and it too
            self._leaving.set_result(None)

    def _is_late(self) -> None:
        """End a connection whose request has not come."""
        if not self.transport.is_closing():
            self.transport.write(LATE)
            self.transport.close()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    """Cancel a timer, if there is one."""
    if timer is not None:
        timer.cancel()

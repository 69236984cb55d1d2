"""What a face needs besides `functory_sdk.Face`: types of ASGI, a text while it is written, answers, word of clients that go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar, cast

from functory.contracts.face import App, Receive, Scope, Send, Writing

__all__ = ["App", "Gone", "Receive", "Scope", "Send", "Writing", "gone", "respond", "respond_json", "while_there"]

T = TypeVar("T")


class Gone(Exception):
    """The client is gone: nobody reads an answer."""


async def respond(
    send: Send, body: bytes, medium: str, status: int = 200, headers: Mapping[str, str] | None = None, *, has_body: bool = True
) -> None:
    """Send a whole answer.

    :param has_body: whether the body is sent, and not told of alone: the answer to HEAD is not.
    """
    told = {"content-type": medium, "content-length": str(len(body)), **(headers or {})}
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.items() if value]
    await send({"type": "http.response.start", "status": int(status), "headers": pairs})
    await send({"type": "http.response.body", "body": body if has_body else b""})


async def respond_json(send: Send, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
    """Send plain data as JSON; half of a character in a text of it is a question mark."""
    await respond(send, json.dumps(value, ensure_ascii=False).encode(errors="replace"), "application/json", status, headers)


async def gone(receive: Receive) -> None:
    """Return when a client is gone; its body was read by now."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_there(receive: Receive, work: Awaitable[T]) -> T:
    """Return what comes of work for a client, as long as it is there; what is left off has ended when this does.

    A server that knows when a client goes without asking says so by ``receive.leaving``, a future that is done then: it saves a
    task for each request.

    :param receive: the request's, of which the body was read.
    :raises Gone: when the client goes first.
    """
    known: asyncio.Future[None] | None = getattr(receive, "leaving", None)
    if known is not None:
        return await _until(known, work)
    leaving = asyncio.ensure_future(gone(receive))
    try:
        return await _until(leaving, work)
    finally:
        leaving.cancel()
        await asyncio.wait([leaving])


async def _until(leaving: asyncio.Future[None], work: Awaitable[T]) -> T:
    """Return what comes of work, which is cancelled once something else is done.

    :raises Gone: when that is first.
    """
    task, is_over, is_gone = cast("asyncio.Task[Any]", asyncio.current_task()), False, False  # what awaits is in one

    def left(_: asyncio.Future[None]) -> None:
        nonlocal is_gone
        if not is_over:  # it may be told a turn late
            is_gone = True
            task.cancel()

    leaving.add_done_callback(left)
    try:
        return await work
    except asyncio.CancelledError:
        if is_gone and task.cancelling() == 1:  # nobody else has cancelled it
            raise Gone from None
        raise
    finally:
        is_over = True
        leaving.remove_done_callback(left)
        if is_gone:
            task.uncancel()

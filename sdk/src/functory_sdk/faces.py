"""What a face needs besides `functory_sdk.Face`: the types of ASGI, a text while it is written, and word of clients that go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from functory.contracts.face import App, Receive, Scope, Send, Writing

__all__ = ["App", "Gone", "Receive", "Scope", "Send", "Writing", "gone", "while_there"]

T = TypeVar("T")


class Gone(Exception):
    """The client is gone: nobody reads an answer."""


async def gone(receive: Receive) -> None:
    """Return when a client is gone; its body was read by now."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_there(receive: Receive, work: Awaitable[T]) -> T:
    """Return what comes of work for a client, as long as it is there; what is left off has ended when this does.

    :param receive: the request's, of which the body was read.
    :raises Gone: when the client goes first.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Gone
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)

"""A response whose body comes bit by bit: a reader that is too slow for it is left, and one that is gone ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")


class Pieces(Response):
    """A body in pieces.

    :param pieces: closed in the end, however it comes.
    :param seconds: for which a reader may not take a piece.
    :param is_watching: whether the client's going is looked for here; else by `pieces`, which reads its request still.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes],
        media: str,
        seconds: float,
        *,
        is_watching: bool,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store"}, media_type=media)
        del self.headers["content-length"]
        self._pieces, self._seconds, self._is_watching = pieces, seconds, is_watching

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        working = [asyncio.ensure_future(self._send(send))]
        if self._is_watching:
            working.append(asyncio.ensure_future(gone(receive)))
        try:
            await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in working:
                one.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            await self._pieces.aclose()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self._pieces:
            async with asyncio.timeout(self._seconds):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def gone(receive: Receive) -> None:
    """Return when a client is gone; its body was read by now."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_there(receive: Receive, answer: Awaitable[T]) -> T:
    """Wait for an answer as long as its client does.

    :raises ClientDisconnect: when it is gone first.
    """
    working = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(gone(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return await working
    finally:
        working.cancel()
        leaving.cancel()

"""A response whose body comes bit by bit: a reader that is too slow for it is left, and one that is gone ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Pieces(Response):
    """A body in pieces.

    :param pieces: closed in the end, however it comes.
    :param seconds: for which a reader may not take a piece.
    :param is_watching: whether the client's going is looked for here; else by `pieces`, which reads its request still.
    :param ended: told when the response is over.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes],
        media: str,
        seconds: float,
        *,
        is_watching: bool,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store"}, media_type=media)
        del self.headers["content-length"]
        self._pieces, self._seconds, self._is_watching = pieces, seconds, is_watching
        self._ended = ended

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
            self._ended()

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

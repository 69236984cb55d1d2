"""A response whose body comes bit by bit: a reader that is too slow for it is left, and one that is gone ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from functory_sdk.faces import Gone, while_there


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
        try:
            with suppress(Gone, TimeoutError):  # a reader that is gone, or too slow, is told nothing more
                await (while_there(receive, self._send(send)) if self._is_watching else self._send(send))
        finally:
            await self._pieces.aclose()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self._pieces:
            async with asyncio.timeout(self._seconds):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

"""An answer that is there whole: JSON, whose bytes are known."""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import Receive, Scope, Send

MEDIUM = (b"content-type", b"application/json")


class Whole:
    """An ASGI application that answers JSON."""

    __slots__ = ("_content", "_status")

    def __init__(self, content: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._content, self._status = content, status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [MEDIUM, (b"content-length", str(len(self._content)).encode())]
        await send({"type": "http.response.start", "status": int(self._status), "headers": headers})
        await send({"type": "http.response.body", "body": self._content})

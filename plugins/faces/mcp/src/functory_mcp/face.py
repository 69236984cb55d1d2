"""Tools by streamable HTTP, on the server: each message is a request of its own, which any of the server's workers may answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from functory_mcp.speaking import Answering, Context, Told, speaking
from functory_sdk import Asked, Face, Function, Served
from functory_sdk.faces import App, Receive, Scope, Send, respond

MOST_BYTES = 2**40
"""The server has a limit of its own on bodies, which its user sets."""


class Mcp(Face):
    """Speaks the Model Context Protocol."""

    help = "as tools of assistants that speak MCP, by streamable HTTP"
    paths = ("/mcp",)

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        made = speaking(Hosted(served))
        # Who may send at all, the server decides for all its routes: hosts, origins, tokens.
        manager = StreamableHTTPSessionManager(made, stateless=True, max_request_body_size=MOST_BYTES)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            served.asked(scope).functions  # noqa: B018 - whom no token lets in is told so by HTTP, before the protocol begins
            if scope["method"] == "POST" and scope["path"].rstrip("/") == "/mcp":
                await manager.handle_request(scope, receive, send)
            else:
                await _refuse(send, scope)

        async with manager.run():
            yield answer


class Hosted(Answering):
    """Computes on the server, together with what others ask, for what the request's token may use."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def functions(self, context: Context) -> Mapping[str, Function]:
        return self._asked(context).functions

    async def answer(self, context: Context, name: str, fields: Mapping[str, Any], told: Told) -> bytes:
        [output] = await self._asked(context).answer(name, [dict(fields)])
        return output

    def fault(self, context: Context, error: Exception) -> Mapping[str, str]:
        document = self._asked(context).problem(error).document
        return {name: str(document[name]) for name in ("error", "what", "where", "do", "request") if document.get(name)}

    def _asked(self, context: Context) -> Asked:
        """Return the HTTP request that a message came by."""
        return self._served.asked(context.request.scope)


async def _refuse(send: Send, scope: Scope) -> None:
    """Say that there is nothing to get: messages are posted, and no stream is kept open besides their answers."""
    is_here = scope["path"].rstrip("/") == "/mcp"
    status = HTTPStatus.METHOD_NOT_ALLOWED if is_here else HTTPStatus.NOT_FOUND
    await respond(send, b"", "", status, {"allow": "POST"} if is_here else None)

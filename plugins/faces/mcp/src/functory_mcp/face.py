"""Tools by streamable HTTP, on the server: each message is a request of its own, which any of the server's workers may answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from functory_mcp.speaking import Answering, Context, Told, speaking
from functory_mcp.tools import named
from functory_sdk import Asked, Face, Function, Served
from functory_sdk.faces import App, Receive, Scope, Send, respond, respond_json
from functory_sdk.openapi import answer, events, sent

NUMBER = {"description": "A text or a whole number, by which the answer is known; the protocol's own server looks no closer."}
MESSAGE = {
    "type": "object", "required": ["jsonrpc", "method"],
    "properties": {"jsonrpc": {"const": "2.0"}, "id": NUMBER, "method": {"type": "string"},
                   "params": {"type": ["object", "null"]}},
}  # fmt: skip
ANSWER = {
    "type": "object", "required": ["jsonrpc"],
    "properties": {"jsonrpc": {"const": "2.0"}, "id": {"type": ["string", "integer", "null"]}, "result": {"type": "object"},
                   "error": {"type": "object"}},
}  # fmt: skip
UNREAD = {"jsonrpc": "2.0", "id": None, "error": {
    "code": -32600, "message": "a message is sent as JSON: Content-Type: application/json.",
}}  # fmt: skip
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

        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            served.asked(scope).functions  # noqa: B018 - whom no token lets in is told so by HTTP, before the protocol begins
            if scope["method"] == "POST" and scope["path"].rstrip("/") == "/mcp" and not _is_json(scope):
                await respond_json(send, UNREAD, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            elif scope["method"] == "POST" and scope["path"].rstrip("/") == "/mcp":
                await manager.handle_request(scope, receive, send)
            else:
                await _refuse(send, scope)

        async with manager.run():
            yield answered

    def described(self, functions: Mapping[str, Function]) -> dict[str, Any]:
        names = [*named(functions)]
        schemas = {"MCP.Message": MESSAGE, "MCP.Answer": ANSWER}
        asks = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        told = answer("The message's answer, as JSON or as an event.", {"$ref": "#/components/schemas/MCP.Answer"})
        told["content"] |= events({"$ref": "#/components/schemas/MCP.Answer"}, "The answer.")
        post = {
            "operationId": "mcp",
            "summary": f"Tools of assistants, by the Model Context Protocol: {', '.join(names)}",
            "description": "Clients say that they accept application/json and text/event-stream.",
            "requestBody": sent({"$ref": "#/components/schemas/MCP.Message"}, asks),
            "responses": {
                "200": told, "202": {"description": "It wants no answer."},
                "default": answer("It is no message of the protocol.", {"type": "object"}, is_problem=True),
            },
        }  # fmt: skip
        return {"paths": {"/mcp": {"post": post}}, "components": {"schemas": schemas}}


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


def _is_json(scope: Scope) -> bool:
    """Return whether a request says that its body is JSON; the SDK refuses any other without a word of JSON."""
    said = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return bool(said.partition(b";")[0].strip().lower() == b"application/json")


async def _refuse(send: Send, scope: Scope) -> None:
    """Say that there is nothing to get: messages are posted, and no stream is kept open besides their answers."""
    is_here = scope["path"].rstrip("/") == "/mcp"
    status = HTTPStatus.METHOD_NOT_ALLOWED if is_here else HTTPStatus.NOT_FOUND
    await respond(send, b"", "", status, {"allow": "POST"} if is_here else None)

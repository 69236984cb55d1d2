"""The routes: which request is answered by what, whole or as server-sent events, and errors in the clients' shape."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from functory_openai.chat import Chat
from functory_openai.completions import Completion
from functory_openai.embeddings import embeddings
from functory_openai.models import is_usable, model, model_of, models
from functory_openai.places import CHAT, COMPLETIONS, EMBEDDINGS, MODELS
from functory_openai.refusals import NoRoute, status_of, told
from functory_sdk import Asked, Face, Function, FunctoryError, Served
from functory_sdk.faces import App, Receive, Scope, Send, respond_json, while_there

Event = dict[str, Any]  # Any: JSON


class OpenAI(Face):
    """Speaks as OpenAI's server does, to its clients."""

    help = "as OpenAI's server, for its clients: chat, completions, embeddings, models"
    paths = (MODELS, CHAT, COMPLETIONS, EMBEDDINGS)

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        since = int(time.time())

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            asked = served.asked(scope)
            try:
                found = await _answered(asked, scope, since, served)
            except FunctoryError as error:
                problem, allow = asked.problem(error), {"allow": getattr(error, "allow", "")}
                await respond_json(send, told(error, problem), status_of(error, problem), {**problem.headers, **allow})
                return
            if isinstance(found, dict):
                await respond_json(send, found)
            else:
                await _send_events(asked, found, receive, send)

        yield answer

    def answers(self, function: Function) -> bool:
        return is_usable(function)

    def described(self, functions: Mapping[str, Function]) -> dict[str, Any]:
        from functory_openai.openapi import described

        return described(functions)


async def _answered(asked: Asked, scope: Scope, since: int, served: Served) -> Event | AsyncGenerator[Event]:
    """Return the answer to a request: whole, or its events.

    :raises FunctoryError: what is wrong with it.
    """
    path, method = scope["path"].rstrip("/"), scope["method"]
    if path.startswith(MODELS):
        _check(method, "GET")
        name = path.removeprefix(MODELS).lstrip("/")
        if not name:
            return {**served.added(MODELS, asked.functions), **models(asked.functions, since)}
        model_of(asked, name, is_usable, "writes or gives vectors")
        return model(name, since)
    if path not in (CHAT, COMPLETIONS, EMBEDDINGS):
        raise NoRoute(HTTPStatus.NOT_FOUND, "there is nothing at this path.", f"there are: {', '.join(OpenAI.paths)}.")
    _check(method, "POST")
    asked.functions  # noqa: B018 - whom no token lets in is told so before anything is read
    body = await asked.json()
    if path == EMBEDDINGS:
        return await embeddings(asked, body)
    request = Chat(asked, body) if path == CHAT else Completion(asked, body)
    return await (request.stream() if request.said.stream else request.whole())


def _check(method: str, wanted: str) -> None:
    """Refuse another method than a path takes.

    :raises NoRoute: naming it.
    """
    if method != wanted:
        raise NoRoute(HTTPStatus.METHOD_NOT_ALLOWED, f"this path is no place to {method}.", f"{wanted} it.", allow=wanted)


async def _send_events(asked: Asked, events: AsyncGenerator[Event], receive: Receive, send: Send) -> None:
    """Send events as they come, until they end or the client is gone."""
    try:
        await while_there(receive, _each_event(asked, events, send))
    finally:
        await events.aclose()


async def _each_event(asked: Asked, events: AsyncGenerator[Event], send: Send) -> None:
    head = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    try:
        async for event in events:
            await send({"type": "http.response.body", "body": _line(json.dumps(event, ensure_ascii=False)), "more_body": True})
    except Exception as error:  # whatever it is: the answer has begun, and its client waits for an end
        last = _line(json.dumps(told(error, asked.problem(error)), ensure_ascii=False))
    else:
        last = _line("[DONE]")
    await send({"type": "http.response.body", "body": last})


def _line(data: str) -> bytes:
    return f"data: {data}\n\n".encode(errors="replace")

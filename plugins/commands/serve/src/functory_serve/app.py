"""The server as an ASGI application: its routes, and what each answers.

Starlette, and not what is built upon it: the types of functions are JSON Schemas that tasks make, and no Python types, so that
nothing of a framework that reads these would be used.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from functory_sdk import Function, FunctoryError
from functory_serve import events, jsonlines, log, openapi
from functory_serve.access import Access, Token
from functory_serve.admission import Overloaded
from functory_serve.bodies import body_of, check_medium, input_of, inputs_of, medium_of, parsed
from functory_serve.borders import Borders
from functory_serve.cards import card, line
from functory_serve.computing import Outcome
from functory_serve.limits import Limits
from functory_serve.measures import MEDIA
from functory_serve.pieces import Pieces, gone
from functory_serve.problems import FunctionFailed, Refusal, refused, status_of
from functory_serve.service import Reopen, Service
from functory_serve.serving import Serving

T = TypeVar("T")
Answer = Callable[[Request], Awaitable[Response]]
ID = re.compile(r"[\w.-]{1,128}", re.ASCII)
"""What a client may call its request."""
GONE = 499
"""The status of a request whose client has gone: nobody reads it but the metrics."""
TIMEOUT = "Request-Timeout"
"""The header by which a client says how many seconds it waits."""


def app(
    functions: Mapping[str, Function],
    limits: Limits | None = None,
    *,
    reopen: Reopen | None = None,
    tokens: Sequence[Token] = (),
    logs: bool = False,
    domains: Collection[str] = (),
    proxies: Sequence[str] = (),
) -> Starlette:
    """Return functions as an ASGI application, for any server that runs one.

    :param functions: by the names under which they are served.
    :param reopen: opens what is served under a name again, for a reload.
    :param tokens: who may ask; everyone when empty.
    :param logs: whether each answer is written down, and not failures alone.
    :param domains: names by which the server is reached, besides this machine's own, as `Borders` takes them.
    :param proxies: addresses, or networks, of proxies that are believed for whom, and by which scheme, they ask.
    """
    service = Service(functions, limits or Limits(), reopen)

    @asynccontextmanager
    async def living(_: Starlette) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            service.close()

    routes = Faces(service, Access(tokens), logs).routes()
    before = [Middleware(ProxyHeadersMiddleware, trusted_hosts=[*proxies])] if proxies else []
    made = Starlette(routes=routes, lifespan=living, exception_handlers={HTTPException: _no_such},
                     middleware=[*before, Middleware(Borders, domains)])  # fmt: skip
    made.state.service = service
    return made


class Faces:
    """What each route answers."""

    def __init__(self, service: Service, access: Access, logs: bool) -> None:
        self._service, self._access, self._logs = service, access, logs

    def routes(self) -> list[Route]:
        """Return the routes."""
        at = "/v1/functions/{name}"
        told = self._told
        return [
            Route("/v1/functions", told(self._list), methods=["GET"]),
            Route(at, told(self._card), methods=["GET"]),
            Route(at, told(self._counted(self._call)), methods=["POST"]),
            Route(f"{at}/stream", told(self._counted(self._stream)), methods=["POST"]),
            Route(f"{at}/explain", told(self._counted(self._explain)), methods=["POST"]),
            Route("/openapi.json", told(self._openapi), methods=["GET"]),
            Route("/healthz", told(self._alive), methods=["GET"]),
            Route("/readyz", told(self._ready), methods=["GET"]),
            Route("/metrics", told(self._metrics), methods=["GET"]),
        ]

    async def _call(self, request: Request) -> Response:
        serving, limits = self._serving(request), self._service.limits
        if medium_of(request) in jsonlines.KNOWN:
            return self._each_line(serving, request)
        seconds = _seconds(request)
        data = parsed(await body_of(request, limits))
        values = inputs_of(serving.function, data, limits)
        outcomes = await while_there(request, serving.answer(values, seconds))
        return _json(joined(outcomes) if isinstance(data, list) else _sound(outcomes[0], ""))

    def _each_line(self, serving: Serving, request: Request) -> Response:
        check_medium(request, jsonlines.KNOWN)
        lines = jsonlines.answered(serving, request, self._service.limits, request.state.id)
        return Pieces(lines, jsonlines.MEDIA, self._service.limits.send_seconds, is_watching=False)

    async def _stream(self, request: Request) -> Response:
        serving, limits = self._serving(request), self._service.limits
        value = input_of(serving.function, parsed(await body_of(request, limits)), "", limits)
        if serving.streams >= limits.streams:
            raise Overloaded("as many texts are being written as may be at once.", 1.0)
        serving.streams += 1
        try:
            texts = events.written(await asyncio.to_thread(serving.function.stream, value), request.state.id)
        except BaseException:
            serving.streams -= 1
            raise
        return Pieces(texts, events.MEDIA, limits.send_seconds, is_watching=True, ended=serving.stream_ended)

    async def _explain(self, request: Request) -> Response:
        serving, limits = self._serving(request), self._service.limits
        asked = asked_of(request)
        value = input_of(serving.function, parsed(await body_of(request, limits)), "", limits)
        found = await while_there(request, serving.explained(value, asked))
        return _json(found.model_dump_json().encode())

    async def _metrics(self, request: Request) -> Response:
        self._visible(request)
        return Response(self._service.measures.page(), media_type=MEDIA)

    def _counted(self, answer: Answer) -> Answer:
        """Return a route's answer, counted by its status where it is one function's."""

        async def counted(request: Request) -> Response:
            serving = self._service.servings.get(request.path_params["name"])
            try:
                self._access.spend(request.headers.get("authorization", ""), time.monotonic())
                response = await answer(request)
            except Exception as error:
                if serving is not None:
                    serving.measures.answered(GONE if isinstance(error, ClientDisconnect) else int(status_of(error)))
                raise
            if serving is not None:
                serving.measures.answered(response.status_code)
            return response

        return counted

    async def _card(self, request: Request) -> Response:
        serving = self._serving(request)
        return _json(_bytes(card(serving.name, serving.function)))

    async def _list(self, request: Request) -> Response:
        servings = self._visible(request)
        lines = [{**line(name, one.function), "waiting": one.batcher.requests} for name, one in servings.items()]
        return _json(_bytes({"functions": lines}))

    async def _openapi(self, request: Request) -> Response:
        from functory_serve import VERSION

        return _json(_bytes(openapi.page({name: one.function for name, one in self._visible(request).items()}, VERSION)))

    async def _alive(self, request: Request) -> Response:
        return _json(b'{"status":"alive"}')

    async def _ready(self, request: Request) -> Response:
        is_ready = self._service.is_ready
        told = {"status": "ready" if is_ready else "not ready", "functions": self._service.states()}
        return _json(_bytes(told), HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)

    def _told(self, answer: Answer) -> Answer:
        """Return a route's answer with its request's id, its errors as problem documents, and a line in the log."""

        async def told(request: Request) -> Response:
            number = request.state.id = request_id(request)
            begun = time.monotonic()
            response = await answered(answer, request, number)
            response.headers["X-Request-Id"] = number
            if self._logs:
                name = request.path_params.get("name", "")
                function = name if name in self._service.servings else ""  # else it may be anything that a client wrote
                client = request.client.host if request.client is not None else ""
                log.write(event="answered", request=number, client=client, method=request.method, function=function,
                          status=response.status_code, seconds=round(time.monotonic() - begun, 6))  # fmt: skip
            return response

        return told

    def _visible(self, request: Request) -> dict[str, Serving]:
        """Return the functions that a request may have.

        :raises Refusal: when no token lets it in.
        """
        servings = self._service.servings
        return {name: servings[name] for name in self._access.functions(request.headers.get("authorization", ""), servings)}

    def _serving(self, request: Request) -> Serving:
        """Return the function that a path names.

        :raises Refusal: when there is none, or none that the request may have.
        """
        name, servings = request.path_params["name"], self._visible(request)
        if name not in servings:
            what = "there is no function of that name here."
            raise Refusal(HTTPStatus.NOT_FOUND, what, do=f"there are: {', '.join(servings)}.")
        return servings[name]


async def answered(answer: Answer, request: Request, number: str) -> Response:
    """Return the answer to a request, or what is wrong with it.

    :param number: the request's id.
    """
    try:
        return await answer(request)
    except ClientDisconnect:
        return Response(status_code=GONE)  # nobody reads it
    except Exception as error:
        if status_of(error) is HTTPStatus.INTERNAL_SERVER_ERROR:
            log.failed(number, error)
        return refused(error, number)


def request_id(request: Request) -> str:
    """Return what a request is called: as its client says, or as nobody is."""
    named = request.headers.get("x-request-id", "")
    return named if ID.fullmatch(named) else os.urandom(8).hex()


def asked_of(request: Request) -> dict[str, str]:
    """Return how an explanation is asked for, by a path's query.

    :raises Refusal: for anything else there.
    """
    asked = dict(request.query_params)
    unknown = next((name for name in asked if name not in ("method", "target")), None)
    if unknown is not None:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"there is no option {unknown!r} here.", do="there are: method, target.")
    return asked


async def while_there(request: Request, answer: Awaitable[T]) -> T:
    """Wait for an answer as long as its client does.

    :raises ClientDisconnect: when it is gone first.
    """
    working = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(gone(request.receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return await working
    finally:
        working.cancel()
        leaving.cancel()


def joined(outcomes: list[Outcome]) -> bytes:
    """Return the outputs of a list as one.

    :raises BaseException: what is wrong with the first that has none, with its place.
    """
    return b"[" + b",".join(_sound(one, f"input {number}") for number, one in enumerate(outcomes, 1)) + b"]"


def _sound(outcome: Outcome, where: str) -> bytes:
    if isinstance(outcome, bytes):
        return outcome
    if isinstance(outcome, FunctoryError):
        raise outcome.located(where)
    raise FunctionFailed("the function failed.", where=where, do="look into the log.") from outcome


def _seconds(request: Request) -> float | None:
    """Return how long a client waits; None where it does not say.

    :raises Refusal: when it says no number.
    """
    said = request.headers.get(TIMEOUT)
    if said is None:
        return None
    with suppress(ValueError):
        if 0 < float(said) < float("inf"):
            return float(said)
    raise Refusal(HTTPStatus.BAD_REQUEST, f"{TIMEOUT} is no number of seconds.", where=f"the header {TIMEOUT}", do="write 0.5.")


def _json(content: bytes, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(content, status, media_type="application/json")


def _bytes(value: Any) -> bytes:  # Any: plain data
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def _no_such(request: Request, error: Exception) -> Response:
    """Tell what Starlette refuses: a path that is none, a method that it does not take."""
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    return refused(Refusal(status, f"{status.phrase.lower()}.", do="see /openapi.json."), request_id(request))

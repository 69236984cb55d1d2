"""The server as an ASGI application: its routes, and what each answers.

Starlette, and not what is built upon it: the types of functions are JSON Schemas that tasks make, and no Python types, so that
nothing of a framework that reads these would be used.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from functory_sdk import DIGEST, Face, Function, card, card_line, digests
from functory_sdk.faces import App, Gone, Receive, Scope, Send
from functory_serve import events, jsonlines, log, openapi
from functory_serve.access import Access, Token
from functory_serve.asked import KEY, Requested, ServedFunctions, id_of
from functory_serve.bodies import check_medium
from functory_serve.borders import Borders, is_loopback
from functory_serve.documents import document
from functory_serve.gate import AT, Gate
from functory_serve.head import head_of
from functory_serve.limits import Limits
from functory_serve.measures import MEDIA
from functory_serve.mounting import Mounted, installed, living, mounts, speaking
from functory_serve.pieces import Pieces
from functory_serve.problems import Refusal, problem_of, refused, status_of
from functory_serve.service import Reopen, Service
from functory_serve.tracing import Traced, Traces
from functory_serve.whole import Whole

Answer = Callable[[Requested], Awaitable[ASGIApp]]
MADE_BY = DIGEST.lower().encode()
GONE = 499
"""The status of a request whose client has gone: nobody reads it but the metrics."""


def app(
    functions: Mapping[str, Function],
    limits: Limits | None = None,
    *,
    reopen: Reopen | None = None,
    tokens: Sequence[Token] = (),
    logs: bool = False,
    domains: Collection[str] = (),
    proxies: Sequence[str] = (),
    faces: Sequence[Face] | None = None,
    reloader: str = "",
    traces: Traces | None = None,
) -> Application:
    """Return functions as an ASGI application, for any server that runs one.

    :param functions: by the names under which they are served.
    :param reopen: opens what is served under a name again, for a reload.
    :param tokens: who may ask; everyone when empty.
    :param logs: whether each answer is written down, and not failures alone.
    :param domains: names by which the server is reached, besides this machine's own, as `Borders` takes them.
    :param proxies: addresses, or networks, of proxies that are believed for whom, and by which scheme, they ask.
    :param faces: by which it is spoken to besides; all that are installed when None.
    :param reloader: the SHA-256 of a word that lets its holder reload the functions, besides tokens that may.
    :param traces: makes a span of each request; nothing is traced when None.
    """
    traces = traces or Traces()
    service = Service(functions, limits or Limits(), reopen)
    access = Access(tokens, reloader)
    routes = Routes(service, access, logs, traces)
    own = routes.own()
    mounted = routes.mounted(installed() if faces is None else faces, own)
    present = list({one.face.name: one.face for one in mounted}.values())
    served = ServedFunctions(lambda: {name: one.function for name, one in service.servings.items()}, present)

    @asynccontextmanager
    async def lives(_: Starlette) -> AsyncIterator[None]:
        service.start()
        try:
            await service.join()
            async with living(mounted, served):
                yield
        finally:
            service.close()
            await asyncio.to_thread(traces.close)

    def front(rest: ASGIApp) -> ASGIApp:
        """Return what all requests come to first, of what answers them."""
        gated = rest if traces.is_on else Gate(rest, service, access, routes.note)  # a span is of the whole way
        first: Any = Borders(gated, domains, service.measures.refused)  # Any: uvicorn and Starlette do not type scopes alike
        return ProxyHeadersMiddleware(first, trusted_hosts=[*proxies]) if proxies else first  # type: ignore[return-value]

    made = Application(front, routes.call, routes=[*mounted, *own], lifespan=lives, exception_handlers={HTTPException: _no_such})
    made.state.service = service
    made.state.faces = lambda: speaking(mounted, service.functions.values())
    return made


class Application(Starlette):
    """Starlette, with a short way to what is asked most: a function's output. Its route is found by what its path begins with,
    and not by looking through all of them; and it is answered outside the middleware that makes answers of errors, since what a
    route raises is told by then.

    :param front: makes what all requests come to first, of what answers them.
    :param call: the route of a function's output.
    """

    def __init__(self, front: Callable[[ASGIApp], ASGIApp], call: Route, **more: Any) -> None:  # Any: as Starlette takes it
        super().__init__(**more)
        self._call, self._front = call, front(self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._front(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"][len(AT) :] if scope["type"] == "http" and scope["path"].startswith(AT) else ""
        if name and "/" not in name and scope["method"] == "POST":
            scope["path_params"] = {"name": name}
            await self._call.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Routes:
    """What each route answers."""

    def __init__(self, service: Service, access: Access, logs: bool, traces: Traces) -> None:
        self._service, self._access, self._logs, self._traces = service, access, logs, traces
        self._faces: list[tuple[Face, list[str]]] = []
        """Those that answer, each with its paths."""
        self.call = self._route(f"{AT}{{name}}", self._call, "POST")
        """The route of a function's output."""

    def own(self) -> list[BaseRoute]:
        """Return the server's own routes."""
        at = f"{AT}{{name}}"
        return [
            self._route("/v1/functions", self._list),
            self._route(at, self._card),
            self.call,
            self._route(f"{at}/stream", self._stream, "POST"),
            self._route(f"{at}/explain", self._explain, "POST"),
            self._route("/v1/reload", self._reload, "POST"),
            self._route("/openapi.json", self._openapi),
            self._route("/docs", self._docs),
            self._route("/healthz", self._alive),
            self._route("/readyz", self._ready),
            self._route("/metrics", self._metrics),
        ]

    def mounted(self, faces: Sequence[Face], own: Sequence[BaseRoute]) -> list[Mounted]:
        """Return where faces answer."""
        found = mounts(faces, own, self.told)
        by_name = {one.face.name: one.face for one in found}
        self._faces = [(face, [one.path for one in found if one.face is face]) for face in by_name.values()]
        return found

    def told(self, answer: App) -> App:
        """Return an application of which each request has its id, its limits, its errors as problem documents until its answer
        begins, a count by its status where it used a function, and a line in the log.
        """

        async def told(scope: Scope, receive: Receive, send: Send) -> None:
            with self._traces.request(scope) as traced:
                await followed(scope, receive, send, traced)

        async def followed(scope: Scope, receive: Receive, send: Send, traced: Traced | None) -> None:
            asked = Requested(scope, receive, self._service, self._access)
            scope[KEY] = asked
            begun, status = time.monotonic(), 0

            def noted(message: Any) -> Awaitable[None]:  # Any: of ASGI
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                    own = self._of_which(asked) if status < HTTPStatus.BAD_REQUEST else []
                    message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", asked.id.encode()), *own]}
                return send(message)

            try:
                await answer(scope, asked.receive, noted)
            except (ClientDisconnect, Gone):
                status = status or GONE  # nobody reads it
            except Exception as error:
                if status:  # its answer has begun, and can say no more
                    log.failed(asked.id, error)
                    raise
                status = int(status_of(error))
                problem = asked.problem(error)
                self._service.measures.refused(asked.used, status, problem.document["error"])
                await refused(problem)(scope, receive, noted)
            finally:
                self.note(asked.id, asked.used, scope, status, time.monotonic() - begun)
                if traced is not None:
                    traced.ended(asked.used, asked.id, status)

        return told

    def _of_which(self, asked: Requested) -> list[tuple[bytes, bytes]]:
        """Return the header that says of which function an answer is."""
        serving = self._service.servings.get(asked.used)
        return [] if serving is None or asked.met is None else [(MADE_BY, digests(asked.met, serving.function).encode())]

    def _route(self, path: str, answer: Answer, method: str = "GET") -> Route:
        """Return a route that one method answers."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            asked: Requested = scope[KEY]
            response = await answer(asked)
            await response(scope, receive, send)

        return Route(path, Own(self.told(application)), methods=[method])

    def note(self, request: str, function: str, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that has its answer, and write it down.

        :param request: its id.
        :param function: that it used; empty when none.
        """
        if function in self._service.servings:
            self._service.servings[function].measures.answered(status)
        if self._logs:
            client = (scope.get("client") or ("",))[0]
            log.write(event="answered", request=request, client=client, method=scope["method"], function=function,
                      status=status, seconds=round(seconds, 6))  # fmt: skip

    async def _call(self, asked: Requested) -> ASGIApp:
        name = _name(asked)
        if asked.head.medium in jsonlines.KNOWN:
            check_medium(asked.head, jsonlines.KNOWN)
            lines = jsonlines.answered(asked.using(name), asked.raw, self._service.limits, asked.id)
            return Pieces(lines, jsonlines.MEDIA, self._service.limits.send_seconds, is_watching=False)
        asked.using(name)
        data = await asked.json()
        if isinstance(data, list):
            return _json(b"[" + b",".join(await asked.answers(name, data, {}, is_list=True)) + b"]")
        return _json((await asked.answer(name, [data]))[0])

    async def _stream(self, asked: Requested) -> ASGIApp:
        name = _name(asked)
        asked.using(name)
        text = await asked.write(name, await asked.json())
        return Pieces(events.written(text, asked.problem), events.MEDIA, self._service.limits.send_seconds, is_watching=True)

    async def _explain(self, asked: Requested) -> ASGIApp:
        name = _name(asked)
        asked.using(name)
        how = asked_of(Request(asked.scope))
        found = await asked.explain(name, await asked.json(), **how)
        return _json(found.model_dump_json().encode())

    async def _metrics(self, asked: Requested) -> Response:
        asked.servings  # noqa: B018 - refuses whom no token lets in
        return Response(await self._service.metrics(), media_type=MEDIA)

    async def _card(self, asked: Requested) -> ASGIApp:
        serving = asked.serving(_name(asked))
        return _json(_bytes({**card(serving.name, serving.function), "url": _url(serving.name)}))

    async def _list(self, asked: Requested) -> ASGIApp:
        lines = [
            {**card_line(name, one.function), "url": _url(name), "waiting": one.batcher.requests}
            for name, one in asked.servings.items()
        ]
        return _json(_bytes({"functions": lines}))

    async def _openapi(self, asked: Requested) -> ASGIApp:
        from functory_serve import VERSION

        page = openapi.page(asked.functions, VERSION)
        for face, paths in self._faces:
            openapi.add(page, face, paths, asked.functions)
        return _json(_bytes(page))

    async def _docs(self, asked: Requested) -> Response:
        return document()

    async def _reload(self, asked: Requested) -> ASGIApp:
        self._access.check_reload(asked.authorization, is_near(Request(asked.scope)))
        return _json(_bytes({"functions": await self._service.reload_all()}))

    async def _alive(self, asked: Requested) -> ASGIApp:
        return _json(b'{"status":"alive"}')

    async def _ready(self, asked: Requested) -> ASGIApp:
        is_ready, told = await self._service.readiness()
        return _json(_bytes(told), HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)


class Own:
    """A route's application; Starlette takes a plain function for an endpoint of its own kind."""

    def __init__(self, application: App) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)


def asked_of(request: Request) -> dict[str, str]:
    """Return how an explanation is asked for, by a path's query.

    :raises Refusal: for anything else there.
    """
    asked = {name: value for name, value in request.query_params.items() if value}
    unknown = next((name for name in asked if name not in ("method", "target")), None)
    if unknown is not None:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"there is no option {unknown!r} here.", do="there are: method, target.")
    return asked


def is_near(request: Request) -> bool:
    """Whether a request comes from this machine, and for nobody else: a proxy says so."""
    is_handed_on = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "via"))
    return request.client is not None and is_loopback(request.client.host) and not is_handed_on


def _url(name: str) -> str:
    return f"/v1/functions/{name}"


def _name(asked: Requested) -> str:
    """Return the function that a path names."""
    name: str = asked.scope["path_params"]["name"]
    return name


def _json(content: bytes, status: HTTPStatus = HTTPStatus.OK) -> ASGIApp:
    return Whole(content, status)


def _bytes(value: Any) -> bytes:  # Any: plain data
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def _no_such(request: Request, error: Exception) -> Response:
    """Tell what Starlette refuses: a path that is none, a method that it does not take."""
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    number = id_of(head_of(request.scope).get(b"x-request-id"))
    response = refused(problem_of(Refusal(status, f"{status.phrase.lower()}.", do="see /openapi.json."), number))
    response.headers["X-Request-Id"] = number
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        found = {method for route in request.app.routes if isinstance(route, Route)
                 if route.matches(request.scope)[0] is not Match.NONE for method in route.methods or ()}  # fmt: skip
        response.headers["Allow"] = ", ".join(sorted(found))
    return response

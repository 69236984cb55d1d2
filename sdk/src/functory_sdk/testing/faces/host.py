"""A server in this process, without sockets: what a client sends it, what the client hears, and when the client goes.

Apart from the checks: here is ASGI alone. It is the real server with all its limits, found by its verb.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from functory.contracts.face import App, Face
from functory.function import Function
from functory.plugins import registry as plugins

PATIENCE = 60.0
"""Seconds after which an answer, or the end of one that nobody waits for, never comes; of a machine that has much else to do."""
SENT = {"content-type": "application/json"}


@dataclass(frozen=True)
class Question:
    """A request, as a client sends it."""

    path: str
    body: bytes = b""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=lambda: SENT)

    @classmethod
    def of(cls, path: str, value: Any, **headers: str) -> Question:  # Any: JSON
        """Return a request that sends JSON.

        :param headers: further ones, ``_`` for ``-`` in their names.
        """
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(path, json.dumps(value, ensure_ascii=False).encode(), headers={**SENT, **more})

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Heard:
    """What came back; the status is 0 where the client went before anything did."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as a text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def words(self) -> str:
        """All that is to be read in the body: the texts that its JSON holds, a line each, or the body itself."""
        try:
            return "\n".join(_texts(self.json))
        except ValueError:
            return self.body.decode(errors="replace")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    else:
        yield str(value)


class Host:
    """A server that works.

    :param app: its application.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def hear(
        self, question: Question, *, leaves: asyncio.Event | None = None, first: asyncio.Event | None = None
    ) -> Heard:
        """Send a request; return what comes back, once the application is done with it.

        :param leaves: when it is set, the client is gone.
        :param first: set when the first piece of the answer's body comes.
        """
        leaves = leaves or asyncio.Event()
        sent: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": question.body, "more_body": False}]
        status, headers, pieces = 0, dict[str, str](), list[bytes]()

        async def receive() -> MutableMapping[str, Any]:
            if sent:
                return sent.pop()
            await leaves.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers.update((name.decode(), value.decode("latin-1")) for name, value in message.get("headers", ()))
            elif body := message.get("body", b""):
                pieces.append(bytes(body))
                if first is not None:
                    first.set()

        async with asyncio.timeout(PATIENCE):
            await self._app(_scope(question), receive, send)
        return Heard(status, {name.lower(): value for name, value in headers.items()}, b"".join(pieces))


@asynccontextmanager
async def hosted(functions: Mapping[str, Function], faces: Sequence[Face], **more: Any) -> AsyncIterator[Host]:
    """Serve functions by faces while the block runs.

    Needs the verb `serve` (functory-serve).

    :param more: ``limits`` and ``tokens``, as a serve.toml has them, and what else the server takes.
    """
    serve: Any = plugins.load("commands", "serve")
    app: App = serve.app(functions, faces=faces, **more)
    asked: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    told: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    living = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, asked.get, told.put))

    async def step(what: str) -> None:
        await asked.put({"type": f"lifespan.{what}"})
        answer = asyncio.ensure_future(told.get())
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait((answer, living), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            living.result()
        assert answer.result()["type"] == f"lifespan.{what}.complete", f"the server refuses its {what}: {answer.result()}"

    await step("startup")
    try:
        yield Host(app)
    finally:
        await step("shutdown")
        await living


def _scope(question: Question) -> dict[str, Any]:
    headers = {"host": "127.0.0.1", "content-length": str(len(question.body)), **question.headers}
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    path, _, query = question.path.partition("?")
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": question.method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query.encode(),
        "headers": pairs, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip

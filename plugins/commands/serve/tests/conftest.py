"""A real server on a free port of this machine, in a thread, with tiny functions; and a client that says what it got."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from functory_sdk.testing import kit, toy_function
from functory_serve.app import app
from functory_serve.limits import Limits
from functory_serve.running import meanwhile


@dataclass
class Got:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Asks a server at a port."""

    port: int
    service: Any = None
    connections: Callable[[], list[Any]] = list
    """The connections that the server has, as uvicorn knows them."""
    faces: Callable[[], list[Any]] = list
    """The faces that are announced."""

    def ask(self, path: str, body: Any = None, *, method: str = "", headers: Mapping[str, str] | None = None) -> Got:
        """Send a request; a body that is no bytes as JSON."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        told = {"Content-Type": "application/json"} if content is not None else {}
        line.request(method or ("GET" if content is None else "POST"), path, content, {**told, **(headers or {})})
        answer = line.getresponse()
        found = Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        line.close()
        return found

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so: on a machine that does other things beside it may take its time."""
        deadline = time.monotonic() + 60
        while not is_so():
            assert time.monotonic() < deadline, "it never was"
            time.sleep(0.01)

    def ready(self) -> None:
        """Wait until the server is."""
        self.until(lambda: self.ask("/readyz").status == 200)


@contextmanager
def serving(functions: Mapping[str, Any], limits: Limits | None = None, **more: Any) -> Iterator[Client]:
    """Serve functions for a while."""
    made = app(functions, limits, **more)
    with meanwhile(made, limits or Limits()) as (url, server):
        yield Client(int(url.rpartition(":")[2]), made.state.service, lambda: [*server.server_state.connections],
                     made.state.faces)  # fmt: skip


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """`serving`, for a server of the test's own."""
    return serving


@pytest.fixture(scope="session")
def toy() -> Iterator[Any]:
    with kit():
        yield toy_function()


@pytest.fixture(scope="session")
def client(toy: Any) -> Iterator[Client]:
    """A server with the toy function that all tests share which change nothing."""
    with serving({"toy": toy}) as found:
        found.ready()
        yield found


class Slow:
    """A function that waits, before a batch that says so, until it is told to go."""

    def __init__(self, of: Any) -> None:
        self.of = of
        self.go, self.is_waiting = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)

    def map(self, values: Any, *, progress: bool | None = None) -> Any:
        if any(value.text == "wait" for value in values):
            go = self.go
            self.is_waiting.set()
            assert go.wait(60)
        return self.of.map(values, progress=progress)


@pytest.fixture
def slow(toy: Any) -> Slow:
    return Slow(toy)

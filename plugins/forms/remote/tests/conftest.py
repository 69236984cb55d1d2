"""A real server on a free port of this machine, and one that answers as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functory_sdk import Function
from functory_sdk.testing import kit, toy_function
from functory_serve.app import app
from functory_serve.limits import Limits
from functory_serve.running import meanwhile

Reply = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """One request to a server whose answers a test makes."""

    protocol_version = "HTTP/1.1"

    def reply(self, status: int, body: Any, **headers: str) -> None:
        """Answer with JSON, or with bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def given(self) -> Any:
        """Return the body, from its JSON."""
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_GET(self) -> None:
        self.server.answer(self)  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        self.server.answer(self)  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def answering(answer: Reply) -> Iterator[str]:
    """Let a server answer as a function says; give its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    server.answer = answer  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(functions: Any, certificate: tuple[str, str] | None = None, **more: Any) -> Iterator[tuple[str, Any]]:
    """Serve functions for a while; give the server's URL, and its service."""
    limits = more.pop("limits", Limits())
    made = app(functions, limits, **more)
    with meanwhile(made, limits, certificate) as (found, _):
        yield found, made.state.service


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """`serving`, for a server of the test's own."""
    return serving


@pytest.fixture(scope="session")
def answer() -> Callable[[Reply], Any]:
    """`answering`, for a server that says what a test says."""
    return answering


@pytest.fixture(scope="session")
def toy() -> Iterator[Function]:
    with kit():
        yield toy_function()


@pytest.fixture(scope="session")
def url(toy: Function) -> Iterator[str]:
    """A server of the toy function."""
    with serving({"toy": toy}) as (found, _):
        yield found

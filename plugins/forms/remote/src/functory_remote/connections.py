"""HTTP connections to one server, kept open, as many as ask at once.

The standard library's: what is needed is a request, an answer, and a body that comes line by line. Nothing follows a redirect,
so that no token goes to a server that nobody named.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, RemoteDisconnected

from functory_remote.errors import RemoteError, Unreachable
from functory_remote.place import Place
from functory_sdk import message_of

LONGEST = 256_000_000
"""Bytes of the longest answer that is read."""
KEPT_SECONDS = 10.0
STALE = (RemoteDisconnected, ConnectionResetError, BrokenPipeError, ConnectionAbortedError)
"""What a connection says that the server closed while nobody asked."""


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """By their names in small letters."""
    body: bytes


class Connections:
    """Connections to one server; safe to use from many threads, and after a fork.

    :param seconds: how long one may be silent.
    """

    def __init__(self, place: Place, seconds: float) -> None:
        self._place, self._seconds = place, seconds
        self._idle: list[HTTPConnection] = []
        self._process = os.getpid()
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Send a request and return its answer, whatever its status.

        :raises Unreachable: when there is none.
        """
        with self._told():
            connection, response = self._sent(method, path, body, headers)
            try:
                content = response.read(LONGEST + 1)
                if len(content) > LONGEST:
                    raise Unreachable(f"the answer is longer than {LONGEST:,} bytes.", where=self._place.server)
            except BaseException:
                connection.close()
                raise
            answer = Answer(response.status, named(response), content)
            self._keep(connection, response)
            return answer

    @contextmanager
    def opened(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Iterator[HTTPResponse]:
        """Send a request, and give its answer to be read as it comes.

        :raises Unreachable: when there is none.
        """
        with self._told():
            connection, response = self._sent(method, path, body, headers)
        try:
            yield response
        finally:
            connection.close()  # what is not read yet is not wanted

    def close(self) -> None:
        """Close what is not in use."""
        with self._lock:
            idle, self._idle = self._idle, []
        for one in idle:
            one.close()

    def _sent(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[HTTPConnection, HTTPResponse]:
        """Send a request on a connection that is open still, or on a new one."""
        kept = self._taken()
        if kept is not None:
            with suppress(*STALE):
                return kept, _answered(kept, method, path, body, headers)
        fresh = self._fresh()
        return fresh, _answered(fresh, method, path, body, headers)

    def _taken(self) -> HTTPConnection | None:
        """Return an open connection, which is then the caller's."""
        with self._lock:
            if self._process != os.getpid():  # a fork shares the sockets of its parent, and must not speak on them
                self._idle, self._process = [], os.getpid()
            return self._idle.pop() if self._idle else None

    def _fresh(self) -> HTTPConnection:
        place = self._place
        if place.scheme == "https":
            return HTTPSConnection(place.host, place.port, timeout=self._seconds, context=ssl.create_default_context())
        return HTTPConnection(place.host, place.port, timeout=self._seconds)

    def _keep(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        if response.will_close:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say why nothing was answered.

        :raises Unreachable: in place of what the system or the protocol says.
        """
        try:
            yield
        except (OSError, HTTPException, ValueError) as error:
            raise self.wrong(error) from error

    def wrong(self, error: BaseException) -> RemoteError:
        """Return why nothing was answered, for people."""
        server = self._place.server
        if isinstance(error, ConnectionRefusedError):
            return Unreachable("nothing listens there.", where=server, do="start it (functory serve), or correct host and port.")
        if isinstance(error, socket.gaierror):
            what = f"there is no host {self._place.host!r}."
            return Unreachable(what, where=server, do="correct the name, or look at the network.")
        if isinstance(error, ssl.SSLCertVerificationError):
            do = "let SSL_CERT_FILE name the certificate of who signed it, or speak to the name that it is for."
            return Unreachable(f"its certificate is not trusted: {error.verify_message}.", where=server, do=do)
        if isinstance(error, ssl.SSLError):
            return Unreachable("it does not speak TLS as this program does.", where=server, do="try http:// in place of https://.")
        if isinstance(error, TimeoutError):
            what = f"it did not answer within {self._seconds:g} s."
            return Unreachable(what, where=server, do="give more: timeout_seconds=…; or look at the server.")
        if isinstance(error, RemoteDisconnected | ConnectionError):
            return Unreachable("it closed the connection before it answered.", where=server, do="try again; look at the server.")
        if isinstance(error, HTTPException):
            return Unreachable(f"what answers does not speak HTTP: {message_of(error)}.", where=server, do="correct the port.")
        return Unreachable(f"it cannot be reached: {message_of(error)}.", where=server, do="look at the network.")


def _answered(
    connection: HTTPConnection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> HTTPResponse:
    """Send a request, and return its answer's head; a connection that fails is closed."""
    try:
        connection.request(method, path, body, dict(headers))
        return connection.getresponse()
    except BaseException:
        connection.close()
        raise


def named(response: HTTPResponse) -> dict[str, str]:
    """Return the headers of an answer by their names in small letters."""
    return {name.lower(): value for name, value in response.getheaders()}

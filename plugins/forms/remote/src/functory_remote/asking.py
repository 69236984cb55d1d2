"""Asks a server: with the token, within the time, and again where it says that it has too much to do."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse

from functory_remote.connections import LONGEST, Answer, Connections, named
from functory_remote.errors import RemoteError, Unreachable
from functory_remote.options import RemoteOptions
from functory_remote.place import ROUTE, Place
from functory_remote.problems import error_of

TRIES = 3
"""How often inputs that are not answered are sent again: functions change nothing, so that twice is as good as once."""
PAUSE = 0.2
"""Seconds before that, at first; then twice as many, and again."""
BUSY = (429, 503)
"""Statuses after which a server may take the same request later."""


class Stopped(RemoteError):
    """Nobody waits for the answer any more."""


class Asking:
    """A server that is asked for one of its functions.

    :param place: where it is.
    """

    def __init__(self, place: Place, options: RemoteOptions) -> None:
        self.place, self.options = place, options
        self._connections = Connections(place, options.timeout_seconds)

    def get(self, path: str) -> bytes:
        """Return what the server tells at one of its paths.

        :raises RemoteError: when it does not, or is none.
        """
        return self._patiently("GET", path, None, threading.Event()).body

    def list(self) -> bytes:
        """Return the server's functions, as JSON."""
        return self.get(f"{self.place.prefix}{ROUTE}")

    def card(self) -> bytes:
        """Return the function's card, as JSON."""
        return self.get(self.place.route)

    def post(self, body: bytes, stop: threading.Event) -> Answer:
        """Return the answer to inputs, as JSON.

        :param stop: set once nobody waits for it.
        :raises FunctoryError: what the function, or the server, refuses.
        """
        return self._patiently("POST", self.place.route, body, stop)

    @contextmanager
    def stream(self, body: bytes) -> Iterator[HTTPResponse]:
        """Give a text as it is written, as server-sent events; leaving it leaves off.

        :raises FunctoryError: what the function, or the server, refuses before it begins.
        """
        with self._connections.opened("POST", f"{self.place.route}/stream", body, self._headers(body)) as response:
            if response.status != 200:
                raise error_of(Answer(response.status, named(response), response.read(LONGEST)), self.place.url)
            yield response

    def wrong(self, error: BaseException) -> RemoteError:
        """Return what is wrong with a connection, for people."""
        return self._connections.wrong(error)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()

    def _headers(self, body: bytes | None) -> dict[str, str]:
        options = self.options
        found = {"Accept": "application/json", "Request-Timeout": f"{options.timeout_seconds:g}"}
        if body is not None:
            found["Content-Type"] = "application/json"
        if options.token:
            found["Authorization"] = f"Bearer {options.token}"
        return found

    def _patiently(self, method: str, path: str, body: bytes | None, stop: threading.Event) -> Answer:
        """Return an answer of status 200, after as many tries as it takes.

        :raises Stopped: when nobody waits any more.
        """
        until, tries = time.monotonic() + self.options.patience_seconds, 0
        while not stop.is_set():
            try:
                answer = self._connections.ask(method, path, body, self._headers(body))
            except Unreachable as error:
                tries += 1
                if body is None or tries > TRIES or isinstance(error.__cause__, TimeoutError):
                    raise
                stop.wait(PAUSE * 2 ** (tries - 1))
                continue
            if answer.status == 200:
                return answer
            seconds = _again_after(answer)
            if seconds is None or time.monotonic() + seconds > until:
                raise error_of(answer, self.place.url)
            stop.wait(seconds * random.uniform(1.0, 1.2))  # clients that were refused together come apart
        raise Stopped("nobody waits for the answer.", where=self.place.url)


def _again_after(answer: Answer) -> float | None:
    """Return after how many seconds a server may be asked again; None where that would be no use."""
    if answer.status not in BUSY:
        return None
    said = answer.headers.get("retry-after", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return 1.0  # it says nothing that can be read

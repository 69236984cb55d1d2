"""Where a function is served: the server, what stands before its routes, and the function's name there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlsplit

from functory_sdk import UsageError

ROUTE = "/v1/functions"


@dataclass(frozen=True)
class Place:
    """A server, and perhaps one of its functions.

    :param scheme: ``http`` or ``https``.
    :param host: without brackets.
    :param port: None for the scheme's own.
    :param prefix: the path under which the server's routes stand: empty, or ``/models``.
    :param name: the function's; empty where the URL names none.
    """

    scheme: str
    host: str
    port: int | None
    prefix: str
    name: str

    @property
    def server(self) -> str:
        """The server's URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}{self.prefix}"

    @property
    def url(self) -> str:
        """What `functory.load` takes."""
        return f"{self.server}/{self.name}"

    @property
    def route(self) -> str:
        """The path of the function's own routes."""
        return f"{self.prefix}{ROUTE}/{quote(self.name)}"

    def named(self, name: str) -> Place:
        """Return the place of another function of the server."""
        return replace(self, name=name)


def place_of(url: str, *, is_server: bool = False) -> Place:
    """Return what a URL says: ``http://host:8080/sentiment``, or the function's own route.

    :param is_server: whether it names a server, with whatever path, and no function.
    :raises UsageError: when it is no such URL, or holds a secret.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"this is no URL: {error}.", where=url, do="write http://host:8080/NAME.") from None
    if parts.username is not None or parts.password is not None:
        do = "leave it out; give token=…, or set FUNCTORY_TOKEN."
        raise UsageError("a name or a password in a URL would stand in logs.", where=parts.hostname or "", do=do)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError("this is not where a function is served.", where=url, do="write http://host:8080/NAME.")
    path = unquote(parts.path).rstrip("/")
    if ROUTE in path:
        prefix, _, rest = path.partition(ROUTE)
        name = rest.strip("/")
    elif is_server:
        prefix, name = path, ""
    else:
        prefix, _, name = path.rpartition("/")
    if "/" in name:
        raise UsageError(f"{name!r} is no name of a function.", where=url, do="write http://host:8080/NAME.")
    return Place(parts.scheme, parts.hostname, port, prefix, name)

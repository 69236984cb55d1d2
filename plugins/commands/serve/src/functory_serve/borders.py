"""Which requests are heard at all, by where a browser says that they come from: no page of another site uses this server.

A web page may send anywhere what HTTP calls simple, a POST without a Content-Type too; and a name that its owner lets lead to
127.0.0.1 makes it a page of this server in a browser's eyes (DNS rebinding). Tokens stop both; most servers on a desk have none.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Collection
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from functory_serve.head import Head, head_of
from functory_serve.problems import Refusal, problem_of, refused

SAFE = ("GET", "HEAD", "OPTIONS")
"""What changes and computes nothing, and whose answer a page of another site cannot read."""
OWN = ("same-origin", "none")
"""What a browser says of a request of the server's own pages, or of its user."""
ANY = "*"


class Borders:
    """An ASGI application that hears only who may be heard.

    :param domains: names, perhaps with ports, by which the server is reached besides this machine's own; any where none is named
        and a request did not come over the loopback. `*` is any, always.
    :param told: told of each that is not heard: no function, the status, and the kind of error.
    """

    def __init__(
        self, app: ASGIApp, domains: Collection[str] = (), told: Callable[[str, int, str], None] = lambda *_: None
    ) -> None:
        self._app, self._told = app, told
        self._domains = frozenset(domain.lower() for domain in domains)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self.check(scope)
            except Refusal as error:
                self._told("", int(error.status), type(error).__name__)
                number = os.urandom(8).hex()
                response = refused(problem_of(error, number))
                response.headers["X-Request-Id"] = number
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def check(self, scope: Scope) -> None:
        """Hear a request.

        :raises Refusal: when it names a host that this server is not, or comes from a page of another.
        """
        head = head_of(scope)
        host = head.get(b"host").lower()
        if not self._is_here(host, scope):
            what = "this server does not go by the host that the request names."
            do = "ask for localhost; who runs the server names others by --domain."
            raise Refusal(HTTPStatus.MISDIRECTED_REQUEST, what, where="the header Host", do=do)
        if scope["method"] not in SAFE and not self._is_own(head, host):
            what = "the request comes from a page of another site."
            do = "ask from a program, or from a page of this server; who runs it names its other domains by --domain."
            raise Refusal(HTTPStatus.FORBIDDEN, what, where="the header Origin", do=do)

    def _is_here(self, host: str, scope: Scope) -> bool:
        """Whether the server goes by a name; no browser leaves it out."""
        name = _name(host)
        if not host or is_loopback(name) or not self._domains.isdisjoint((host, name, ANY)):
            return True
        server = scope.get("server")
        return not self._domains and not (server is not None and is_loopback(str(server[0])))

    def _is_own(self, head: Head, host: str) -> bool:
        """Whether a request is no page's, or one of the server's own."""
        if b"origin" not in head:
            return b"sec-fetch-site" not in head or head.get(b"sec-fetch-site").lower() in OWN
        authority = head.get(b"origin").lower().partition("://")[2]
        return bool(authority) and (authority == host or authority in self._domains)


def is_loopback(name: str) -> bool:
    """Whether a host is this machine, whatever a resolver says."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name(authority: str) -> str:
    """Return a host without its port."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]

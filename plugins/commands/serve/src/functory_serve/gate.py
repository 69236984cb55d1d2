"""Refuses what has no chance before it is read: by a request's head, and by what waits for its function.

Under overload refusals are most of what a server says, and what each of them costs is missing where something is computed. So
they are not routed, their bodies are dropped and not parsed, and their words are made once. Whatever is not surely such a request
goes the long way, where all is checked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from functory_serve import bodies
from functory_serve.access import Access
from functory_serve.admission import BUSY, Overloaded
from functory_serve.asked import WAITS, id_of
from functory_serve.bodies import Guarded
from functory_serve.costs import BYTES, OWN
from functory_serve.head import Head, head_of
from functory_serve.problems import MEDIA, Refusal, problem_of
from functory_serve.service import Service
from functory_serve.serving import Serving

AT = "/v1/functions/"
LONGEST = 65_536
"""Bytes of a body of which the cost is told by its length."""
ESCAPED = 6
"""Bytes of JSON that a byte of text takes at most: a text costs what is told by its body's length, or more."""
MARK = "0" * 16
"""Where a request's id stands in a refusal that is kept."""
LENGTH = b"content-length"
Noted = Callable[[str, str, Scope, int, float], None]
"""Is told of an answer: the request's id, the function, the scope, the status, and the seconds that it took."""


class Gate:
    """An ASGI application that tells who cannot be answered in time, and lets another answer the rest.

    :param noted: told of each refusal, as of any answer.
    """

    def __init__(self, app: ASGIApp, service: Service, access: Access, noted: Noted) -> None:
        self._app, self._service, self._access, self._noted = app, service, access, noted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        serving = self._serving(scope) if scope["type"] == "http" and scope["method"] == "POST" else None
        if serving is not None:
            excess = self._excess(serving, head_of(scope))
            if excess is not None:
                await self._refuse(serving.name, excess, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _refuse(self, function: str, excess: float, scope: Scope, receive: Receive, send: Send) -> None:
        head = head_of(scope)
        begun, number = time.monotonic(), id_of(head.get(b"x-request-id"))
        retry = max(1, round(excess))
        before, after = _words(retry)
        body = before + number.encode() + after
        headers = [(b"content-type", MEDIA.encode()), (LENGTH, str(len(body)).encode()), (b"retry-after", str(retry).encode()),
                   (b"x-request-id", number.encode())]  # fmt: skip
        try:
            guarded = Guarded(receive, scope, self._service.limits)
            while (await guarded()).get("more_body", False):
                pass
        except Refusal:  # it does not come in time, or is too long: the answer is the same, and the last one
            headers.append((b"connection", b"close"))
        status = HTTPStatus.TOO_MANY_REQUESTS
        self._service.measures.refused(function, status, Overloaded.__name__)
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._noted(number, function, scope, int(status), time.monotonic() - begun)

    def _serving(self, scope: Scope) -> Serving | None:
        """Return the function whose queue a request is for, where others wait there."""
        path: str = scope["path"]
        serving = self._service.servings.get(path[len(AT) :]) if path.startswith(AT) else None
        return serving if serving is not None and serving.batcher.requests else None

    def _excess(self, serving: Serving, head: Head) -> float | None:
        """Return by how many seconds there is too much to do for a request, by what is known of it before it is read; None where
        there is not, and where something else may be wrong with it.
        """
        try:
            length = int(head.get(LENGTH))
            seconds = float(head.get(WAITS)) if WAITS in head else None
        except ValueError:
            return None
        if not 0 <= length <= LONGEST or not (seconds is None or 0 < seconds < float("inf")):
            return None
        excess = serving.excess(OWN + length // (BYTES * ESCAPED), seconds)
        if excess is None or head.medium not in bodies.MEDIA or b"expect" in head or b"content-encoding" in head:
            return None
        return excess if self._is_let_in(serving.name, head.get(b"authorization")) else None

    def _is_let_in(self, name: str, said: str) -> bool:
        """Whether a token lets a request in; it is counted as the token's then."""
        try:
            if name not in self._access.functions(said, (name,)):
                return False
            self._access.spend(said, time.monotonic())
        except (Refusal, Overloaded):
            return False
        return True


@lru_cache(128)
def _words(retry: int) -> tuple[bytes, bytes]:
    """Return the document of a refusal, before and after the request's id.

    :param retry: seconds after which to try again.
    """
    problem = problem_of(Overloaded(BUSY, retry), MARK)
    before, _, after = json.dumps(problem.document, ensure_ascii=False).encode().partition(MARK.encode())
    return before, after

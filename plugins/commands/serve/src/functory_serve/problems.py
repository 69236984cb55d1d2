"""Errors as a client gets them: problem documents (RFC 9457), with the same what, where and do as everywhere.

What is wrong with a request is told as it is. What is wrong here is told without a path, a version or a line of code: the log
has those.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from functory_sdk import DataError, FunctoryError, GenerationError, UsageError
from functory_serve.admission import Late, Overloaded
from functory_serve.serving import Hanging

MEDIA = "application/problem+json"


class Refusal(FunctoryError):
    """A request that HTTP has a word for.

    :param status: that word's number.
    """

    def __init__(self, status: HTTPStatus, what: str, *, where: str = "", do: str = "") -> None:
        super().__init__(what, where=where, do=do)
        self.status = status


class FunctionFailed(FunctoryError):
    """A function raised what nobody raised on purpose; its client learns no more than that."""


STATUSES: dict[type[FunctoryError], HTTPStatus] = {
    Overloaded: HTTPStatus.TOO_MANY_REQUESTS,
    Late: HTTPStatus.GATEWAY_TIMEOUT,
    Hanging: HTTPStatus.SERVICE_UNAVAILABLE,
    UsageError: HTTPStatus.UNPROCESSABLE_ENTITY,
    DataError: HTTPStatus.UNPROCESSABLE_ENTITY,
    GenerationError: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""What is told as it is."""


def status_of(error: BaseException) -> HTTPStatus:
    """Return what an error is in HTTP's words."""
    if isinstance(error, Refusal):
        return error.status
    found = (status for kind, status in STATUSES.items() if isinstance(error, kind))
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(error: BaseException, request: str) -> dict[str, Any]:  # Any: JSON
    """Return an error as a problem document.

    :param request: the request's id, by which the log knows it.
    """
    status = status_of(error)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR or not isinstance(error, FunctoryError):
        do = f"ask who runs it to look for {request} in the log."
        told = {"error": FunctionFailed.__name__, "what": "the function failed.", "do": do}
    else:
        told = {"error": type(error).__name__, **_parts(error)}
    head = {"type": f"urn:functory:problem:{told['error']}", "title": status.phrase, "status": int(status)}
    return {**head, "detail": told["what"], **told, "request": request}


def _parts(error: FunctoryError) -> dict[str, str]:
    parts = error.as_json()
    return {name: parts[name] for name in ("what", "where", "do") if name in parts}


def refused(error: BaseException, request: str) -> Response:
    """Return the response that tells an error."""
    told = problem(error, request)
    headers = {"X-Request-Id": request}
    if isinstance(error, Overloaded):
        headers["Retry-After"] = str(max(1, round(error.retry_seconds)))
    if told["status"] == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    body = json.dumps(told, ensure_ascii=False).encode(errors="replace")
    return Response(body, told["status"], headers, media_type=MEDIA)

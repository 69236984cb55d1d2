"""Errors as a client gets them: problem documents (RFC 9457), with the same what, where and do as everywhere.

What is wrong with a request is told as it is. What is wrong here is told without a path, a version or a line of code: the log
has those.
"""

from __future__ import annotations

import json
from http import HTTPStatus

from starlette.responses import Response

from functory_sdk import DataError, FunctoryError, GenerationError, Problem, UsageError
from functory_serve.admission import Late, Overloaded
from functory_serve.computing import Outcome
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


def problem_of(error: BaseException, request: str) -> Problem:
    """Return an error as its client may know it.

    :param request: the request's id, by which the log knows it.
    """
    status = status_of(error)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR or not isinstance(error, FunctoryError):
        do = f"ask who runs it to look for {request} in the log."
        told = {"error": FunctionFailed.__name__, "what": "the function failed.", "do": do}
    else:
        told = {"error": type(error).__name__, **_parts(error)}
    head = {"type": f"urn:functory:problem:{told['error']}", "title": status.phrase, "status": int(status)}
    return Problem(int(status), {**head, "detail": told["what"], **told, "request": request}, _headers(error, status))


def _parts(error: FunctoryError) -> dict[str, str]:
    parts = error.as_json()
    return {name: parts[name] for name in ("what", "where", "do") if name in parts}


def _headers(error: BaseException, status: HTTPStatus) -> dict[str, str]:
    """Return what a client's library reads of an error."""
    if isinstance(error, Overloaded):
        return {"Retry-After": str(max(1, round(error.retry_seconds)))}
    return {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else {}


def refused(problem: Problem) -> Response:
    """Return the response that tells an error."""
    body = json.dumps(problem.document, ensure_ascii=False).encode(errors="replace")
    return Response(body, problem.status, problem.headers, media_type=MEDIA)


def sound(outcome: Outcome, where: str) -> bytes:
    """Return an output.

    :param where: its input's place, where it is one of several.
    :raises FunctoryError: what is wrong with its input.
    :raises FunctionFailed: when the function raised what nobody raised on purpose.
    """
    if isinstance(outcome, bytes):
        return outcome
    if isinstance(outcome, FunctoryError):
        raise outcome.located(where)
    raise FunctionFailed("the function failed.", where=where, do="look into the log.") from outcome

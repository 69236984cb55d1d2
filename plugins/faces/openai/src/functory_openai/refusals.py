"""Errors as clients of OpenAI read them, with the same what, where and do as everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from functory_sdk import FunctoryError, Problem, UsageError

NAMES = {
    "max_new_tokens": "max_tokens", "guide": "response_format", "likelihoods": "logprobs", "turns": "messages",
}  # fmt: skip
"""What fields of functions are called in requests."""
KINDS = {
    HTTPStatus.UNAUTHORIZED: "authentication_error", HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}  # fmt: skip


class NoModel(UsageError):
    """No function of that name is served that could answer.

    :param name: the name that was asked for.
    :param names: those that could.
    """

    def __init__(self, name: str, names: Iterable[str], what: str) -> None:
        listed = ", ".join(names)
        do = f"there are: {listed}." if listed else "none that is served here does."
        super().__init__(f"there is no function {name!r} here that {what}.", where="model", do=do)


class NoRoute(UsageError):
    """A path or a method that is not here.

    :param status: 404, or 405.
    :param allow: the method that there is, for the head of the answer.
    """

    def __init__(self, status: HTTPStatus, what: str, do: str, *, allow: str = "") -> None:
        super().__init__(what, do=do)
        self.status, self.allow = status, allow


def status_of(error: BaseException, problem: Problem) -> int:
    """Return the status of an error: what is wrong with a request is 400 to these clients."""
    if isinstance(error, NoModel):
        return int(HTTPStatus.NOT_FOUND)
    if isinstance(error, NoRoute):
        return int(error.status)
    return int(HTTPStatus.BAD_REQUEST) if problem.status == HTTPStatus.UNPROCESSABLE_ENTITY else problem.status


def told(error: BaseException, problem: Problem) -> dict[str, Any]:  # Any: JSON
    """Return the body that tells an error."""
    status = status_of(error, problem)
    parts = {name: problem.document[name] for name in ("what", "where", "do", "request") if problem.document.get(name)}
    kind = KINDS.get(HTTPStatus(status), "invalid_request_error" if status < 500 else "server_error")
    code = "model_not_found" if isinstance(error, NoModel) else problem.document.get("error")
    message = " ".join(parts[name] for name in ("what", "do") if name in parts)
    return {"error": {"message": message, "type": kind, "param": _param(error), "code": code, **parts}}


def _param(error: BaseException) -> str | None:
    """Return the field of the request that is wrong, where that is known."""
    field = str(getattr(error, "field", ""))
    return NAMES.get(field, field) or (error.where if isinstance(error, FunctoryError) else "") or None

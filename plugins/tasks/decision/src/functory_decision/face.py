"""``POST /v1/systemone``: typed decisions in the wire format that clients of System One speak, by functions that are served.

Answered by any served function of the task open-decision; a request's ``model`` is its name, ``jev-latest`` the first one.
``GET /v1/models`` lists them, beside what another face tells there.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from functory_decision.open_types import AskedText, Decisions
from functory_decision.systemone import Invalid, answers_of, request_of
from functory_sdk import Face, Function, FunctoryError, Problem, Served, purpose
from functory_sdk.faces import App, Receive, Scope, Send, respond_json

PATH, MODELS = "/v1/systemone", "/v1/models"
ANY = "jev"
"""How the names begin that mean whatever is served."""
KINDS = {
    HTTPStatus.UNAUTHORIZED: "authentication_error", HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.NOT_FOUND: "not_found_error", HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large", HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "invalid_request_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error", HTTPStatus.GATEWAY_TIMEOUT: "timeout_error",
}  # fmt: skip
"""What errors are called, but for those of a body, which say where; all others are api_error."""


class NotHere(Exception):
    """A path, a method or a model that there is not.

    :param status: of HTTP.
    :param allow: the method that there is, for the head of the answer.
    """

    def __init__(self, status: HTTPStatus, what: str, *, allow: str = "") -> None:
        super().__init__(what)
        self.status, self.allow = status, allow


class SystemOne(Face):
    """Typed decisions over HTTP."""

    help = "typed decisions (choice, score, yes or no), in the format of System One"
    paths = (PATH,)
    vacant = (MODELS,)

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        since = int(time.time())

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            asked = served.asked(scope)
            try:
                body = await _answered(asked, scope, since)
            except Invalid as error:
                await respond_json(send, {"detail": error.detail}, HTTPStatus.UNPROCESSABLE_ENTITY)
            except FunctoryError as error:
                await _refuse(send, asked.problem(error))
            except NotHere as error:
                detail, allow = {"error_type": KINDS[error.status], "message": str(error)}, {"allow": error.allow}
                await respond_json(send, {"detail": detail}, error.status, allow)
            else:
                await respond_json(send, body)

        yield answer

    def answers(self, function: Function) -> bool:
        return decides(function)

    def added(self, functions: Mapping[str, Function]) -> dict[str, Any]:
        return _models(functions)

    def described(self, functions: Mapping[str, Function]) -> dict[str, Any]:
        from functory_decision.openapi import described

        return described(PATH, MODELS, _deciding(functions))


async def _answered(asked: Any, scope: Scope, since: int) -> dict[str, Any]:  # Any: `Asked`, a question's name here; JSON
    """Return the body that answers a request.

    :param since: when the server began, in seconds.
    :raises NotHere: for a path, a method or a model that there is not.
    """
    functions, path, method = asked.functions, scope["path"].rstrip("/"), scope["method"]
    if path not in (PATH, MODELS):
        raise NotHere(HTTPStatus.NOT_FOUND, f"there is nothing here: POST {PATH}.")
    if path == MODELS:
        if method != "GET":
            raise NotHere(HTTPStatus.METHOD_NOT_ALLOWED, f"models are listed with GET {MODELS}.", allow="GET")
        return {"object": "list", "data": [_listed(name, since) for name in _deciding(functions)], **_models(functions)}
    if method != "POST":
        raise NotHere(HTTPStatus.METHOD_NOT_ALLOWED, f"decisions are asked for with POST {PATH}.", allow="POST")
    request = request_of(await asked.json())
    name = _function(request.model, _deciding(functions))
    [found] = await asked.answer(name, [request.input()])
    return {"model": name, **answers_of(request, json.loads(found))}


def decides(function: Function) -> bool:
    """Return whether a function answers any question."""
    return function.task.Input is AskedText and function.task.Output is Decisions


def _deciding(functions: Mapping[str, Function]) -> list[str]:
    """Return the names of the functions that answer any question."""
    return [name for name, one in functions.items() if decides(one)]


def _listed(name: str, since: int) -> dict[str, Any]:
    """Return a function as clients of OpenAI list models."""
    return {"id": name, "object": "model", "created": since, "owned_by": "functory"}


def _models(functions: Mapping[str, Function]) -> dict[str, Any]:
    """Return the functions that decide, as clients of this format list models.

    No function says on which day it was made: that of today stands for it.
    """
    today = time.strftime("%Y-%m-%d")
    about = {name: purpose(one) for name, one in functions.items() if decides(one)}
    found = [{"name": name, "description": what, "release_date": today} for name, what in about.items()]
    return {"models": found} if found else {}


def _function(model: str, names: list[str]) -> str:
    """Return the name of the function that answers for a model.

    :raises NotHere: when there is none.
    """
    if model in names:
        return model
    if names and (not model or model.startswith(ANY)):
        return names[0]
    there = f"there are: {', '.join(names)}" if names else "serve one: functory build --task open-decision --output decide"
    raise NotHere(HTTPStatus.NOT_FOUND, f"there is no model {model!r} that decides; {there}.")


async def _refuse(send: Send, problem: Problem) -> None:
    """Send an error: of a body with the place, of anything else with its kind."""
    document = problem.document
    message = " ".join(str(document[part]) for part in ("what", "do") if document.get(part))
    if problem.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        detail: Any = [{"loc": ["body", *([document["where"]] if document.get("where") else [])], "msg": message,
                        "type": str(document["error"])}]  # fmt: skip
        await respond_json(send, {"detail": detail}, HTTPStatus.UNPROCESSABLE_ENTITY)
        return
    kind = KINDS.get(HTTPStatus(problem.status), "api_error")
    await respond_json(send, {"detail": {"error_type": kind, "message": message}}, problem.status, problem.headers)

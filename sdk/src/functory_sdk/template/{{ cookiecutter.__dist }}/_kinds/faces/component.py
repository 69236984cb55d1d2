"""The face: an ASGI application at a path of its own, which answers in its own way by what is served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from functory_sdk import Face, Function, FunctoryError, InputError, Served
from functory_sdk.faces import App, Receive, Scope, Send, respond, respond_json
from functory_sdk.openapi import answer, sent

PATH = "/{{ cookiecutter.__entry }}"


class {{ cookiecutter.__class }}(Face):
    """Answers {"function": NAME, "input": …} by the output's JSON."""

    help = "by a function's name and its input in one object"
    paths = (PATH,)

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"].rstrip("/") != PATH:
                await respond_json(send, {"what": "there is nothing here.", "do": f"POST {PATH}."}, HTTPStatus.NOT_FOUND)
                return
            if scope["method"] != "POST":
                told = {"what": "this is asked by POST.", "do": f"POST {PATH}."}
                await respond_json(send, told, HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST"})
                return
            asked = served.asked(scope)
            try:
                asked.functions  # noqa: B018 - whom no token lets in is told so before anything is read
                name, value = named(await asked.json())
                [output] = await asked.answer(name, [value])
            except FunctoryError as error:  # in the words of your own format
                problem = asked.problem(error)
                told = {part: problem.document[part] for part in ("what", "where", "do") if part in problem.document}
                await respond_json(send, told, problem.status, problem.headers)
            else:
                await respond(send, output, "application/json")

        yield answered

    def described(self, functions: Mapping[str, Function]) -> dict[str, Any]:
        fields = {"function": {"enum": [*functions]}, "input": {"type": ["string", "object"]}}
        body = sent({"type": "object", "required": [*fields], "properties": fields})
        wrong = answer("What is wrong.", {"type": "object"}, is_problem=True)
        told = {"200": answer("The output.", {"type": "object"}), "default": wrong}
        return {"paths": {PATH: {"post": {"summary": "Ask a function", "requestBody": body, "responses": told}}}}


def named(body: Any) -> tuple[str, Any]:
    """Return the name of the function that a body asks, and the input.

    :raises InputError: when it is no such object.
    """
    if not isinstance(body, dict) or not isinstance(body.get("function"), str) or "input" not in body:
        raise InputError("the body is no object of a function and an input.", do='send {"function": …, "input": …}.')
    return body["function"], body["input"]

"""Faces that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from functory_sdk import Asked, Face, Function, FunctoryError, InputError, Served
from functory_sdk.faces import App, Receive, Scope, Send, respond, respond_json
from functory_sdk.openapi import answer, sent
from functory_sdk.testing import Question

PATH = "/broken"


def question(suite: Any, name: str, value: Mapping[str, Any]) -> Question:
    """Return how all of them are asked."""
    return Question.of(PATH, {"function": name, "input": dict(value)})


class Sound(Face):
    """A face in which nothing is wrong."""

    help = "soundly"
    paths = (PATH,)

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"].rstrip("/") != PATH:
                await respond_json(send, {"what": "nothing."}, 404)
            elif scope["method"] != "POST":
                await respond_json(send, {"what": "POST."}, 405, self.allowed())
            else:
                await self.told(served, served.asked(scope), send)

        yield answered

    def allowed(self) -> dict[str, str]:
        return {"Allow": "POST"}

    async def told(self, served: Served, asked: Asked, send: Send) -> None:
        try:
            asked.functions  # noqa: B018 - whom no token lets in
            name, value = self.named(await asked.json())
            output = await self.computed(served, asked, name, value)
        except FunctoryError as error:
            await self.refused(asked, error, send)
        else:
            await respond(send, output, "application/json")

    def named(self, body: Any) -> tuple[str, Any]:
        if not isinstance(body, dict) or not isinstance(body.get("function"), str) or "input" not in body:
            raise InputError("no function and no input.", do="say both.")
        return body["function"], body["input"]

    async def computed(self, served: Served, asked: Asked, name: str, value: Any) -> bytes:
        return (await asked.answer(name, [value]))[0]

    async def refused(self, asked: Asked, error: FunctoryError, send: Send) -> None:
        problem = asked.problem(error)
        await respond_json(send, problem.document, problem.status, problem.headers)

    def described(self, functions: Mapping[str, Function]) -> dict[str, Any]:
        schema = {"type": "object", "properties": {"input": {"type": "object"}}}
        told = {"200": answer("It.", {"type": "object"}), "default": answer("No.", {"type": "object"}, is_problem=True)}
        return {"paths": {PATH: {"post": {"requestBody": sent(schema), "responses": told}}}}


class Wordless(Sound):
    """Says not how one speaks to it."""

    help = ""


class Thief(Sound):
    """Wants what is the server's."""

    paths = ("/v1/functions",)


class Rewriting(Sound):
    """Writes the JSON of outputs anew."""

    async def computed(self, served: Served, asked: Asked, name: str, value: Any) -> bytes:
        return json.dumps(json.loads(await super().computed(served, asked, name, value))).encode()


class Confused(Sound):
    """Keeps what belongs to one request where the next one finds it."""

    async def computed(self, served: Served, asked: Asked, name: str, value: Any) -> bytes:
        self.value = value
        await asyncio.sleep(0.01)
        return await super().computed(served, asked, name, self.value)


class Single(Sound):
    """Lets one server end what another goes on with."""

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        self.is_open = True
        async with super().app(served) as answered:
            yield answered
        self.is_open = False

    async def computed(self, served: Served, asked: Asked, name: str, value: Any) -> bytes:
        if not self.is_open:
            raise InputError("it is over.")
        return await super().computed(served, asked, name, value)


class Undescribed(Sound):
    """Stands on no page."""

    def described(self, functions: Mapping[str, Function]) -> dict[str, Any]:
        return {}


class Misdescribed(Sound):
    """Takes another thing than its page says."""

    def described(self, functions: Mapping[str, Function]) -> dict[str, Any]:
        page = super().described(functions)
        page["paths"][PATH]["post"]["requestBody"] = sent({"properties": {"input": {"type": "integer"}}})
        return page


class Terse(Sound):
    """Says that something is wrong, and no more."""

    async def refused(self, asked: Asked, error: FunctoryError, send: Send) -> None:
        await respond_json(send, {"error": "wrong"}, asked.problem(error).status, asked.problem(error).headers)


class Soothing(Sound):
    """Calls everything well."""

    async def refused(self, asked: Asked, error: FunctoryError, send: Send) -> None:
        await respond_json(send, {"well": True})


class Trusting(Sound):
    """Takes a body for what it should be."""

    def named(self, body: Any) -> tuple[str, Any]:
        return body["function"], body["input"]


class Allowless(Sound):
    """Refuses a method and names none."""

    def allowed(self) -> dict[str, str]:
        return {}


class Gossiping(Sound):
    """Tells what the function told nobody."""

    async def refused(self, asked: Asked, error: FunctoryError, send: Send) -> None:
        await respond_json(send, {"what": repr(error.__cause__)}, asked.problem(error).status)


class Chatty(Sound):
    """Prints what it is asked."""

    def named(self, body: Any) -> tuple[str, Any]:
        print(body, file=sys.stderr)
        return super().named(body)


class Direct(Sound):
    """Computes by itself, whoever asks, and whether he is there or not."""

    async def told(self, served: Served, asked: Asked, send: Send) -> None:
        name, value = self.named(await asked.json())
        output = await asyncio.to_thread(served.functions[name], **value)
        await respond(send, output.json().encode(), "application/json")

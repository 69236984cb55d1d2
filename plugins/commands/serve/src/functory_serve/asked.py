"""One request: what it may use, its body within the limits, and what is computed for it.

All routes answer by it, the server's own and those of faces: whatever one of them takes of a function is admitted, counted and
told in one way.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from starlette.types import Receive, Scope

from functory_sdk import Asked, Attribution, Face, Function, Problem, Served
from functory_sdk.faces import while_there
from functory_serve import log
from functory_serve.access import Access
from functory_serve.bodies import Guarded, body_of, input_of, inputs_of, parsed
from functory_serve.head import head_of
from functory_serve.problems import Refusal, problem_of, sound, status_of
from functory_serve.service import Service
from functory_serve.serving import Serving
from functory_serve.texts import Text

ID = re.compile(r"[\w.-]{1,128}", re.ASCII)
"""What a client may call its request."""
TIMEOUT, WAITS = "Request-Timeout", b"request-timeout"
"""The header by which a client says how many seconds it waits."""
KEY = "functory.asked"
"""Under which a scope keeps its request."""


class Requested(Asked):
    """A request as its scope tells of it.

    :param receive: its own; nobody has read its body.
    """

    def __init__(self, scope: Scope, receive: Receive, service: Service, access: Access) -> None:
        self.head = head_of(scope)
        self.id = id_of(self.head.get(b"x-request-id"))
        self.scope = scope
        self.raw = receive
        """Gives its body without limits on the whole of it, for one that has no end."""
        self.limits = service.limits
        self.used = ""
        """The function that it used last: what came of the request is counted as its."""
        self.met: Function | None = None
        """What was served under that name then."""
        self.receive = Guarded(receive, scope, service.limits)
        self.authorization = self.head.get(b"authorization")
        """What it says to be let in."""
        self._service, self._access = service, access
        self._is_counted = False

    @property
    def servings(self) -> dict[str, Serving]:
        """The functions that it may use, at work.

        :raises Refusal: when no token lets it in.
        """
        servings = self._service.servings
        return {name: servings[name] for name in self._access.functions(self.authorization, servings)}

    @property
    def functions(self) -> Mapping[str, Function]:
        return MappingProxyType({name: one.function for name, one in self.servings.items()})

    def serving(self, name: str) -> Serving:
        """Return a function at work.

        :raises Refusal: when there is none of that name, or none that the request may have.
        """
        found = self._service.servings.get(name)
        if found is None or not self._access.functions(self.authorization, (name,)):
            what = "there is no function of that name here."
            raise Refusal(HTTPStatus.NOT_FOUND, what, do=f"there are: {', '.join(self.servings)}.")
        return found

    def using(self, name: str) -> Serving:
        """Return a function at work that is about to be used: the request is counted as its, and as its token's.

        :raises Refusal: as `serving`.
        :raises Overloaded: when the token has sent too many.
        """
        serving = self.serving(name)
        self.used, self.met = name, serving.function
        if not self._is_counted:
            self._access.spend(self.authorization, time.monotonic())
            self._is_counted = True
        return serving

    async def json(self) -> Any:
        return parsed(await body_of(self.head, self.receive))

    async def answer(self, name: str, inputs: Sequence[Any], **decoding: Any) -> list[bytes]:
        return await self.answers(name, inputs, decoding, is_list=len(inputs) != 1)

    async def answers(self, name: str, inputs: Sequence[Any], decoding: Mapping[str, Any], *, is_list: bool) -> list[bytes]:
        """Return what `answer` does.

        :param is_list: whether errors name an input by its place.
        :raises FunctoryError: as `answer`.
        """
        serving, seconds = self.using(name), self.seconds
        places = [f"input {number}" if is_list else "" for number in range(1, len(inputs) + 1)]
        values = inputs_of(serving.function, inputs, places, self.limits)
        outcomes = await while_there(self.receive, serving.answer(values, seconds, decoding))
        return [sound(outcome, where) for outcome, where in zip(outcomes, places, strict=True)]

    async def write(self, name: str, value: Any, **decoding: Any) -> Text:
        serving = self.using(name)
        return await serving.stream(input_of(serving.function, value, "", self.limits), decoding)

    async def explain(self, name: str, value: Any, **how: str) -> Attribution:
        serving = self.using(name)
        return await while_there(self.receive, serving.explained(input_of(serving.function, value, "", self.limits), how))

    def problem(self, error: BaseException) -> Problem:
        if status_of(error) is HTTPStatus.INTERNAL_SERVER_ERROR:
            log.failed(self.id, error)
        return problem_of(error, self.id)

    @property
    def seconds(self) -> float | None:
        """How long the client waits; None where it does not say.

        :raises Refusal: when it says no number.
        """
        if WAITS not in self.head:
            return None
        said = self.head.get(WAITS)
        with suppress(ValueError):
            if 0 < float(said) < float("inf"):
                return float(said)
        where = f"the header {TIMEOUT}"
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{TIMEOUT} is no number of seconds.", where=where, do="write 0.5.")


class ServedFunctions(Served):
    """What a server serves.

    :param functions: what is served now.
    :param faces: those that answer.
    """

    def __init__(self, functions: Callable[[], Mapping[str, Function]], faces: Sequence[Face] = ()) -> None:
        self._functions, self._faces = functions, faces

    @property
    def functions(self) -> Mapping[str, Function]:
        return MappingProxyType(dict(self._functions()))

    def asked(self, scope: Any) -> Requested:  # Any: an ASGI scope
        found: Requested = scope[KEY]
        return found

    def added(self, path: str, functions: Mapping[str, Function]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for face in self._faces:
            if path in face.vacant:
                fields |= face.added(functions)
        return fields


def id_of(named: str) -> str:
    """Return what a request is called: as its client says, or as nobody is."""
    return named if ID.fullmatch(named) else os.urandom(8).hex()

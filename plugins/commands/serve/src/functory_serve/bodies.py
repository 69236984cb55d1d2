"""Reads what a client sends: a body within its limits and its time, JSON in it, and the inputs that JSON writes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from http import HTTPStatus
from math import isinf
from typing import Any

from starlette.types import Message, Receive, Scope

from functory_sdk import Function, InputError, length_of
from functory_sdk.faces import Gone
from functory_serve.athand import Begun
from functory_serve.connections import LEAVING
from functory_serve.head import Head, head_of
from functory_serve.limits import Limits
from functory_serve.problems import Refusal

MEDIA = ("application/json", "")
DROPPED_BYTES, DROPPING_SECONDS = 64_000_000, 1.0
"""Of a body that is too long, what is taken and dropped before the refusal."""
DEEPEST = 64
"""Lists and objects within one another."""
DEEP, FLATTER = "the JSON is too deep.", "send lists and objects within few others."


class Guarded:
    """What a request receives, within the limits on its body: its length, and the time that it takes to come.

    :param receive: the request's own.
    :raises Refusal: by a call, for a body that is too long, and one that does not come in time.
    """

    def __init__(self, receive: Receive, scope: Scope, limits: Limits) -> None:
        self._receive, self._limits = receive, limits
        self._length = 0
        head = head_of(scope)
        said = head.get(b"content-length")
        self._said = int(said) if said.isdecimal() else 0
        self._waits = b"expect" in head  # for a word before the body is sent
        self._until: float | None = None
        self._is_whole = False
        self.leaving: asyncio.Future[None] | None = scope.get("extensions", {}).get(LEAVING)
        """What is done once the client is gone, where the server knows that without being asked: `functory_sdk.faces.leaving`."""

    async def __call__(self) -> Message:
        if self._is_whole:  # only the client's going is waited for
            return await self._receive()
        if self._said > self._limits.body_bytes:
            raise await self._too_long()
        message = await self._next()
        self._length += len(message.get("body", b""))
        if self._length > self._limits.body_bytes:
            raise await self._too_long()
        self._is_whole = not message.get("more_body", False)
        return message

    async def _too_long(self) -> Refusal:
        """Return the refusal, once what still comes was dropped for a moment: a connection that ends on what nobody has read is
        reset, and the answer may be lost with it.
        """
        dropped, more = 0, not self._waits
        with suppress(TimeoutError):
            async with asyncio.timeout(DROPPING_SECONDS):
                while more and dropped < DROPPED_BYTES:
                    message = await self._receive()
                    dropped += len(message.get("body", b""))
                    more = message.get("more_body", False)
        return _too_long(self._limits)

    async def _next(self) -> Message:
        """Return what comes next, while there is time for the body; what is here already needs no clock.

        :raises Refusal: when there is none left.
        """
        coming = Begun(self._receive())
        if coming.is_over:
            return coming.result
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + self._limits.receive_seconds
        try:
            async with asyncio.timeout_at(self._until):
                return await coming
        except TimeoutError:
            what = f"the body did not come within {self._limits.receive_seconds:g} s."
            raise Refusal(HTTPStatus.REQUEST_TIMEOUT, what, do="send it at once.") from None


async def body_of(head: Head, receive: Receive) -> bytes:
    """Return a request's body.

    :raises Refusal: for another medium than JSON, a body that is too long, and one that does not come in time.
    :raises Gone: when the client is gone.
    """
    check_medium(head, MEDIA)
    pieces = []
    while (message := await receive())["type"] == "http.request":
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)
    raise Gone


def check_medium(head: Head, known: Collection[str]) -> None:
    """Refuse a body that is not read here.

    :raises Refusal: for another medium, and for a body that is compressed: what it becomes is not known before.
    """
    medium = head.medium
    if medium not in known:
        what = f"a body of {medium!r} is not read here."
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, what, do="send JSON: Content-Type: application/json.")
    coding = head.get(b"content-encoding").strip().lower()
    if coding not in ("identity", ""):
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a body in {coding!r} is not read here.", do="send it as it is.")


def _too_long(limits: Limits) -> Refusal:
    what = f"the body is longer than {limits.body_bytes:,} bytes."
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, what, do="send fewer inputs at once.")


def parsed(body: bytes, line: int = 1) -> Any:  # Any: JSON
    """Return the JSON that a body is.

    :param line: the number of its first line.
    :raises Refusal: when it is none.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        what = f"the body is no UTF-8: byte {error.start + 1} is {body[error.start]:#04x}."
        raise Refusal(HTTPStatus.BAD_REQUEST, what, do="send UTF-8.") from None
    if not text.strip():
        raise Refusal(HTTPStatus.BAD_REQUEST, "the body is empty.", do='send an input: "a text", or {"text": "a text"}.')
    try:
        return JSON.decode(text)
    except RecursionError:
        raise Refusal(HTTPStatus.BAD_REQUEST, DEEP, do=FLATTER) from None
    except json.JSONDecodeError as error:
        where = f"line {line + error.lineno - 1}, column {error.colno}"
        raise Refusal(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error.msg}.", where=where, do="send JSON.") from None
    except ValueError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "a number of the body has too many digits.", do="send a shorter one.") from None


def _no_constant(name: str) -> Any:
    raise Refusal(HTTPStatus.BAD_REQUEST, f"{name} is no number that JSON knows.", do="send null, or no such field.")


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        do = "send a number that fits into eight bytes."
        raise Refusal(HTTPStatus.BAD_REQUEST, "a number of the body is larger than any that can be kept.", do=do)
    return number


JSON = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def inputs_of(function: Function, many: Sequence[Any], places: Sequence[str], limits: Limits) -> list[Any]:  # Any: JSON; Inputs
    """Return the inputs that JSON writes.

    :param places: where each stands, for who is told what is wrong with it.
    :raises InputError: naming the input that is none.
    :raises Refusal: when there are too many, or one is too long.
    """
    if len(many) > limits.inputs:
        what = f"{len(many):,} inputs are more than the {limits.inputs:,} of one request."
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, what, do="send them in several requests.")
    return [input_of(function, one, where, limits) for one, where in zip(many, places, strict=True)]


def input_of(function: Function, data: Any, where: str, limits: Limits) -> Any:
    """Return one input: a text or an object of fields, as `map` takes it.

    :param where: its place, for who is told what is wrong with it.
    :raises InputError: when it is none.
    :raises Refusal: when it is too long.
    """
    if not isinstance(data, str | dict):
        what = f"an input is a text or an object, and this is {_kind(data)}."
        raise InputError(what, where=where, do=f"send the fields by name: {', '.join(function.task.Input.model_fields)}.")
    _check_extent(data, where, limits)
    try:
        value = function.coerce(data)
    except InputError as error:
        raise error.located(where) from None
    if length_of(value) > limits.text_characters:
        what = f"the texts of an input have more than {limits.text_characters:,} characters together."
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, what, where=where, do="send a shorter one.")
    return value


def _check_extent(data: Any, where: str, limits: Limits) -> None:
    """Refuse an input of which only to say what is wrong with it would cost more than to compute many.

    :raises Refusal: when it holds too many values, or too deep ones.
    """
    count, level = 1, [data]
    for _ in range(DEEPEST):
        level = [one for part in level if isinstance(part, dict | list)
                 for one in (part.values() if isinstance(part, dict) else part)]  # fmt: skip
        count += len(level)
        if count > limits.input_values:
            what = f"an input holds more than {limits.input_values:,} values."
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, what, where=where, do="send a smaller one.")
        if not level:
            return
    raise Refusal(HTTPStatus.BAD_REQUEST, DEEP, where=where, do=FLATTER)


def _kind(data: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", type(None): "null"}
    return names.get(type(data), type(data).__name__)

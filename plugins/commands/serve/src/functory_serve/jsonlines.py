"""JSON Lines in and out: of a body without end, each line's answer as it is there, in the order of the lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.types import Message, Receive

from functory_sdk import FunctoryError
from functory_sdk.faces import Gone, gone
from functory_serve.admission import Overloaded
from functory_serve.bodies import input_of, parsed
from functory_serve.computing import Outcome
from functory_serve.limits import Limits
from functory_serve.problems import FunctionFailed, Refusal, problem_of
from functory_serve.serving import Serving

T = TypeVar("T")
MEDIA = "application/x-ndjson"
KNOWN = (MEDIA, "application/jsonl", "application/x-jsonlines")
AHEAD = 256
"""Lines that are read before the first of them has its answer."""
PAUSE = 0.5
"""Seconds for which a line waits at most until it is tried again, where others come first."""
Answer = asyncio.Task[bytes]


async def answered(serving: Serving, receive: Receive, limits: Limits, number: str) -> AsyncGenerator[bytes]:
    """Give the answer to each line of a body: the output, or a problem document whose ``where`` begins with the line.

    Nothing is too much: no more is read until there is room.

    :param receive: gives the body.
    :param number: the request's id.
    :raises Gone: when the client is gone.
    """
    answers: asyncio.Queue[Answer | None] = asyncio.Queue(AHEAD)
    reading = asyncio.ensure_future(_read(serving, receive, limits, number, answers))
    try:
        while (answer := await _meanwhile(answers.get(), reading)) is not None:
            yield await _meanwhile(answer, reading) + b"\n"
    finally:
        reading.cancel()
        while not answers.empty():
            if (left := answers.get_nowait()) is not None:
                left.cancel()


async def _meanwhile(awaited: Awaitable[T], reading: asyncio.Task[None]) -> T:
    """Wait for something while the body is read: where that fails, so does this."""
    waiting = asyncio.ensure_future(awaited)
    await asyncio.wait({waiting, reading}, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        reading.result()
    return await waiting


async def _read(
    serving: Serving, receive: Receive, limits: Limits, number: str, answers: asyncio.Queue[Answer | None]
) -> None:
    """Begin to answer each line; then wait for the client to go.

    :raises Gone: when it does.
    """
    count, room = 0, asyncio.Semaphore(serving.batcher.share)
    try:
        async for line in _lines(receive, limits):
            count += 1
            if line.strip():
                await answers.put(asyncio.ensure_future(_answer(serving, line, count, limits, number, room)))
    except Refusal as error:  # the rest of the body is not read
        await answers.put(asyncio.ensure_future(_told(error.located(f"line {count + 1}"), number)))
    await answers.put(None)
    await gone(receive)
    raise Gone


async def _lines(receive: Receive, limits: Limits) -> AsyncIterator[bytes]:
    """Give the lines of a body as they come.

    :raises Refusal: for one that is too long, and where nothing comes for too long.
    :raises Gone: when the client is gone.
    """
    kept, is_whole = bytearray(), False
    while not is_whole:
        message = await _next(receive, limits)
        piece, is_whole = message.get("body", b""), not message.get("more_body", False)
        kept += piece
        *whole, rest = kept.split(b"\n") if b"\n" in piece else (kept,)
        for line in whole:
            yield bytes(line)
        kept = bytearray(rest)
        if len(kept) > limits.body_bytes:
            what = f"a line is longer than {limits.body_bytes:,} bytes."
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, what, do="end each input with an end of line.")
    if kept:
        yield bytes(kept)


async def _next(receive: Receive, limits: Limits) -> Message:
    try:
        async with asyncio.timeout(limits.receive_seconds):
            message = await receive()
    except TimeoutError:
        what = f"nothing came for {limits.receive_seconds:g} s."
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, what, do="send lines as they are there, or end the body.") from None
    if message["type"] == "http.disconnect":
        raise Gone
    return message


async def _answer(
    serving: Serving, line: bytes, count: int, limits: Limits, number: str, room: asyncio.Semaphore
) -> bytes:  # fmt: skip
    """Return the answer to one line, the so manieth; it waits for room among all, and among those of its body."""
    where = f"line {count}"
    try:
        value = input_of(serving.function, parsed(line, count), where, limits)
        async with room:
            outcome = await _outcome(serving, value)
    except FunctoryError as error:
        return await _told(error.located(where), number)
    if isinstance(outcome, bytes):
        return outcome
    found = outcome if isinstance(outcome, FunctoryError) else FunctionFailed("the function failed.")
    return await _told(found.located(where), number)


async def _outcome(serving: Serving, value: Any) -> Outcome:
    """Return what comes of an input, once it is let in."""
    while True:
        try:
            [outcome] = await serving.answer([value])
            return outcome
        except Overloaded as error:
            await asyncio.sleep(min(error.retry_seconds, PAUSE))


async def _told(error: FunctoryError, number: str) -> bytes:
    return json.dumps(problem_of(error, number).document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")

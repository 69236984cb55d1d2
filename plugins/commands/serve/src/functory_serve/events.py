"""A text as it is written: server-sent events, from a thread that goes on until the text ends or the client is gone."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from functory_serve.problems import problem

MEDIA = "text/event-stream"
AHEAD = 64
"""Pieces that are written before the first of them is taken."""
Event = tuple[str, Any]  # Any: JSON
"""An event's name, and its data."""


async def written(stream: Any, request: str) -> AsyncGenerator[bytes]:  # Any: what `Function.stream` gives
    """Give a text's pieces as events without a name; then ``done`` with why it ended, or ``error`` with a problem document.

    :param request: the request's id.
    """
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[Event] = asyncio.Queue()
    has_left = threading.Event()
    room = threading.Semaphore(AHEAD)

    def tell(event: Event) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(events.put_nowait, event)

    def write() -> None:
        try:
            with stream as pieces:
                for piece in pieces:
                    room.acquire()
                    if has_left.is_set():
                        return
                    tell(("", {"piece": piece}))
            tell(("done", {"finish": pieces.finish}))
        except BaseException as error:  # told to the client, whatever it is: the stream would never end
            tell(("error", problem(error, request)))

    threading.Thread(target=write, name="functory-serve-stream", daemon=True).start()
    try:
        name = ""
        while name == "":
            name, data = await events.get()
            room.release()
            yield _event(name, data)
    finally:
        has_left.set()
        room.release()


def _event(name: str, data: Any) -> bytes:
    told = json.dumps(data, ensure_ascii=False)
    return (f"event: {name}\n" if name else "").encode() + f"data: {told}\n\n".encode(errors="replace")

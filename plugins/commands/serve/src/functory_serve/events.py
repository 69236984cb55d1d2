"""A text as it is written, as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

from functory_sdk import Problem
from functory_sdk.faces import Writing

MEDIA = "text/event-stream"


async def written(text: Writing, problem: Callable[[BaseException], Problem]) -> AsyncGenerator[bytes]:
    """Give a text's pieces as events without a name; then ``done`` with why it ended, or ``error`` with a problem document.

    :param problem: how an error is told.
    """
    try:
        async for piece in text:
            yield event("", {"piece": piece})
        yield event("done", {"finish": text.finish})
    except Exception as error:
        yield event("error", problem(error).document)
    finally:
        await text.aclose()


def event(name: str, data: Any) -> bytes:  # Any: JSON
    """Return one event."""
    told = json.dumps(data, ensure_ascii=False)
    return (f"event: {name}\n" if name else "").encode() + f"data: {told}\n\n".encode(errors="replace")

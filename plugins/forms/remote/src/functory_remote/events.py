"""A text as a server writes it: server-sent events as pieces, and in the end why it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any

from functory_remote.asking import Asking
from functory_remote.errors import StreamBroken
from functory_remote.problems import problem_of
from functory_sdk import Added, Pieces

LONGEST = 1 << 20
"""Bytes of a line that is read."""


def pieces(there: Asking, body: bytes) -> Pieces:
    """Give the pieces of a text, the last with why it ended. Nothing is asked for before the first is.

    :param body: the input, as JSON.
    :raises StreamBroken: when it breaks off; what was given by then is what was written.
    :raises FunctoryError: what the function, or the server, refuses.
    """
    with there.stream(body) as response:
        for name, data in _events(there, response):
            if name == "done":
                yield Added("", data.get("finish", "end"))
                return
            if name == "error":
                raise problem_of(data, int(data.get("status", 500)), there.place.url)
            yield Added(str(data.get("piece", "")))
    raise _broken(there, "it ended before it was told why.")


def _events(there: Asking, response: HTTPResponse) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the events of an answer, by their names."""
    name = ""
    while line := _line(there, response):
        field, _, value = line.decode(errors="replace").rstrip("\r\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, _data(there, value)
            name = ""


def _line(there: Asking, response: HTTPResponse) -> bytes:
    try:
        return response.readline(LONGEST)
    except (OSError, HTTPException, ValueError) as error:
        raise _broken(there, there.wrong(error).what) from error


def _data(there: Asking, value: str) -> dict[str, Any]:
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _broken(there, "a piece of it is no JSON.")
    return found


def _broken(there: Asking, why: str) -> StreamBroken:
    return StreamBroken(f"the text broke off: {why}", where=there.place.url, do="ask again; look at the server.")

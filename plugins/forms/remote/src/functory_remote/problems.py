"""Errors of a server as what they are here: the same class, with the same what, where and do."""

from __future__ import annotations

import json
from typing import Any

from functory_remote.connections import Answer
from functory_remote.errors import OtherServer, RequestRefused, ServerBusy, ServerFailed
from functory_sdk import FunctoryError, from_json

MEDIA = "application/problem+json"


def error_of(answer: Answer, where: str) -> FunctoryError:
    """Return what an answer of a status of 300 and more says.

    :param where: the function's URL.
    """
    if answer.status < 400:
        to = answer.headers.get("location", "elsewhere")
        return OtherServer(f"it sends its clients to {to!r}, where no token is sent.", where=where, do="load that URL.")
    medium = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    problem = _object(answer.body) if medium == MEDIA else None
    if problem is None:
        what = f"what answers is no server of functions, or something before it: its status is {answer.status}."
        return OtherServer(what, where=where, do="look at the URL; functory serve says where it serves what.")
    return problem_of(problem, answer.status, where)


def problem_of(problem: dict[str, Any], status: int, where: str) -> FunctoryError:
    """Return a problem document as the error that it tells.

    :param status: in HTTP's numbers.
    :param where: the function's URL, which is told where the document tells no place.
    """
    what = str(problem.get("what") or problem.get("detail") or f"the server answered {status}.")
    at, do = str(problem.get("where", "")), str(problem.get("do", ""))
    place = f"{where}, {at}" if at else where
    found = from_json({**problem, "what": what, "where": place})
    if found is not None:
        return found
    if status == 429:
        return ServerBusy(what, where=place, do=do or "try again later.")
    return (ServerFailed if status >= 500 else RequestRefused)(what, where=place, do=do)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None

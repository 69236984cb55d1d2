"""What is written down of requests, a JSON object a line on stderr: never a text of a user's, nor a message that may hold one."""

from __future__ import annotations

import json
import logging
import time
import traceback

from functory_sdk import tell


def write(**facts: object) -> None:
    """Write one line; where it cannot be written, a full disk for one, serving goes on."""
    tell(json.dumps({"time": round(time.time(), 3), **facts}, ensure_ascii=True))


class _Lines(logging.Handler):
    """Writes what a library says goes wrong: the kind of error, and what it says of its own accord."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0] if record.exc_info else None
        write(event="server", what=str(record.msg), **({"error": error.__name__} if error else {}))


def take(name: str) -> None:
    """Let what a library logs as an error become lines of this log, and nothing else of it."""
    logger = logging.getLogger(name)
    logger.handlers, logger.propagate = [_Lines()], False
    logger.setLevel(logging.ERROR)


def failed(request: str, error: BaseException) -> None:
    """Write that a function failed for a request: by what kind of error, and where in the code.

    :param request: its id.
    """
    cause = error.__cause__ or error  # what the function itself raised
    trace = traceback.extract_tb(cause.__traceback__)
    place = f"{trace[-1].filename}, line {trace[-1].lineno}" if trace else ""
    write(event="failed", request=request, error=type(cause).__name__, where=place)

"""What the workers of one server tell one another: whichever of them is asked, readiness, metrics and a reload are those of all.

Over sockets in a folder of the server's own, that only its user may enter.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

Tell = Callable[[str], Awaitable[Any]]  # Any: JSON
"""Gives what a worker has to tell when it is asked for something."""
SECONDS = {"reload": 600.0}
"""For which a sibling is waited for; `OTHERWISE` where nothing is said."""
OTHERWISE = 2.0
RELOADED = "reloaded"
"""The file that says that what workers serve is no longer what they were forked with."""
STATES = ("ready", "warming", "hanging", "failing", "draining")
"""A function's states, the worst last."""


class Siblings:
    """The workers of one server, as one of them knows them.

    :param folder: where their sockets are.
    :param own: this one's number.
    :param count: how many there are.
    """

    def __init__(self, folder: Path, own: int, count: int) -> None:
        self._folder, self._own, self._count = folder, own, count
        self._tell: Tell | None = None
        self._server: asyncio.Server | None = None

    async def listen(self, tell: Tell) -> None:
        """Answer the others from now on."""
        self._tell = tell
        place = self._folder / str(self._own)
        place.unlink(missing_ok=True)  # of the one whose place this takes
        self._server = await asyncio.start_unix_server(self._answer, place)

    def close(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.close()

    async def ask(self, what: str) -> dict[int, Any]:
        """Return what each tells, itself too; None for one that does not."""
        if what == "reload":
            (self._folder / RELOADED).touch()
        asked = [self._of(number, what) for number in range(self._count)]
        return dict(enumerate(await asyncio.gather(*asked)))

    async def _of(self, number: int, what: str) -> Any:
        if number == self._own:
            return await self._tell(what) if self._tell is not None else None
        with suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(SECONDS.get(what, OTHERWISE)):
                reader, writer = await asyncio.open_unix_connection(self._folder / str(number))
                try:
                    writer.write(f"{what}\n".encode())
                    return json.loads(await reader.read())
                finally:
                    writer.close()
        return None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            what = (await reader.readline()).decode().strip()
            if self._tell is not None:
                writer.write(json.dumps(await self._tell(what)).encode())
                await writer.drain()
        except ConnectionError:
            pass  # whoever asked is gone
        finally:
            writer.close()


def together(told: Mapping[int, Mapping[str, str] | None]) -> dict[str, str]:
    """Return each function's state: the worst of those workers that tell one."""
    states: dict[str, str] = {}
    for one in told.values():
        for name, state in (one or {}).items():
            states[name] = max(states.get(name, state), state, key=STATES.index)
    return states


def page_of(told: Mapping[int, str | None]) -> bytes:
    """Return the metrics of all workers as one page: each number with its worker's, and which of them are there."""
    families: dict[str, list[str]] = {}
    for number, page in told.items():
        head: list[str] = []
        for line in (page or "").splitlines():
            if line.startswith("# HELP"):
                head = families.setdefault(line, [])
            elif line.startswith("#"):
                head[:] = head or [line]
            else:
                head.append(_of_worker(line, number))
    up = [f'functory_worker_up{{worker="{number}"}} {int(page is not None)}' for number, page in told.items()]
    families["# HELP functory_worker_up Whether a worker answers."] = ["# TYPE functory_worker_up gauge", *up]
    return "".join(f"{line}\n" for head, lines in families.items() for line in (head, *lines)).encode()


def _of_worker(line: str, number: int) -> str:
    """Return a number's line with its worker among the labels."""
    name, brace, rest = line.partition("{")
    if brace:
        return f'{name}{{worker="{number}",{rest}'
    name, _, value = line.partition(" ")
    return f'{name}{{worker="{number}"}} {value}'

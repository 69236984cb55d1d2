"""Functions of this process, for the one assistant that started it and speaks through stdin and stdout."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any, BinaryIO

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from functory_mcp.speaking import Answering, Context, Told, speaking
from functory_sdk import Function, FunctoryError, message_of, tell, waited

STDOUT, STDERR = 1, 2


def server(functions: Mapping[str, Function]) -> Server[Any]:
    """Return a server of the protocol for functions of this process, for any of the SDK's transports.

    :param functions: by name.
    """
    return speaking(Alone(functions))


def serve(functions: Mapping[str, Function] | Callable[[], Mapping[str, Function]]) -> None:
    """Answer what comes through stdin on stdout, until stdin ends. Whatever else is printed meanwhile, by a plugin or a library,
    goes to stderr.

    :param functions: by name; or what opens them, which may print, too.
    """
    with stdout_taken() as wire:
        opened = functions if isinstance(functions, Mapping) else functions()
        asyncio.run(_served(server(opened), wire))


async def _served(made: Server[Any], wire: BinaryIO) -> None:
    lines = anyio.wrap_file(TextIOWrapper(wire, encoding="utf-8", newline="\n"))
    async with stdio_server(stdout=lines) as (asked, answers):
        await made.run(asked, answers, made.create_initialization_options())


@contextmanager
def stdout_taken() -> Iterator[BinaryIO]:
    """Give stdout to the block alone: what the process, its libraries and its children print goes to stderr until it ends."""
    sys.stdout.flush()
    wire = os.dup(STDOUT)
    elsewhere = _elsewhere()
    os.dup2(elsewhere, STDOUT)
    os.close(elsewhere)
    try:
        with os.fdopen(wire, "wb", closefd=False) as lines:
            yield lines
    finally:
        sys.stdout.flush()  # of what was printed, before stdout leads back
        os.dup2(wire, STDOUT)
        os.close(wire)


def _elsewhere() -> int:
    """Return a handle of stderr; of nothing, where there is none."""
    try:
        return os.dup(STDERR)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


class Alone(Answering):
    """Computes here, each call in a thread; texts that are asked for at once are written together."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions

    def functions(self, context: Context) -> Mapping[str, Function]:
        return self._functions

    async def answer(self, context: Context, name: str, fields: Mapping[str, Any], told: Told) -> bytes:
        function = self._functions[name]
        [output] = await waited(function.form.outputs, function, [function.coerce(dict(fields))], told)
        return str(output.json()).encode()

    def fault(self, context: Context, error: Exception) -> Mapping[str, str]:
        if isinstance(error, FunctoryError):
            return {name: str(value) for name, value in error.as_json().items() if name in ("error", "what", "where", "do")}
        tell(f"functory mcp: {message_of(error)}")
        return {"error": "FunctionFailed", "what": "the function failed.", "do": "look at what it wrote on stderr."}

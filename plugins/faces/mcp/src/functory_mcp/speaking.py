"""The protocol: tools are listed and called, cards are listed and read, whoever computes.

The official SDK speaks it, in all its versions; here is only what the answers are.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Any

import mcp_types as types
from mcp import MCPError
from mcp.server.lowlevel import Server

from functory_mcp.tools import ADDRESS, contents, failure, named, resource, result, tool, unknown
from functory_sdk import Function

EACH = 0.25
"""Seconds between two words about how far a call is."""
RESOURCE_NOT_FOUND = -32002
Told = Callable[[float], None]
"""Told of each part that is done, as its share of the whole; from any thread."""
Context = Any
"""The SDK's context of one request."""


class Answering(ABC):
    """Who computes what is asked."""

    @abstractmethod
    def functions(self, context: Context) -> Mapping[str, Function]:
        """Return the functions that a request may use, by name.

        :raises FunctoryError: when it may use none.
        """

    @abstractmethod
    async def answer(self, context: Context, name: str, fields: Mapping[str, Any], told: Told) -> bytes:
        """Return a function's output as JSON. Who cancels it leaves.

        :param fields: of its input.
        :raises FunctoryError: what is wrong with the input.
        """

    @abstractmethod
    def fault(self, context: Context, error: Exception) -> Mapping[str, str]:
        """Return how an error is told: ``error``, ``what``, ``where`` and ``do``."""


def speaking(answering: Answering) -> Server[Any]:
    """Return a server of the protocol, for any of the SDK's transports."""

    async def list_tools(context: Context, _: Any) -> types.ListToolsResult:
        functions = allowed(context)
        return types.ListToolsResult(tools=[tool(told, functions[name]) for told, name in named(functions).items()])

    async def call_tool(context: Context, asked: types.CallToolRequestParams) -> types.CallToolResult:
        names = named(allowed(context))
        if asked.name not in names:
            raise MCPError(types.INVALID_PARAMS, unknown("tool", asked.name, names))
        progress = _Progress(context)
        try:
            work = answering.answer(context, names[asked.name], asked.arguments or {}, progress.told)
            return result(await progress.along(work))
        except Exception as error:
            return failure(answering.fault(context, error))

    async def list_resources(context: Context, _: Any) -> types.ListResourcesResult:
        return types.ListResourcesResult(resources=[resource(name, one) for name, one in allowed(context).items()])

    async def read_resource(context: Context, asked: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        functions, address = allowed(context), str(asked.uri)
        name = address.removeprefix(ADDRESS)
        if not address.startswith(ADDRESS) or name not in functions:
            raise MCPError(RESOURCE_NOT_FOUND, unknown("resource", address, (ADDRESS + one for one in functions)))
        return contents(name, functions[name])

    def allowed(context: Context) -> Mapping[str, Function]:
        try:
            return answering.functions(context)
        except Exception as error:
            told = answering.fault(context, error)
            raise MCPError(types.INVALID_REQUEST, f"{told['what']} {told.get('do', '')}".strip(), dict(told)) from None

    return Server(
        "functory", version=version("functory"), title="functory", on_list_tools=list_tools, on_call_tool=call_tool,
        on_list_resources=list_resources, on_read_resource=read_resource,
        instructions="Each tool is a function with a language model inside, that was measured on held-out data: "
        f"{ADDRESS}NAME tells how good it is, with examples.",
    )  # fmt: skip


class _Progress:
    """How far one call is, told to a client that asked for it: the share that is done or, where none is known, the seconds."""

    def __init__(self, context: Context) -> None:
        self._session, self._share, self._last = context.session, 0.0, 0.0

    def told(self, share: float) -> None:
        self._share += share

    async def along(self, work: Awaitable[bytes]) -> bytes:
        """Return what comes of some work; who cancels this cancels it."""
        working = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            while not (await asyncio.wait({working}, timeout=EACH))[0]:
                await self._tell(loop.time() - begun)
            return working.result()
        finally:
            working.cancel()

    async def _tell(self, seconds: float) -> None:
        share = min(self._share, 1.0)
        if share > self._last:
            self._last = share
            await self._session.report_progress(share, 1.0)
        elif not self._last and not share:
            await self._session.report_progress(seconds, None, f"for {seconds:.0f} s")

"""The same tools on the server: by both kinds of clients, within what a token may use, beside the server's own routes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("functory_serve")

from mcp import Client

from functory_mcp.tools import FAULT
from functory_sdk.testing import kit, toy_function


@pytest.fixture(scope="module")
def toy() -> Iterator[Any]:
    with kit():
        yield toy_function()


@pytest.fixture(scope="module")
def url(toy: Any) -> Iterator[str]:
    from functory_serve import served

    with served({"toy": toy, "other@2": toy}) as found:
        yield found


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_what_a_tool_gives_is_what_the_servers_own_route_gives(toy: Any, url: str, mode: str) -> None:
    async def ask() -> Any:
        async with Client(f"{url}/mcp", mode=mode) as client:
            tools = [one.name for one in (await client.list_tools()).tools]
            many = await asyncio.gather(*(client.call_tool("other_2", {"text": text}) for text in ("good", "bad", "好")))
            wrong = await client.call_tool("toy", {"texd": "good"})
            card = await client.read_resource("functory://functions/other@2")
            return tools, [one.content[0].text for one in many], wrong, json.loads(card.contents[0].text)

    tools, texts, wrong, card = asyncio.run(ask())
    assert tools == ["toy", "other_2"]
    assert texts == [toy(text).json() for text in ("good", "bad", "好")]
    request = Request(f"{url}/v1/functions/toy", b'"bad"', {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        assert answer.read().decode() == texts[1]
    assert wrong.is_error
    assert wrong.meta[FAULT]["error"] == "InputError"
    assert wrong.meta[FAULT]["do"] in wrong.content[0].text
    assert card["name"] == "other@2"


def test_nothing_is_got_but_what_is_posted(url: str) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{url}/mcp")
    assert caught.value.code == 405


def test_a_token_sees_its_own_functions_alone_and_none_is_told_without_one(toy: Any) -> None:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    from functory_serve.access import Token
    from functory_serve.app import app

    token = Token(name="one", sha256=hashlib.sha256(b"word").hexdigest(), functions=("toy",))
    made = app({"toy": toy, "other": toy}, tokens=[token])

    async def names(headers: dict[str, str]) -> list[str]:
        transport = httpx2.ASGITransport(made)
        async with (
            httpx2.AsyncClient(transport=transport, headers=headers, base_url="http://127.0.0.1") as http,
            Client(streamable_http_client("http://127.0.0.1/mcp", http_client=http)) as client,
        ):
            return [one.name for one in (await client.list_tools()).tools]

    async def whole() -> Any:
        async with made.router.lifespan_context(made):
            found = await names({"Authorization": "Bearer word"})
            async with httpx2.AsyncClient(transport=httpx2.ASGITransport(made), base_url="http://127.0.0.1") as http:
                return found, await http.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})

    found, refused = asyncio.run(whole())
    assert found == ["toy"]
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"

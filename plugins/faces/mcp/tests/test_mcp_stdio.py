"""Functions as tools: what an assistant learns of them, the same bytes as in Python, errors that it can mend, a clean stdout."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client

from functory_mcp.tools import FAULT, named
from functory_sdk.testing import CommandSuite, kit, toy_function

PRINTING = """
import sys
from functory.cli import main
from functory_sdk.testing import kit
from functory.function import Function
coerce = Function.coerce
def noisy(self, value):
    print("what a plugin prints, where the protocol is")
    return coerce(self, value)
Function.coerce = noisy
with kit():
    sys.exit(main(["mcp", *sys.argv[1:]]))
"""
"""`functory mcp`, which knows the tiny components, with a plugin that prints."""


class TestMcp(CommandSuite):
    component = "mcp"


@pytest.fixture(scope="module")
def functions() -> Iterator[dict[str, Any]]:
    """One of each kind whose output differs in shape: labels, lists, a text that is written, a vector."""
    import functory

    with kit():
        write = functory.build(task={"name": "text-generation", "max_new_tokens": 12}, backbone="tiny-decoder", name="write")
        vector = functory.build(task="embedding", backbone="tiny-encoder", name="vector")
        yield {"toy": toy_function(), "write@1": write, "vector": vector}


def asked(functions: Any, ask: Callable[[Client], Awaitable[Any]], **how: Any) -> Any:
    """Ask by the official client, in this process."""
    import functory_mcp

    async def whole() -> Any:
        async with Client(functory_mcp.server(functions), **how) as client:
            return await ask(client)

    return asyncio.run(whole())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_each_function_is_a_tool_whose_schemas_fit_what_it_takes_and_gives(functions: Any, mode: str) -> None:
    async def ask(client: Client) -> Any:
        tools = {one.name: one for one in (await client.list_tools()).tools}
        given = {name: functions[own].golden[0].value for name, own in named(functions).items()}
        return tools, {name: (value, await client.call_tool(name, value)) for name, value in given.items()}

    tools, found = asked(functions, ask, mode=mode)
    assert list(tools) == ["toy", "write_1", "vector"], "an @ is no part of a tool's name"
    assert tools["toy"].output_schema["properties"]["label"]["enum"] == ["no", "yes"]
    assert "no, yes" in tools["toy"].description
    for name, (value, result) in found.items():
        function = functions[named(functions)[name]]
        jsonschema.validate(value, tools[name].input_schema)
        jsonschema.validate(result.structured_content, tools[name].output_schema)
        expected = function(**value).json()
        assert not result.is_error
        assert [one.text for one in result.content] == [expected], "the same bytes as in Python"
        assert result.structured_content == json.loads(expected)


def test_its_card_is_a_resource(functions: Any) -> None:
    async def ask(client: Client) -> Any:
        listed = (await client.list_resources()).resources
        read = await client.read_resource("functory://functions/toy")
        with pytest.raises(MCPError, match="functory://functions/toy, "):
            await client.read_resource("functory://functions/none")
        return listed, read

    listed, read = asked(functions, ask)
    assert next(one.uri for one in listed) == "functory://functions/toy"
    card = json.loads(read.contents[0].text)
    assert card["metrics"]["accuracy"]["value"] > 0
    assert card["golden"]
    assert not card.keys() & {"recipe", "data", "versions"}, "nothing of where it was made"


def test_what_is_wrong_with_a_call_is_told_to_the_model_and_what_is_no_tool_to_the_client(functions: Any) -> None:
    async def ask(client: Client) -> Any:
        wrong = await client.call_tool("toy", {"texd": "good"})
        with pytest.raises(MCPError, match="there is no tool 'tpy' here; there are: toy"):
            await client.call_tool("tpy", {"text": "good"})
        return wrong

    wrong = asked(functions, ask)
    told = wrong.meta[FAULT]
    assert wrong.is_error
    assert told["error"] == "InputError"
    assert told["what"] in wrong.content[0].text
    assert f"do: {told['do']}" in wrong.content[0].text


def test_progress_is_told_of_a_text_that_is_written_and_cancelling_leaves_it(functions: Any) -> None:
    slow = functions["write@1"].using(max_new_tokens=40)
    written: list[int] = []
    left = threading.Event()
    submit = slow.session.submit

    def watched(request: Any) -> Iterator[Any]:
        try:
            for token in submit(request):
                written.append(token.id)
                time.sleep(0.05)
                yield token
        finally:
            left.set()

    shares: list[tuple[float, float | None]] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        shares.append((progress, total))

    async def ask(client: Client) -> None:
        calling = asyncio.create_task(client.call_tool("slow", {"text": "bad"}, progress_callback=told))
        while len(shares) < 2:
            await asyncio.sleep(0.02)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert await asyncio.to_thread(left.wait, 20), "nothing more is written"
        await client.list_tools()

    slow.session.submit = watched
    try:
        asked({"slow": slow}, ask, mode="legacy")
    finally:
        del slow.session.submit
    numbers = [progress for progress, _ in shares]
    assert numbers == sorted(set(numbers)), "it grows"
    assert 0 < len(written) < 40


def test_a_function_that_raises_is_told_without_its_insides(
    functions: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def outputs(self: Any, function: Any, values: Any, told: Any = None) -> Any:
        raise ZeroDivisionError("/secret/place")

    monkeypatch.setattr(type(functions["toy"].form), "outputs", outputs)
    wrong = asked(functions, lambda client: client.call_tool("toy", {"text": "good"}))
    assert wrong.is_error
    assert wrong.meta[FAULT]["error"] == "FunctionFailed"
    assert "secret" not in wrong.content[0].text
    assert "secret" in capsys.readouterr().err


@pytest.fixture(scope="module")
def saved(functions: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return functions["toy"].save(tmp_path_factory.mktemp("functions") / "toy")


def test_the_verb_speaks_through_stdio_and_stdout_holds_nothing_but_the_protocol(
    functions: Any, saved: Path, tmp_path: Path
) -> None:
    kept, errors = tmp_path / "stdout", tmp_path / "stderr"
    command = shlex.join([sys.executable, "-c", PRINTING, str(saved), f"other={saved}"])

    async def whole() -> Any:
        process = StdioServerParameters(command="sh", args=["-c", f"{command} 2> {errors} | tee {kept}"])
        async with Client(stdio_client(process)) as client:
            tools = [one.name for one in (await client.list_tools()).tools]
            many = await asyncio.gather(*(client.call_tool("other", {"text": text}) for text in ("good", "bad", "好")))
            return tools, [one.content[0].text for one in many]

    tools, texts = asyncio.run(whole())
    assert tools == ["toy", "other"]
    assert texts == [functions["toy"](text).json() for text in ("good", "bad", "好")]
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in kept.read_text().splitlines())
    assert "what a plugin prints" in errors.read_text()


def test_a_folder_that_is_no_function_ends_it_before_the_protocol_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from functory.cli import main

    assert main(["mcp", str(tmp_path)]) == 1
    assert main(["mcp"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "do:" in err

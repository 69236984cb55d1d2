"""Tiny functions that write, converse, embed and label, on a real server of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from functory_sdk.testing import kit, toy_function

DECODER = {"name": "tiny-decoder", "context": 1024}


@pytest.fixture(scope="session")
def functions() -> Iterator[dict[str, Any]]:
    import functory

    with kit():
        write = functory.build(task={"name": "text-generation", "max_new_tokens": 12}, backbone=DECODER, name="write")
        persona = {"name": "dialogue", "max_new_tokens": 12, "system": "Be brief."}
        chat = functory.build(task=persona, backbone=DECODER, name="chat")
        vector = functory.build(task="embedding", backbone="tiny-encoder", name="vector")
        yield {"write": write, "chat": chat, "vector": vector, "toy": toy_function()}


@pytest.fixture(scope="session")
def url(functions: dict[str, Any]) -> Iterator[str]:
    from functory_serve import served

    with served(functions) as found:
        yield found


class Asker:
    """Asks a server at an address, without any client's library."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return the status, and the JSON that comes back."""
        try:
            with self._open(path, body, headers) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            return error.code, json.loads(error.read())

    def events(self, path: str, body: Any) -> list[Any]:
        """Return the events of a stream, the last word included."""
        with self._open(path, {**body, "stream": True}, {}) as answer:
            lines = [line.decode().removeprefix("data: ") for line in answer.read().split(b"\n\n") if line]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]

    def _open(self, path: str, body: Any, headers: dict[str, str]) -> Any:
        content = None if body is None else json.dumps(body).encode()
        return urlopen(Request(f"{self.url}/v1/{path}", content, {"Content-Type": "application/json", **headers}), timeout=60)


@pytest.fixture(scope="session")
def ask(url: str) -> Asker:
    return Asker(url)

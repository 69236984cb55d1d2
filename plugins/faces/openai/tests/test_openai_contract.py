"""The face keeps the contract of faces: by vectors, by whole messages and by streamed ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

pytest.importorskip("functory_serve")

import functory
from functory_sdk import Function
from functory_sdk.testing import FaceSuite, Heard, Question, kit, toy_function

DECODER = {"name": "tiny-decoder", "context": 1024}
CHAT = "/v1/chat/completions"


@cache
def built() -> Mapping[str, Function]:
    """Return functions of all kinds, built once."""
    write = functory.build(task={"name": "text-generation", "max_new_tokens": 12}, backbone=DECODER, name="write")
    chat = functory.build(task={"name": "dialogue", "max_new_tokens": 12}, backbone=DECODER, name="chat")
    vector = functory.build(task="embedding", backbone="tiny-encoder", name="vector")
    return {"write": write, "chat": chat, "vector": vector, "toy": toy_function()}


class TestOpenAI(FaceSuite):
    component = "openai"

    def functions(self) -> Mapping[str, Function]:
        return built()

    def question(self, name: str, value: Mapping[str, Any]) -> Question:
        if name in ("write", "chat"):
            return Question.of(CHAT, self._asked(name, value))
        return Question.of("/v1/embeddings", {"model": name, "input": value.get("text")})

    def streamed(self, name: str, value: Mapping[str, Any]) -> Question | None:
        return Question.of(CHAT, {**self._asked(name, value), "stream": True}) if name in ("write", "chat") else None

    def _asked(self, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
        said = value.get("turns") or [value.get("text")]  # user and assistant take turns
        roles = ("user", "assistant")
        turns = [{"role": roles[place % 2], "content": text} for place, text in enumerate(said)]
        system = [{"role": "system", "content": value["system"]}] if value.get("system") else []
        return {"model": name, "messages": [*system, *turns]}

    def output(self, heard: Heard) -> Any:
        found = heard.json
        return found["choices"][0]["message"]["content"] if "choices" in found else found["data"][0]["embedding"]

    def part(self, output: str) -> Any:
        found = json.loads(output)
        return found["vector"] if "vector" in found else found["text"]

    def wrong(self) -> tuple[Question, tuple[str, ...]]:
        question = Question.of(CHAT, {**self._asked("write", {"text": "the film"}), "temperature": -1})
        return question, ("temperature", "greater than or equal to 0", "invalid_request_error")


def test_a_face_that_lets_texts_go_on_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from functory_openai import writing
    from functory_sdk.testing.faces import keeping

    async def left(writings: Any) -> None:
        """Close none of them."""

    monkeypatch.setattr(writing, "_left", left)
    monkeypatch.setattr(keeping, "PATIENCE", 5.0)
    monkeypatch.setattr("functory_serve.texts.Text.aclose", left)  # which a text does by itself, where it is gone through
    with kit(), pytest.raises(AssertionError, match="the text went on"):
        TestOpenAI().test_a_text_whose_client_is_gone_is_written_no_further()

"""The face is a good one: what every face owes, and what only this one does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

pytest.importorskip("functory_serve")

from acme_inference.face import likeliest_first
from functory_sdk import Function
from functory_sdk.testing import FaceSuite, Heard, Question, kit, toy_function


class TestInference(FaceSuite):
    component = "inference"

    def question(self, name: str, value: Mapping[str, Any]) -> Question:
        return Question.of(f"/models/{name}", {"inputs": value.get("text")})

    def output(self, heard: Heard) -> Any:
        return heard.json

    def part(self, output: str) -> Any:
        return likeliest_first(json.loads(output)["scores"])

    def wrong(self) -> tuple[Question, tuple[str, ...]]:
        return Question.of("/models/toy", {"text": "the field has another name"}), ("there is no text", '{"inputs": "a text"}')


def test_several_texts_are_answered_in_their_order() -> None:
    from urllib.request import Request, urlopen

    from acme_inference import Inference
    from functory_serve import served

    with kit():
        toy: Function = toy_function()
        with served({"toy": toy}, faces=[Inference()]) as url:
            asked = Request(f"{url}/models/toy", b'{"inputs": ["good", "bad"]}', {"Content-Type": "application/json"})
            with urlopen(asked) as answer:
                found = json.load(answer)
    assert [one[0]["label"] for one in found] == [toy("good").label, toy("bad").label]

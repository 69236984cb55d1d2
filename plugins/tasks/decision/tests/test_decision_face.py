"""Typed decisions keep the contract of faces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import functory
from functory_sdk import Function
from functory_sdk.testing import FaceSuite, Heard, Question, toy_function

ASK = "Was it good?"


@cache
def decide() -> Function:
    """Return a function that answers any question, built once."""
    return functory.build(task="open-decision", backbone="tiny-decoder", name="decide")


class TestSystemOne(FaceSuite):
    component = "systemone"

    def functions(self) -> Mapping[str, Function]:
        return {"decide": decide(), "toy": toy_function()}

    def inputs(self, function: Function) -> list[dict[str, Any]]:
        texts = ("we saw the good film in the rain", "it was 好 and very fine, and we saw it again")
        return [{"text": text, "questions": {"good": {"ask": ASK}}} for text in texts]

    def question(self, name: str, value: Mapping[str, Any]) -> Question:
        questions = {"good": {"type": "noul", "instructions": ASK}}
        return Question.of("/v1/systemone", {"model": name, "state": value.get("text"), "questions": questions})

    def output(self, heard: Heard) -> Any:
        return heard.json["answers"]["good"]["noul"]

    def part(self, output: str) -> Any:
        return json.loads(output)["scores"]["good"]["true"]

    def wrong(self) -> tuple[Question, tuple[str, ...]]:
        asked = {"model": "decide", "state": "x", "questions": {"good": {"type": "boolean"}}}
        return Question.of("/v1/systemone", asked), ("the type is none of noul, choice, score", "questions")

"""``POST /models/NAME``: a text, or several, and every label with its score; errors as these clients read them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from functory_sdk import Face, Function, FunctoryError, InputError, Served
from functory_sdk.faces import App, Receive, Scope, Send, respond_json
from functory_sdk.openapi import answer, sent

ROOT = "/models"
LABELLED = {"type": "array", "items": {
    "type": "object", "required": ["label", "score"], "properties": {"label": {"type": "string"}, "score": {"type": "number"}},
}}  # fmt: skip


class Inference(Face):
    """Labels of texts, in the way of hosted inference services."""

    help = "labels of texts, for clients of hosted inference services"
    paths = (ROOT,)

    @asynccontextmanager
    async def app(self, served: Served) -> AsyncIterator[App]:
        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            name = scope["path"].removeprefix(ROOT).strip("/")
            if scope["method"] != "POST":
                error = {"error": f"a text is sent to {ROOT}/NAME by POST."}
                await respond_json(send, error, HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST"})
                return
            asked = served.asked(scope)
            try:
                there = [one for one, function in asked.functions.items() if self.answers(function)]
                if name not in there:
                    raise InputError(f"there is no model {name!r} that labels texts.", do=f"there are: {', '.join(there)}.")
                texts, is_list = texts_of(await asked.json())
                outputs = [json.loads(output) for output in await asked.answer(name, [{"text": text} for text in texts])]
            except FunctoryError as error:
                problem = asked.problem(error)
                told = " ".join(str(problem.document[part]) for part in ("what", "do") if problem.document.get(part))
                await respond_json(send, {"error": told}, problem.status, problem.headers)
            else:
                labelled = [likeliest_first(output["scores"]) for output in outputs]
                await respond_json(send, labelled if is_list else labelled[0])

        yield answered

    def answers(self, function: Function) -> bool:
        return "scores" in function.task.Output.model_fields and "text" in function.task.Input.model_fields

    def described(self, functions: Mapping[str, Function]) -> dict[str, Any]:
        names = [name for name, one in functions.items() if self.answers(one)]
        if not names:
            return {}
        text = {"type": "string"}
        fields = {"inputs": {"anyOf": [text, {"type": "array", "items": text, "minItems": 1}]}}
        labels = {"anyOf": [LABELLED, {"type": "array", "items": LABELLED}]}
        wrong = answer("What is wrong.", {"type": "object", "properties": {"error": text}}, is_problem=True)
        post = {
            "summary": "Every label of a text with its score",
            "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"enum": names}}],
            "requestBody": sent({"type": "object", "required": ["inputs"], "properties": fields}, {"inputs": "a text"}),
            "responses": {"200": answer("The likeliest first.", labels), "default": wrong},
        }
        return {"paths": {f"{ROOT}/{{name}}": {"post": post}}}


def texts_of(body: Any) -> tuple[list[str], bool]:
    """Return the texts of a request, and whether they are a list.

    :raises InputError: when it has none.
    """
    inputs = body.get("inputs") if isinstance(body, dict) else None
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise InputError("there is no text, and no list of texts.", where="inputs", do='send {"inputs": "a text"}.')
    return texts, not isinstance(inputs, str)


def likeliest_first(scores: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return labels with their scores in the services' shape."""
    order = sorted(scores, key=lambda label: -scores[label])
    return [{"label": label, "score": scores[label]} for label in order]

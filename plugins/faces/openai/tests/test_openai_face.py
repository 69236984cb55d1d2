"""The routes on a real server: the texts are those of Python, whole, streamed and several; forms are held; errors help."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import jsonschema
import pytest

CHAT, HI = "chat/completions", [{"role": "user", "content": "the film"}]
FIELDS = {"word": {"enum": ["good", "bad"]}, "count": {"type": "integer", "minimum": 0, "maximum": 9}}
SCHEMA = {"type": "object", "properties": FIELDS, "required": [*FIELDS], "additionalProperties": False}
JSON = {"type": "json_object"}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("first", "second")]


def test_a_message_is_what_the_function_writes_with_its_tokens_counted(ask: Any, functions: dict[str, Any]) -> None:
    for name, value in (("write", "the film"), ("chat", ["the film"])):
        status, found = ask(CHAT, {"model": name, "messages": HI})
        expected = functions[name](value)
        assert status == 200
        [choice] = found["choices"]
        assert choice["message"] == {"role": "assistant", "content": expected.text, "refusal": None}
        assert choice["finish_reason"] == {"end": "stop", "length": "length"}[expected.finish]
        assert found["usage"]["completion_tokens"] == expected.tokens
        value = functions[name].coerce(value if name == "write" else {"turns": value})
        [request] = functions[name].form.formulation.encode([value], functions[name].reader, functions[name].state).requests
        assert found["usage"]["prompt_tokens"] == len(request.ids)


def test_how_it_is_written_is_said_in_the_clients_words(ask: Any, functions: dict[str, Any]) -> None:
    how = {"temperature": 0.9, "top_p": 0.95, "seed": 5, "max_tokens": 9}
    status, found = ask(CHAT, {"model": "write", "messages": HI, **how, "n": 3, "logprobs": True})
    own = functions["write"].using(temperature=0.9, top_p=0.95, max_new_tokens=9, likelihoods=True)
    expected = [own.using(seed=seed)("the film") for seed in (5, 6, 7)]
    assert status == 200
    assert [one["message"]["content"] for one in found["choices"]] == [one.text for one in expected]
    assert len({one.text for one in expected}) > 1
    for choice, one in zip(found["choices"], expected, strict=True):
        told = choice["logprobs"]["content"]
        assert "".join(part["token"] for part in told) == one.text
        assert [part["logprob"] for part in told] == pytest.approx(list(one.log_probabilities[: one.tokens]), abs=1e-4)


def test_what_is_streamed_joins_to_the_whole_and_ends_with_its_reason_and_usage(ask: Any) -> None:
    body = {"model": "chat", "messages": HI, "temperature": 0.8, "n": 2, "seed": 3}
    _, whole = ask(CHAT, body)
    *events, last, done = ask.events(CHAT, {**body, "stream_options": {"include_usage": True}})
    assert done == "[DONE]"
    assert last["usage"] == whole["usage"]
    assert last["choices"] == []
    for choice in whole["choices"]:
        own = [one["choices"][0] for one in events if one["choices"][0]["index"] == choice["index"]]
        assert own[0]["delta"]["role"] == "assistant"
        assert "".join(one["delta"].get("content", "") for one in own) == choice["message"]["content"]
        assert [one["finish_reason"] for one in own if one["finish_reason"]] == [choice["finish_reason"]]


@pytest.mark.parametrize("how", [{}, {"stop": ["film", "the good"]}, {"max_tokens": 3}, {"temperature": 2.0, "top_k": 30}])
def test_each_token_of_a_stream_is_told_as_it_is_of_the_whole(ask: Any, how: dict[str, Any]) -> None:
    asked = {"model": "write", "messages": HI, "logprobs": True, "n": 2, "seed": 4, "max_tokens": 12, **how}
    whole = ask(CHAT, asked)[1]["choices"]
    *events, done = ask.events(CHAT, asked)
    assert done == "[DONE]"
    for choice in whole:
        own = [one["choices"][0] for one in events if one["choices"][0]["index"] == choice["index"]]
        told = [token for one in own if one["logprobs"] for token in one["logprobs"]["content"]]
        expected = choice["logprobs"]["content"]
        assert [one["token"] for one in told] == [one["token"] for one in expected]
        assert [one["logprob"] for one in told] == pytest.approx([one["logprob"] for one in expected], abs=1e-4)
        for one in own:  # beside the piece that they are
            tokens = "".join(token["token"] for token in (one["logprobs"] or {"content": ()})["content"])
            assert tokens == one["delta"].get("content", "")
    body = {"model": "write", "prompt": "the film", "logprobs": 0, **how}
    [expected] = ask("completions", body)[1]["choices"]
    parts = [one["choices"][0]["logprobs"] for one in ask.events("completions", body)[:-1]]
    for name in ("tokens", "text_offset"):
        assert [value for one in parts for value in one[name]] == expected["logprobs"][name]


def test_what_decoding_can_do_besides_is_held(ask: Any, functions: dict[str, Any]) -> None:
    body, write = {"model": "write", "messages": HI}, functions["write"]
    for how in ({"beams": 3, "length_penalty": 0.5}, {"guide": ["yes", "no"]}, {"control": {"must": ["sun"], "words": "1-8"}}):
        expected = write.using(**how)("the film").text
        assert ask(CHAT, {**body, **how})[1]["choices"][0]["message"]["content"] == expected
        deltas = [one["choices"][0]["delta"] for one in ask.events(CHAT, {**body, **how})[:-1]]
        assert "".join(one.get("content", "") for one in deltas) == expected


def test_a_form_is_held_whatever_the_model_would_rather_write(ask: Any) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "it", "schema": SCHEMA, "strict": True}}
    _, found = ask(CHAT, {"model": "write", "messages": HI, "response_format": form, "max_tokens": 64})
    jsonschema.validate(json.loads(found["choices"][0]["message"]["content"]), SCHEMA)
    _, found = ask(CHAT, {"model": "write", "messages": HI, "response_format": {"type": "json_object"}, "max_tokens": 48})
    assert isinstance(json.loads(found["choices"][0]["message"]["content"]), dict)
    status, found = ask(CHAT, {"model": "write", "messages": HI, "response_format": form, "max_tokens": 3})
    assert status == 400
    assert found["error"]["param"] == "max_tokens"


def test_a_tool_that_must_be_called_is_called_as_its_schema_has_it_streamed_or_whole(ask: Any) -> None:
    body = {"model": "chat", "messages": HI, "tools": TOOLS, "tool_choice": "required", "max_tokens": 96}
    _, whole = ask(CHAT, body)
    [choice] = whole["choices"]
    [call] = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    jsonschema.validate(json.loads(call["function"]["arguments"]), SCHEMA)
    deltas = [one["choices"][0]["delta"] for one in ask.events(CHAT, body)[:-1]]
    parts = [one["tool_calls"][0]["function"] for one in deltas if "tool_calls" in one]
    assert parts[0]["name"] == call["function"]["name"]
    assert "".join(one["arguments"] for one in parts) == call["function"]["arguments"]
    _, named = ask(CHAT, {**body, "tool_choice": {"type": "function", "function": {"name": "second"}}})
    assert named["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "second"


def test_a_tool_that_may_be_called_leaves_words_and_none_leaves_them_alone(ask: Any, functions: dict[str, Any]) -> None:
    body = {"model": "chat", "messages": HI, "tools": TOOLS, "max_tokens": 24}
    _, found = ask(CHAT, body)
    [choice] = found["choices"]
    if choice["message"].get("tool_calls"):
        jsonschema.validate(json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"]), SCHEMA)
    else:
        assert not choice["message"]["content"].startswith("{")
    _, found = ask(CHAT, {**body, "tool_choice": "none"})
    assert found["choices"][0]["message"]["content"] == functions["chat"].using(max_new_tokens=24)(["the film"]).text


def test_completions_answer_each_prompt_whole_and_streamed(ask: Any, functions: dict[str, Any]) -> None:
    body = {"model": "write", "prompt": ["good", "the film"], "logprobs": 0}
    _, found = ask("completions", body)
    expected = [functions["write"].using(likelihoods=True)(prompt) for prompt in body["prompt"]]
    assert [one["text"] for one in found["choices"]] == [one.text for one in expected]
    told = found["choices"][1]["logprobs"]
    placed = zip(told["text_offset"], told["tokens"], strict=True)
    assert all(expected[1].text[at:].startswith(token) for at, token in placed)
    assert "".join(told["tokens"]) == expected[1].text
    *events, done = ask.events("completions", {"model": "write", "prompt": ["good", "the film"]})
    assert done == "[DONE]"
    for place, one in enumerate(expected):
        pieces = [event["choices"][0]["text"] for event in events if event["choices"][0]["index"] == place]
        assert "".join(pieces) == one.text


def test_vectors_are_the_functions_own_as_numbers_and_packed(ask: Any, functions: dict[str, Any]) -> None:
    _, found = ask("embeddings", {"model": "vector", "input": ["good", "bad"]})
    for one, text in zip(found["data"], ("good", "bad"), strict=True):
        assert one["embedding"] == pytest.approx(list(functions["vector"](text).vector), abs=1e-5)
    assert found["usage"]["prompt_tokens"] > 2
    _, found = ask("embeddings", {"model": "vector", "input": "good", "encoding_format": "base64"})
    content = base64.b64decode(found["data"][0]["embedding"])
    assert struct.unpack(f"<{len(content) // 4}f", content) == pytest.approx(list(functions["vector"]("good").vector), abs=1e-5)


def test_models_are_the_functions_that_write_or_embed(ask: Any) -> None:
    _, found = ask("models")
    assert [one["id"] for one in found["data"]] == ["write", "chat", "vector"]
    assert ask("models/chat") == (200, found["data"][1])
    status, found = ask("models/toy")
    assert status == 404
    assert found["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("path", "body", "status", "param", "told"),
    [
        (CHAT, {"model": "none", "messages": HI}, 404, "model", "there are: write, chat"),
        (CHAT, {"model": "toy", "messages": HI}, 404, "model", "that writes"),
        (CHAT, {"model": "write", "messages": HI, "frequency_penalty": 1}, 400, "frequency_penalty", "repetition_penalty"),
        (CHAT, {"model": "write", "messages": HI, "temperature": -1}, 400, "temperature", "greater than or equal to 0"),
        (CHAT, {"model": "write", "messages": HI, "temperature": "0.5"}, 400, "temperature", "is"),
        (CHAT, {"model": "write", "messages": HI, "echo": 0}, 400, "echo", "put the prompt"),
        (CHAT, {"model": "chat", "messages": HI, "tools": TOOLS, "guide": ["yes", "no"]}, 400, "guide", "one of them"),
        (CHAT, {"model": "write", "messages": HI, "control": {"toward": {"function": "/etc"}}}, 400, "control", "build"),
        (CHAT, {"model": "chat", "messages": [*HI, *HI]}, 400, "messages[1]", "take turns"),
        (CHAT, {"model": "chat", "messages": HI, "tools": TOOLS, "response_format": JSON}, 400, "response_format", "one of them"),
        ("completions", {"model": "write", "prompt": [1, 2]}, 400, "prompt", "prompt"),
        ("embeddings", {"model": "write", "input": "x"}, 404, "model", "gives vectors"),
        ("embeddings", {"model": "vector", "input": "x", "dimensions": 5}, 400, "dimensions", "serve alone"),
        (f"{CHAT}/1", {}, 404, None, "/v1/chat/completions"),
    ],
)  # fmt: skip
def test_an_error_has_the_clients_shape_and_says_what_where_and_do(
    ask: Any, path: str, body: Any, status: int, param: str | None, told: str
) -> None:
    got, found = ask(path, body)
    error = found["error"]
    assert got == status
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert told in error["message"]
    assert error["do"]
    assert error["request"]


def test_a_function_that_fails_while_it_writes_ends_its_stream_with_an_error(
    ask: Any, functions: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from functory.running.streaming import Stream

    following = Stream.__next__

    def failing(self: Any) -> str:
        if self.tokens:
            raise ZeroDivisionError("/secret/place")
        return following(self)

    monkeypatch.setattr(Stream, "__next__", failing)
    *_, last = ask.events(CHAT, {"model": "write", "messages": HI})
    assert last["error"]["type"] == "server_error"
    assert "secret" not in json.dumps(last)

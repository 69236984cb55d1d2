"""Translation alone: which fields are held, what a conversation is to a function, what a call is, whole and in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functory_openai.calling import Hearing, calling, joined, written
from functory_openai.embeddings import shortened
from functory_openai.messages import input_of
from functory_openai.requests import NEUTRAL, SILENT, Chatting, Completing, read
from functory_openai.tools import called, tool
from functory_sdk import FunctoryError, InputError, NotSupported, OptionError

ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
PLACE = {"type": "object", "properties": {"city": {"type": "string"}, "where": {"$ref": "#/$defs/Where"}}, "required": ["city"],
         "$defs": {"Where": {"enum": ["in", "out"]}}}  # fmt: skip
TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "Tell the weather.", "parameters": PLACE}},
    {"type": "function", "function": {"name": "time"}},
]


def test_a_field_is_held_says_nothing_or_is_refused_by_its_name() -> None:
    held = read(Chatting, {**ASKED, "temperature": 0.5, "stop": ["x"], "max_completion_tokens": 7, "seed": None})
    assert held.decoding() == {"temperature": 0.5, "stop": ["x"], "max_new_tokens": 7}
    read(Chatting, {**ASKED, **dict.fromkeys(SILENT, "anything"), "frequency_penalty": 0, "logit_bias": {}, "store": False})
    for name in NEUTRAL:
        with pytest.raises(OptionError, match=name) as caught:
            read(Chatting, {**ASKED, name: "something"})
        assert caught.value.field == name
        assert caught.value.do
    both = {**ASKED, "max_tokens": 3, "max_completion_tokens": 4}
    for body in ({**ASKED, "temprature": 1}, {**ASKED, "n": 0}, {"model": "m"}, [], both):
        with pytest.raises(FunctoryError):
            read(Chatting, body).decoding()
    with pytest.raises(OptionError, match="logprobs"):
        read(Completing, {"model": "m", "prompt": "a", "logprobs": 3})


def test_a_conversation_is_turns_after_what_is_told_before_them(functions: dict[str, Any]) -> None:
    chat = functions["chat"]
    messages = [
        {"role": "system", "content": "Speak like a pirate."},
        {"role": "user", "content": [{"type": "text", "text": "What is the "}, {"type": "text", "text": "weather?"}]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}]},
        {"role": "tool", "tool_call_id": "1", "content": "rain"},
        {"role": "tool", "tool_call_id": "2", "content": "noon"},
    ]  # fmt: skip
    found = input_of(chat, messages, "You can call these functions: …")
    assert found["system"] == "Speak like a pirate.\n\nYou can call these functions: …"
    call = written("weather", {"city": "Bern"})
    assert [one["content"] for one in found["turns"]] == ["What is the weather?", call, "rain\nnoon"]
    value = chat.coerce(found)
    [request] = chat.form.formulation.encode([value], chat.reader, chat.state).requests
    prompt = chat.reader.tokenizer.text(request.ids, keep_special=True)
    assert prompt.startswith("Be brief.\n\nSpeak like a pirate."), "the function's own persona comes first"


def test_what_a_function_does_not_take_of_a_conversation_is_refused_with_its_place(functions: dict[str, Any]) -> None:
    user, image = {"role": "user", "content": "Hi"}, {"role": "user", "content": [{"type": "image_url", "image_url": {}}]}
    cases: list[tuple[str, list[Any], type[Exception], str]] = [
        ("write", [{"role": "system", "content": "x"}, user], NotSupported, "takes no system message"),
        ("write", [user, {"role": "assistant", "content": "x"}, user], NotSupported, "answers one message"),
        ("chat", [image], InputError, "image_url"),
        ("chat", [user, {"role": "assistant", "content": "x"}], InputError, "the last message"),
        ("chat", [user, {"role": "system", "content": "x"}], NotSupported, "before all others"),
        ("chat", [{"role": "robot", "content": "x"}], InputError, "'robot' is no role"),
        ("chat", [{"role": "user"}], InputError, "has no content"),
    ]
    for name, messages, kind, what in cases:
        with pytest.raises(kind, match=what) as caught:
            input_of(functions[name], messages)
        assert str(getattr(caught.value, "where", "")).startswith("messages")
    with pytest.raises(InputError, match="take turns") as found:
        input_of(functions["chat"], [user, user])
    assert found.value.where == "messages[1]"


def test_the_schema_of_a_call_holds_each_tools_own_with_its_definitions() -> None:
    found = calling(TOOLS, "required")
    schema = found.guide["json_schema"]
    weather, time = schema["anyOf"]
    assert weather["properties"]["arguments"]["properties"]["where"] == {"$ref": "#/$defs/weather.Where"}
    assert schema["$defs"] == {"weather.Where": {"enum": ["in", "out"]}}
    assert time["properties"]["name"] == {"const": "time"}
    assert "Tell the weather." in found.told
    assert "grammar" in calling(TOOLS, "auto").guide
    assert not calling(TOOLS, "none").tools
    assert [one.name for one in calling(TOOLS, {"type": "function", "function": {"name": "time"}}).tools] == ["time"]
    wrong: list[tuple[Any, Any]] = [
        (TOOLS, {"type": "function", "function": {"name": "tmie"}}), (TOOLS * 2, "auto"), ([], "required"),
        ([{"type": "web_search"}], "auto"), ([{"type": "function", "function": {"name": "a b"}}], "auto"),
        ([{"type": "function", "function": {"name": "a", "parameters": {"properties": {"b": {"$ref": "#"}}}}}], "auto"),
    ]  # fmt: skip
    for tools, choice in wrong:
        with pytest.raises(FunctoryError):
            assert calling(tools, choice).guide


@pytest.mark.parametrize("text", [written("weather", {"city": "Bern}"}), "It rains.", "", written("time", {}), '{"no": "call"}'])
def test_a_message_is_the_same_in_whatever_pieces_it_comes(text: str) -> None:
    allowed = calling(TOOLS, "auto")
    for size in (1, 2, 5, 1000):
        hearing = Hearing(allowed)
        deltas = [one for at in range(0, len(text), size) for one in hearing.take(text[at : at + size])]
        message = joined([*deltas, *hearing.end()])
        if text.startswith('{"name"'):
            [call] = message["tool_calls"]
            assert written(call["function"]["name"], json.loads(call["function"]["arguments"])) == text
            assert message["content"] is None
        else:
            assert message["content"] == text


def test_a_function_is_a_tool_and_answers_calls_with_the_same_bytes(functions: dict[str, Any]) -> None:
    toy = functions["toy"]
    assert tool(toy)["function"]["parameters"] == toy.signature["input"]
    assert "no, yes" in tool(toy)["function"]["description"]
    calls = [
        {"id": "1", "type": "function", "function": {"name": "toy", "arguments": '{"text": "good"}'}},
        {"id": "2", "type": "function", "function": {"name": "toy", "arguments": '{"texd": "good"}'}},
        {"id": "3", "type": "function", "function": {"name": "none", "arguments": "{}"}},
        {"id": "4", "type": "function", "function": {"name": "toy", "arguments": "{"}},
    ]
    found = called({"role": "assistant", "tool_calls": calls}, {"toy": toy})
    assert found[0] == {"role": "tool", "tool_call_id": "1", "content": toy("good").json()}
    assert [json.loads(one["content"])["error"] for one in found[1:]] == ["InputError"] * 3


def test_a_vector_is_shortened_only_to_what_was_taught_to_serve_alone(functions: dict[str, Any]) -> None:
    vector = functions["vector"]
    whole = vector("good").vector
    assert list(shortened(vector, whole, len(whole))) == list(whole)
    with pytest.raises(NotSupported, match="first 3 numbers"):
        shortened(vector, whole, 3)
    taught = vector.replaced()
    taught.state = taught.state.model_copy(update={"lengths": (0, 3)})
    short = shortened(taught, whole, 3)
    assert sum(one * one for one in short) == pytest.approx(1)
    assert short[0] / short[1] == pytest.approx(whole[0] / whole[1])

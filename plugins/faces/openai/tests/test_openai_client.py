"""The real client, in an environment of its own."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from functory_openai import called, tool

pytestmark = pytest.mark.peer(name="openai")
HI: Any = [{"role": "user", "content": "the film"}]


class Verdict(BaseModel):
    word: Literal["good", "bad"]
    count: int


@pytest.fixture(scope="module")
def client(url: str) -> Any:
    from openai import OpenAI

    return OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def test_it_chats_whole_and_streamed(client: Any, functions: dict[str, Any]) -> None:
    expected = functions["chat"](["the film"])
    whole = client.chat.completions.create(model="chat", messages=HI)
    assert whole.choices[0].message.content == expected.text
    assert whole.usage.completion_tokens == expected.tokens
    stream = client.chat.completions.create(model="chat", messages=HI, stream=True)
    assert "".join(one.choices[0].delta.content or "" for one in stream) == expected.text


def test_its_parser_gets_what_it_asked_for(client: Any) -> None:
    found = client.chat.completions.parse(model="write", messages=HI, response_format=Verdict, max_tokens=80)
    assert isinstance(found.choices[0].message.parsed, Verdict)
    with client.chat.completions.stream(model="write", messages=HI, response_format=Verdict, max_tokens=80) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Verdict)


def test_a_function_is_called_as_a_tool_and_its_answer_goes_back_in_the_same_bytes(
    client: Any, functions: dict[str, Any]
) -> None:
    toy = functions["toy"]
    asked = {"model": "chat", "tools": [tool(toy)], "max_tokens": 64}
    message = client.chat.completions.create(messages=HI, tool_choice="required", **asked).choices[0].message
    [answer] = called(message, {"toy": toy})
    text = json.loads(message.tool_calls[0].function.arguments)["text"]
    assert answer["content"] == toy(text).json()
    further = client.chat.completions.create(messages=[*HI, message, answer], tool_choice="none", **asked)
    assert further.choices[0].message.content is not None


def test_it_completes_embeds_and_lists(client: Any, functions: dict[str, Any]) -> None:
    found = client.completions.create(model="write", prompt="good", temperature=0.7, seed=2, n=2)
    assert found.choices[1].text == functions["write"].using(temperature=0.7, seed=3)("good").text
    vectors = client.embeddings.create(model="vector", input=["good", "bad"])
    assert vectors.data[1].embedding == pytest.approx(list(functions["vector"]("bad").vector), abs=1e-5)
    assert [one.id for one in client.models.list()] == ["write", "chat", "vector"]
    assert client.models.retrieve("chat").id == "chat"


def test_errors_are_its_own_classes_with_what_to_do(client: Any) -> None:
    from openai import BadRequestError, NotFoundError

    with pytest.raises(NotFoundError, match="there are: write, chat"):
        client.chat.completions.create(model="none", messages=HI)
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(model="write", messages=HI, presence_penalty=1)
    assert caught.value.param == "presence_penalty"
    assert caught.value.body["do"]

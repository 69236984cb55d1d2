"""``/v1/chat/completions``: the next message of a conversation, or a call of a tool."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from functory_openai.calling import Hearing, calling, joined
from functory_openai.messages import input_of
from functory_openai.models import is_writer, model_of
from functory_openai.requests import Chatting, read
from functory_openai.writing import (
    FINISH,
    Answer,
    begun,
    check_likely,
    decoding_of,
    is_text,
    pieces,
    tokens_read,
    usage,
    wanted,
    whole,
)
from functory_sdk import Asked, InputError, OptionError

Event = dict[str, Any]  # Any: JSON


class Chat:
    """One request for the next message.

    :raises FunctoryError: what is wrong with it.
    """

    def __init__(self, asked: Asked, body: Any) -> None:  # Any: JSON
        self._asked = asked
        self.said = said = read(Chatting, body)
        self.function = model_of(asked, said.model, is_writer, "writes")
        self.calling = calling(said.tools, said.tool_choice)
        self.how = self._decoding()
        value = input_of(self.function, said.messages, self.calling.told)
        self.wanted = wanted(said, self.function, [value], self.how)
        self._base = {"id": f"chatcmpl-{asked.id}", "created": int(time.time()), "model": said.model}

    def _decoding(self) -> dict[str, Any]:
        """Return how the message is written.

        :raises OptionError: where two things say what it must be.
        """
        said = self.said.decoding()
        guides = {"tools": self.calling.guide if self.calling.tools else None, "guide": said.get("guide"),
                  "response_format": guide_of(self.said.response_format)}  # fmt: skip
        one, *others = [name for name, guide in guides.items() if guide is not None] or [""]
        if others:
            what = f"{one} decides what is written, and so does {others[0]}."
            raise OptionError(what, where=others[0], do="ask with one of them.")
        return {**said, **({"guide": guides[one]} if one else {}), **({"likelihoods": True} if self.said.logprobs else {})}

    async def whole(self) -> Event:
        """Return the answer as a whole."""
        answers = await whole(self._asked, self.said.model, self.wanted)
        read = await tokens_read(self.function, [self.wanted[0].value], self.how)
        written = sum(one.tokens for one in answers)
        choices = [self._choice(place, one) for place, one in enumerate(answers)]
        return {**self._base, "object": "chat.completion", "choices": choices, "usage": usage(read, written)}

    def _choice(self, place: int, answer: Answer) -> Event:
        hearing = Hearing(self.calling)
        message = joined([*hearing.take(answer.text), *hearing.end()])
        finish = self._finish(hearing, answer.finish, answer.tokens)
        told = logprobs(answer.pieces) if self.said.logprobs else None
        return {"index": place, "message": message, "finish_reason": finish, "logprobs": told}

    async def stream(self) -> AsyncGenerator[Event]:
        """Begin the answer; return what gives its events.

        :raises FunctoryError: what keeps it from being begun.
        """
        if not is_text(self.function):
            return self._at_once(await self.whole())
        return self._events(await begun(self._asked, self.said.model, self.wanted))

    async def _events(self, writings: Sequence[Any]) -> AsyncGenerator[Event]:
        hearing = [Hearing(self.calling) for _ in writings]
        untold: list[list[tuple[str, float]]] = [[] for _ in writings]
        """Tokens of which the message says nothing yet: what may become a call."""
        coming = pieces(writings)
        try:
            for place in range(len(writings)):
                yield self._chunk(place, {"role": "assistant", "content": ""})
            async for part in coming:
                place = part.place
                untold[place] += part.pieces
                for delta in hearing[place].take(part.text) if part.text is not None else hearing[place].end():
                    yield self._chunk(place, delta, pieces=untold[place])
                    untold[place] = []
                if part.text is None:
                    one = writings[place]
                    check_likely(self.function, self.wanted[place], one.tokens, one.likelihoods)
                    finish = self._finish(hearing[place], FINISH[one.finish or "end"], one.tokens)
                    yield self._chunk(place, {}, finish, untold[place])
        finally:
            await coming.aclose()
        if self.said.tells_usage:
            read = await tokens_read(self.function, [self.wanted[0].value], self.how)
            yield self._last(usage(read, sum(one.tokens for one in writings)))

    async def _at_once(self, answer: Event) -> AsyncGenerator[Event]:
        """Give an answer that is no text in the making: each message in one event."""
        for choice in answer["choices"]:
            yield self._chunk(choice["index"], {"role": "assistant", "content": choice["message"]["content"]})
            yield self._chunk(choice["index"], {}, choice["finish_reason"])
        if self.said.tells_usage:
            yield self._last(answer["usage"])

    def _chunk(
        self, place: int, delta: Mapping[str, Any], finish: str | None = None, pieces: Sequence[tuple[str, float]] = ()
    ) -> Event:
        told = logprobs(pieces) if pieces else None
        choice = {"index": place, "delta": dict(delta), "finish_reason": finish, "logprobs": told}
        return {**self._base, "object": "chat.completion.chunk", "choices": [choice], **self._without_usage}

    def _last(self, used: Mapping[str, int]) -> Event:
        return {**self._base, "object": "chat.completion.chunk", "choices": [], "usage": dict(used)}

    @property
    def _without_usage(self) -> Event:
        return {"usage": None} if self.said.tells_usage else {}

    def _finish(self, hearing: Hearing, finish: str, tokens: int) -> str:
        """Return why a message ended: a guide ends words in time too, and says not that it had to."""
        if hearing.tool is not None:
            return "tool_calls"
        most = int(self.how.get("max_new_tokens", decoding_of(self.function).max_new_tokens))
        return "length" if self.calling.tools and tokens + 1 >= most else finish


def guide_of(form: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the guide that a response format is; None for text.

    :raises OptionError: for one that is not known.
    :raises InputError: for one without its schema.
    """
    kind = (form or {}).get("type", "text" if form is None else None)
    if kind == "text":
        return None
    if kind == "json_object":
        return {"json_schema": {"type": "object"}}
    if kind != "json_schema":
        do = "there are: text, json_object, json_schema."
        raise OptionError(f"response_format {kind!r} is not known.", where="response_format", do=do, field="response_format")
    said = (form or {}).get("json_schema")
    schema = said.get("schema") if isinstance(said, Mapping) else None
    if not isinstance(schema, Mapping):
        do = 'say {"type": "json_schema", "json_schema": {"name": …, "schema": {…}}}.'
        raise InputError("response_format has no schema.", where="response_format", do=do)
    return {"json_schema": dict(schema)}


def logprobs(pieces: Sequence[tuple[str, float]]) -> Event:
    """Return how likely each token was, in the clients' shape."""
    told = [{"token": text, "logprob": likely, "bytes": [*text.encode()]} for text, likely in pieces]
    return {"content": [{**one, "top_logprobs": []} for one in told], "refusal": None}



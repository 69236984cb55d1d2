"""``/v1/completions``: the texts that go with prompts."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from functory_openai.messages import fields_of
from functory_openai.models import is_writer, model_of
from functory_openai.requests import Completing, read
from functory_openai.writing import FINISH, Answer, begun, is_text, pieces, tokens_read, usage, wanted, whole
from functory_sdk import Asked, InputError, NotSupported

Event = dict[str, Any]  # Any: JSON


class Completion:
    """One request for texts.

    :raises FunctoryError: what is wrong with it.
    """

    def __init__(self, asked: Asked, body: Any) -> None:  # Any: JSON
        self._asked = asked
        self.said = said = read(Completing, body)
        self.function = model_of(asked, said.model, is_writer, "writes")
        prompts = [said.prompt] if isinstance(said.prompt, str) else said.prompt
        if not prompts:
            raise InputError("there is no prompt.", where="prompt", do="send a text, or several.")
        self.how = {**said.decoding(), **({"likelihoods": True} if said.logprobs is not None else {})}
        self.values = [fields_of(self.function, one, "prompt") for one in prompts]
        self.wanted = wanted(said, self.function, self.values, self.how)
        self._base = {"id": f"cmpl-{asked.id}", "object": "text_completion", "created": int(time.time()), "model": said.model}

    async def whole(self) -> Event:
        """Return the answer as a whole."""
        answers = await whole(self._asked, self.said.model, self.wanted)
        read = await tokens_read(self.function, self.values, self.how)
        choices = [self._choice(place, one.text, one.finish, one) for place, one in enumerate(answers)]
        return {**self._base, "choices": choices, "usage": usage(read, sum(one.tokens for one in answers))}

    async def stream(self) -> AsyncGenerator[Event]:
        """Begin the answer; return what gives its events.

        :raises FunctoryError: what keeps it from being begun.
        """
        if self.said.logprobs is not None:
            raise NotSupported("logprobs are told with whole answers alone.", where="logprobs", do="leave stream out.")
        if not is_text(self.function):
            return self._at_once(await self.whole())
        return self._events(await begun(self._asked, self.said.model, self.wanted))

    async def _events(self, writings: Sequence[Any]) -> AsyncGenerator[Event]:
        coming = pieces(writings)
        try:
            async for place, piece in coming:
                finish = FINISH[writings[place].finish or "end"] if piece is None else None
                yield {**self._base, "choices": [self._choice(place, piece or "", finish)]}
        finally:
            await coming.aclose()
        if self.said.tells_usage:
            read = await tokens_read(self.function, self.values, self.how)
            yield {**self._base, "choices": [], "usage": usage(read, sum(one.tokens for one in writings))}

    async def _at_once(self, answer: Event) -> AsyncGenerator[Event]:
        for choice in answer["choices"]:
            yield {**self._base, "choices": [choice]}
        if self.said.tells_usage:
            yield {**self._base, "choices": [], "usage": answer["usage"]}

    def _choice(self, place: int, text: str, finish: str | None, answer: Answer | None = None) -> Event:
        told = logprobs(answer) if answer is not None and self.said.logprobs is not None else None
        return {"index": place, "text": text, "finish_reason": finish, "logprobs": told}


def logprobs(answer: Answer) -> Event:
    """Return how likely each token of an answer was."""
    offsets, at = [], 0
    for text, _ in answer.pieces:
        offsets.append(at)
        at += len(text)
    return {
        "tokens": [text for text, _ in answer.pieces], "token_logprobs": [likely for _, likely in answer.pieces],
        "top_logprobs": None, "text_offset": offsets,
    }  # fmt: skip

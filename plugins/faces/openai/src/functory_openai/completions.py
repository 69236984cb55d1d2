"""``/v1/completions``: the texts that go with prompts."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from functory_openai.messages import fields_of
from functory_openai.models import is_writer, model_of
from functory_openai.requests import Completing, read
from functory_openai.writing import FINISH, begun, check_likely, is_text, pieces, tokens_read, usage, wanted, whole
from functory_sdk import Asked, InputError

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
        choices = [self._choice(place, one.text, one.finish, one.pieces) for place, one in enumerate(answers)]
        return {**self._base, "choices": choices, "usage": usage(read, sum(one.tokens for one in answers))}

    async def stream(self) -> AsyncGenerator[Event]:
        """Begin the answer; return what gives its events.

        :raises FunctoryError: what keeps it from being begun.
        """
        if not is_text(self.function):
            return self._at_once(await self.whole())
        return self._events(await begun(self._asked, self.said.model, self.wanted))

    async def _events(self, writings: Sequence[Any]) -> AsyncGenerator[Event]:
        coming = pieces(writings)
        before = [0] * len(writings)
        """Characters of each text that were told with tokens."""
        try:
            async for part in coming:
                place, one, finish = part.place, writings[part.place], None
                if part.text is None:
                    check_likely(self.function, self.wanted[place], one.tokens, one.likelihoods)
                    finish = FINISH[one.finish or "end"]
                yield {**self._base, "choices": [self._choice(place, part.text or "", finish, part.pieces, before[place])]}
                before[place] += sum(len(text) for text, _ in part.pieces)
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

    def _choice(
        self, place: int, text: str, finish: str | None, pieces: Sequence[tuple[str, float]], before: int = 0
    ) -> Event:
        told = logprobs(pieces, before) if self.said.logprobs is not None else None
        return {"index": place, "text": text, "finish_reason": finish, "logprobs": told}


def logprobs(pieces: Sequence[tuple[str, float]], before: int = 0) -> Event:
    """Return how likely each token was, in the clients' shape.

    :param before: characters of the text that came before these.
    """
    offsets, at = [], before
    for text, _ in pieces:
        offsets.append(at)
        at += len(text)
    return {
        "tokens": [text for text, _ in pieces], "token_logprobs": [likely for _, likely in pieces],
        "top_logprobs": None, "text_offset": offsets,
    }  # fmt: skip

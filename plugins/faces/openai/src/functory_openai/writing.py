"""Texts for a request: each answer of it, whole or as it is written, and how many tokens it took."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from functory_openai.requests import Writing as Said
from functory_sdk import Asked, Decoding, Function, NotSupported, row_length
from functory_sdk.faces import Writing

T = TypeVar("T")
FINISH = {"end": "stop", "stop": "stop", "length": "length"}
"""What these clients call the reasons for which texts end."""


@dataclass(frozen=True)
class Wanted:
    """One answer of a request.

    :param place: its index.
    :param value: the function's input, by its fields.
    :param how: how it is written.
    """

    place: int
    value: Mapping[str, Any]
    how: Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """What came of one text while it is written.

    :param place: the text's.
    :param text: the piece; None where the text has ended.
    :param pieces: its tokens, as `Answer` has them; where that was asked for.
    """

    place: int
    text: str | None
    pieces: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True)
class Answer:
    """What was written.

    :param text: the output's text; the whole output as JSON where it is another thing.
    :param tokens: how many were written.
    :param finish: why it ended, in the clients' words.
    :param pieces: what each token adds to the text, and how likely it was; where that was asked for.
    """

    text: str
    tokens: int
    finish: str
    pieces: tuple[tuple[str, float], ...] = ()


def wanted(said: Said, function: Function, values: Sequence[Mapping[str, Any]], how: Mapping[str, Any]) -> list[Wanted]:
    """Return the answers of a request: n to each input, each with the seed after the one before.

    :param how: how they are written.
    """
    first = int(how.get("seed", decoding_of(function).seed))
    found: list[Wanted] = []
    for value in values:
        for number in range(said.n):
            own = how if said.n == 1 else {**how, "seed": first + number}
            found.append(Wanted(len(found), value, own))
    return found


def decoding_of(function: Function) -> Decoding:
    """Return how a function writes that does."""
    form: Any = function.form
    found: Decoding = form.formulation.decoding
    return found


async def whole(asked: Asked, name: str, some: Sequence[Wanted]) -> list[Answer]:
    """Return the answers of a request."""
    function = asked.functions[name]
    outputs = await together(asked.answer(name, [one.value], **one.how) for one in some)
    return [answer_of(function, one, output[0]) for one, output in zip(some, outputs, strict=True)]


def answer_of(function: Function, one: Wanted, output: bytes) -> Answer:
    """Return an answer, from an output's JSON.

    :raises NotSupported: where tokens are asked for, and the function tells none.
    """
    told = json.loads(output)
    if not is_text(function):
        text = output.decode()
        return _likely(function, one, Answer(text, _counted(function, text), "stop"))
    pieces = tuple(zip(told.get("pieces") or (), told.get("log_probabilities") or (), strict=False))
    return _likely(function, one, Answer(told["text"], int(told["tokens"]), FINISH[told.get("finish", "end")], pieces))


def _likely(function: Function, one: Wanted, answer: Answer) -> Answer:
    """Return an answer that tells its tokens, where that was asked for."""
    check_likely(function, one, answer.tokens, answer.pieces)
    return answer


def check_likely(function: Function, one: Wanted, tokens: int, pieces: Sequence[Any]) -> None:
    """Refuse to be silent of tokens that were asked for.

    :param tokens: how many were written.
    :param pieces: what is told of them.
    :raises NotSupported: where nothing is.
    """
    if one.how.get("likelihoods") and tokens and not pieces:
        raise NotSupported(f"{function.name} tells no tokens of its texts.", where="logprobs", do="leave logprobs out.")


def is_text(function: Function) -> bool:
    """Return whether a function's output is a text, and not a structure that was made of one."""
    return {"text", "tokens"} <= function.task.Output.model_fields.keys()


async def begun(asked: Asked, name: str, some: Sequence[Wanted]) -> list[Writing]:
    """Begin to write the answers of a request.

    :raises FunctoryError: what is wrong with the first that cannot be.
    """
    writings: list[Writing] = []
    try:
        for one in some:
            writing = await asked.write(name, one.value, **one.how)
            writings.append(writing)  # at once: it is left where a later one cannot be begun
    except BaseException:
        await _left(writings)
        raise
    return writings


async def pieces(writings: Sequence[Writing]) -> AsyncGenerator[Part]:
    """Give the pieces of texts that are written at once, as they come; of each text an end in the end.

    :raises FunctoryError: where the function fails on the way.
    """
    found: asyncio.Queue[Part | BaseException] = asyncio.Queue(1)

    async def pump(place: int, writing: Writing) -> None:
        try:
            count = 0
            async for piece in writing:
                await found.put(Part(place, piece, writing.likelihoods[count:]))
                count = len(writing.likelihoods)
            await found.put(Part(place, None, writing.likelihoods[count:]))
        except Exception as error:
            await found.put(error)

    tasks = [asyncio.ensure_future(pump(place, writing)) for place, writing in enumerate(writings)]
    left = len(tasks)
    try:
        while left:
            part = await found.get()
            if isinstance(part, BaseException):
                raise part
            left -= part.text is None
            yield part
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _left(writings)


async def _left(writings: Iterable[Writing]) -> None:
    for writing in writings:
        await writing.aclose()


async def together(some: Iterable[Awaitable[T]]) -> list[T]:
    """Return what comes of several at once; where one fails, the others are left.

    :raises FunctoryError: what the first raises.
    """
    tasks = [asyncio.ensure_future(one) for one in some]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def tokens_read(function: Function, values: Sequence[Mapping[str, Any]], how: Mapping[str, Any]) -> int:
    """Return how many tokens the function reads of inputs, with all that stands around their texts.

    :param how: how it writes, which decides how much of a long text there is room for.
    """
    return await asyncio.to_thread(_read, function.using(**how) if how else function, values)


def _read(function: Function, values: Sequence[Mapping[str, Any]]) -> int:
    form: Any = function.form
    encoded = form.formulation.encode([function.coerce(dict(one)) for one in values], function.reader, function.state)
    return sum(len(one.ids) for one in encoded.requests) + sum(map(row_length, encoded.rows))


def _counted(function: Function, text: str) -> int:
    return len(function.reader.tokenizer.tokens([text])[0])


def usage(read: int, written: int) -> dict[str, int]:
    """Return how many tokens a request took."""
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}

"""What the checks of a face work with: functions that are served, how it is asked for their outputs, what it tells of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, ClassVar, Literal, TypeVar

import pytest

from functory.contracts.face import Face
from functory.errors import InputError
from functory.function import Function
from functory_sdk.testing.faces.host import Heard, Host, Question, hosted
from functory_sdk.testing.guarding import overridable
from functory_sdk.testing.suite import Suite
from functory_sdk.testing.toybox import toy_function

T = TypeVar("T")
Outcome = Literal["answered", "refused", "failed"]
WORD = "quince7741"
"""A word of a text that stands nowhere else."""


class FaceBasis(Suite):
    """The part that says how a face is spoken to.

    :cvar computes: whether it can be asked for outputs; a face that only shows pages cannot.
    """

    kind: ClassVar[str] = "faces"
    computes: ClassVar[bool] = True

    @overridable
    def functions(self) -> Mapping[str, Function]:
        """Return functions that are served, by name: some that the face answers, and perhaps some that it does not."""
        return {"toy": toy_function(), "many": toy_function(task="toy-many")}

    @overridable
    def question(self, name: str, value: Mapping[str, Any]) -> Question:
        """Return the request by which the face is asked for a function's output.

        :param value: its input, by its fields. Whatever it says, and whether there is such a function, the request is to say it.
        """
        raise NotImplementedError("say how the face is asked: override question().")

    @overridable
    def inputs(self, function: Function) -> list[dict[str, Any]]:
        """Return some inputs of a function, by their fields: golden ones."""
        return [dict(one.value) for one in function.golden[:3]]

    @overridable
    def streamed(self, name: str, value: Mapping[str, Any]) -> Question | None:
        """Return the request by which the face is asked for a text as it is written; None where it gives none."""
        return None

    @overridable
    def output(self, heard: Heard) -> Any:
        """Return what an answer tells of an output: the output's JSON as a text, or what `part` gives of it."""
        return heard.text

    @overridable
    def part(self, output: str) -> Any:
        """Return what the face tells of an output, of its JSON; all of it, as it is."""
        return output

    @overridable
    def outcome(self, heard: Heard) -> Outcome:
        """Return what became of a request: by the status, where the face's format says it so."""
        if heard.status >= 500:
            return "failed"
        return "refused" if heard.status >= 400 else "answered"

    @overridable
    def wrong(self) -> tuple[Question, tuple[str, ...]]:
        """Return a request with an input that is none, and what the answer must say of it: what is wrong, and what to do."""
        name = next(iter(self.answered()))
        value = {"no_such_field": WORD}
        with pytest.raises(InputError) as caught:
            self.functions()[name].coerce(value)
        return self.question(name, value), tuple(filter(None, (caught.value.what, caught.value.do)))

    @property
    def face(self) -> Face:
        """The face."""
        found = self.load()
        assert isinstance(found, Face), f"{self.component!r} is a {type(found).__name__}, no Face."
        return found

    def answered(self) -> dict[str, Function]:
        """Return the functions that the face answers."""
        if not self.computes:
            pytest.skip("the face computes nothing")
        found = {name: one for name, one in self.functions().items() if self.face.answers(one)}
        assert found, "the face answers none of the functions: override functions()."
        return found

    def one(self) -> tuple[str, Function, dict[str, Any]]:
        """Return a function that the face answers, one whose outputs come whole where there is such, and an input of it."""
        found = self.answered()
        name = next((name for name, one in found.items() if not one.form.is_written), next(iter(found)))
        return name, found[name], self.inputs(found[name])[0]


    def marked(self, function: Function, value: Mapping[str, Any], word: str = WORD) -> dict[str, Any]:
        """Return an input with a word more in one of its texts."""
        from functory.contracts.texts import texts_of, with_texts

        typed = function.coerce(dict(value))
        texts = texts_of(typed)
        longest = max(texts, key=lambda path: len(texts[path]))
        made: dict[str, Any] = with_texts(typed, {longest: f"{texts[longest]} {word}"}).model_dump(mode="json")
        return made

    def hosted(self, functions: Mapping[str, Function] | None = None, **more: Any) -> AbstractAsyncContextManager[Host]:
        """Serve functions by the face while the block runs.

        :param functions: the suite's when None.
        """
        return hosted(self.functions() if functions is None else functions, [self.face], **more)

    def run(self, check: Callable[[], Awaitable[T]]) -> T:
        """Run a check's own loop."""

        async def whole() -> T:
            return await check()

        return asyncio.run(whole())

    def limited(self, question: Question, seconds: float) -> Question:
        """Return a request whose client waits so long."""
        return replace(question, headers={**question.headers, "request-timeout": f"{seconds:g}"})

    def let_in(self, question: Question, word: str) -> Question:
        """Return a request with a token."""
        return replace(question, headers={**question.headers, "authorization": f"Bearer {word}"})

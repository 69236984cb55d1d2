"""Functions that wait, fail or remember, so that a check decides when an answer comes, and which: real ones, whose form computes
otherwise.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

from functory.function import Function
from functory.running.streaming import Stream

Compute = Callable[[Function, Sequence[Any], Any], list[Any]]
"""What a form's `outputs` is: the function, the Inputs, who is told of parts."""


def altered(function: Function, computing: Callable[[Compute], Compute]) -> Function:
    """Return a function whose outputs are computed otherwise.

    :param computing: what computes them in place of what does.
    """
    form: Any = copy(function.form)  # Any: whatever its class, an attribute of its own stands before the class's
    form.outputs = computing(function.form.outputs)
    return function.replaced(form=form)


def holds(value: Any, word: str) -> bool:
    """Return whether an Input holds a word."""
    return word in value.model_dump_json()


class Gate:
    """Lets what is computed for inputs that hold a word wait until the gate is opened.

    :param word: by which these are known.
    """

    def __init__(self, word: str) -> None:
        self._word = word
        self._open = threading.Event()
        self.begun = threading.Event()
        """Set when the first of them is to be computed."""
        self.seen: list[Any] = []
        """Every Input that was to be computed."""

    def waiting(self, function: Function) -> Function:
        """Return the function behind the gate."""

        def computing(compute: Compute) -> Compute:
            def outputs(one: Function, values: Sequence[Any], told: Any = None) -> list[Any]:
                self.seen += values
                if any(holds(value, self._word) for value in values):
                    self.begun.set()
                    self._open.wait()
                return compute(one, values, told)

            return outputs

        return altered(function, computing)

    def open(self) -> None:
        """Let all go on."""
        self._open.set()


def failing(function: Function, word: str, error: Exception) -> Function:
    """Return a function that raises an error for inputs that hold a word."""

    def computing(compute: Compute) -> Compute:
        def outputs(one: Function, values: Sequence[Any], told: Any = None) -> list[Any]:
            if any(holds(value, word) for value in values):
                raise error
            return compute(one, values, told)

        return outputs

    return altered(function, computing)


def remembering(function: Function, inputs: Sequence[Any]) -> Function:
    """Return a function that answers some inputs by what it gives for each alone, whatever else it is asked with.

    :param inputs: as `map` takes them.
    """
    known = {value.model_dump_json(): function(**dict(value)) for value in map(function.coerce, inputs)}

    def computing(compute: Compute) -> Compute:
        def outputs(one: Function, values: Sequence[Any], told: Any = None) -> list[Any]:
            found = [known.get(value.model_dump_json()) for value in values]
            return [output or compute(one, [value], told)[0] for output, value in zip(found, values, strict=True)]

        return outputs

    return altered(function, computing)


class Tap:
    """Lets so many pieces of texts through as are allowed; who writes the next waits."""

    def __init__(self) -> None:
        self._pieces = threading.Semaphore(0)
        self.streams: list[Stream] = []
        """Every text that was begun."""

    def allow(self, count: int) -> None:
        """Let so many more pieces through."""
        self._pieces.release(count)

    @contextmanager
    def turned(self) -> Iterator[None]:
        """Hold what is streamed in the block."""
        following = Stream.__next__

        def next_piece(stream: Stream) -> str:
            if stream not in self.streams:
                self.streams.append(stream)
            self._pieces.acquire()
            return following(stream)

        Stream.__next__ = next_piece  # type: ignore[method-assign,assignment]  # the parameter's name is no part of it
        try:
            yield
        finally:
            self.allow(1_000_000)
            Stream.__next__ = following  # type: ignore[method-assign]

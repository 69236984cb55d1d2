"""Many inputs, in order: gathered into chunks, read, computed together, and shown as they are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import length_hint
from typing import TYPE_CHECKING, Any

from functory.errors import InputError
from functory.running.arriving import gathered

if TYPE_CHECKING:
    from functory.contracts.batching import Told
    from functory.terminal import Progress

    Compute = Callable[[Sequence[Any], Told], list[Any]]

CHUNK = 1024
"""Inputs that are encoded and run together: enough to sort by length, few enough to stream."""


def mapped(
    inputs: Iterable[Any], coerce: Callable[[Any], Any], compute: Compute, *, name: str, quiet: bool | None
) -> Iterator[Any]:
    """Give what is computed of inputs, in their order; those of a slow source as it gives its inputs.

    :param coerce: makes the task's Input of one.
    :param compute: computes some of them; it is told how to tell of each part that is done.
    :param name: of the bar.
    :param quiet: show none; by default none but on a terminal.
    :raises InputError: naming the input by its number.
    """
    from functory.terminal import progress

    shown: Progress[Any] = progress(None, name, total=length_hint(inputs) or None, quiet=quiet)
    with shown:
        place = 0
        for chunk in gathered(iter(inputs), CHUNK):
            values = [_located(coerce, value, place + offset) for offset, value in enumerate(chunk, 1)]
            yield from compute(values, partial(_advance, shown, len(chunk)))
            place += len(chunk)


def _located(coerce: Callable[[Any], Any], value: Any, number: int) -> Any:
    """Return one value as the task's Input; what is wrong with it says which one it is."""
    try:
        return coerce(value)
    except InputError as error:
        raise error.located(f"input {number}") from None


def _advance(shown: Progress[Any], count: int, share: float) -> None:
    """Show that a share of so many inputs is done."""
    shown.advance(share * count)

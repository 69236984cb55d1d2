"""Texts as read: windows, and which tokens of each text stand where in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functory.contracts.rows import Array
from functory.reading.tokenizer import Tokens


@dataclass(frozen=True, slots=True)
class Part:
    """What a row holds of one text.

    :param field: what the text is called.
    :param tokens: the text's own tokens in the row.
    :param first: the place in the row of the first of them; special tokens stand before.
    :param start: which token of the whole text that is.
    """

    field: str
    tokens: Tokens
    first: int
    start: int

    @property
    def stop(self) -> int:
        """Which token of the whole text comes after the last of them."""
        return self.start + len(self.tokens)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of each text that stands in a row together with the others'.

    :param row: the arrays the network reads.
    :param parts: one for each text, in their order.
    """

    row: dict[str, Array]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A text, or several together, as read: one window, or more where they are long.

    :param windows: at least one, even for an empty text.
    :param notes: what the output should say: "cut at 512 tokens".
    """

    windows: tuple[Window, ...]
    notes: tuple[str, ...] = ()

    def parts(self, place: int = 0) -> tuple[Part, ...]:
        """Return what each window holds of one of the texts."""
        return tuple(window.parts[place] for window in self.windows)


def side_by_side(passages: Sequence[Passage], names: Sequence[str]) -> tuple[list[tuple[Window, ...]], tuple[str, ...]]:
    """Return the windows of texts that were read each by itself, one of each text at a time, and what to say of them.

    There are as many turns as the longest text has windows; the others' are gone through meanwhile.

    :param names: what the texts are called.
    """
    count = max(len(passage.windows) for passage in passages)
    turns = [tuple(passage.windows[turn * len(passage.windows) // count] for passage in passages) for turn in range(count)]
    cut = [(name, one) for name, one in zip(names, passages, strict=True) if len(one.windows) == 1]
    notes = [f"{name} {note}" for name, one in cut for note in one.notes]
    return turns, (*notes, *([f"read in {count} windows"] if count > 1 else []))

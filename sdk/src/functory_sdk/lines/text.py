"""What an engine and a text that is written owe each other: scores one way, the next tokens the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functory.contracts.decoding import Request, Token
from functory.contracts.rows import Array
from functory_sdk.guides.walks import Walk, walk


@dataclass(frozen=True)
class Step:
    """What one step of a text gives.

    :param told: its tokens.
    :param rows: which of its rows go on, of which one may come several times; none where it ended.
    :param tokens: the next token of each.
    """

    told: Sequence[Token]
    rows: Sequence[int] = ()
    tokens: Sequence[int] = ()


class Apart(ABC):
    """A text that an engine reads by itself: the same computation whatever else is written."""

    @property
    @abstractmethod
    def scores(self) -> Array:
        """The scores of each row's next token, float32 (rows, vocabulary)."""

    @abstractmethod
    def go_on(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """Go on with these rows, of which one may come several times, each by a token."""


Alone = Callable[[Request, Sequence[int]], Apart]
"""Reads a request and the tokens that were written of it by themselves, as one row. An engine whose scores are the same bits
alone and in every batch has none."""


class Text(ABC):
    """What is written of a request: one sample, or all that beams find. It has some rows of a batch, one to begin with.

    :param request: the request.
    :param place: its index.
    :param walk: what holds it to its guide, where it has one.
    :param before: the tokens that stand before what is written, of which a penalty on repetition knows: the prompt's, or an
        encoder-decoder's first one.
    """

    most: int = 1
    """The rows that it may have."""
    has_left = False
    """Whether nobody wants more of it."""

    def __init__(self, request: Request, place: int, walk: Walk | None = None, before: Sequence[int] | None = None) -> None:
        self.request, self.place, self.walk = request, place, walk
        self._before = request.ids if before is None else tuple(before)

    @abstractmethod
    def go_on(self, scores: Array, alone: Alone | None = None) -> Step:
        """Take the next token of each of its rows.

        :param scores: float32 (rows, vocabulary), which the engine may overwrite afterwards.
        :param alone: reads a text by itself, so that no rounding of a batch decides; None where none could.
        :raises GenerationError: where a guide cannot be followed any further.
        """

    def seen(self, written: Sequence[int]) -> Sequence[int]:
        """Return the tokens that a penalty on repetition is for; none where there is no penalty."""
        if self.request.decoding.repetition_penalty == 1:
            return ()
        return [*self._before, *self.request.start, *written]

    @property
    def size(self) -> int:
        """The most tokens of one of its rows."""
        return len(self.request.ids) + len(self.request.start) + self.request.decoding.max_new_tokens


def begun(request: Request, place: int, vocabulary: int, before: Sequence[int] | None = None) -> list[Text]:
    """Return what is written of a request: its samples, or one search for all of them.

    :param vocabulary: how many tokens have a score.
    :param before: as `Text` has it.
    :raises OptionError: for a guide that they cannot be held to.
    :raises NotSupported: for what guides cannot hold.
    """
    from functory_sdk.lines.line import Line
    from functory_sdk.lines.search import Search

    held, how = walk(request, vocabulary), request.decoding
    if how.beams > 1:
        return [Search(request, place, held, before)]
    return [Line(request, place, held and held.fork(), before, sample=sample) for sample in range(how.samples)]

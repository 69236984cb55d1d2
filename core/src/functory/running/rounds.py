"""Writes for inputs round after round: what is written for one may say what else is written for it (map-reduce, another try).

Apart from the function, which asks a session, because golden examples go through the same rounds by what is stored of them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functory.contracts.counted import further, misfit
from functory.contracts.decoding import Request, Token, texts
from functory.contracts.rows import Encoded, Row
from functory.errors import NotSupported

if TYPE_CHECKING:
    from functory.contracts.batching import Told
    from functory.contracts.formulation import Formulation
    from functory.reading.reader import Reader

    Generate = Callable[[Sequence[Request]], Generator[Token]]
    Write = Callable[[Encoded, Sequence[int]], Sequence[Sequence[Row]]]

MOST = 64
"""Rounds of one input: a formulation that asks for more does not end."""


@dataclass(frozen=True, slots=True)
class Round:
    """What was written for an input at once.

    :param side: what its formulation kept for it.
    :param rows: a row for each sample of each request.
    """

    side: Any
    requests: tuple[Request, ...]
    rows: list[Row]


def rounds(put: Formulation, encoded: Encoded, reader: Reader, state: Any, write: Write) -> list[list[Round]]:
    """Return the rounds of each input, those of all inputs written together.

    :param write: gives the rows of each request; it is told of each which of all inputs it is for.
    :raises PluginError: where an input has no end.
    """
    found: list[list[Round]] = [[] for _ in encoded.side]
    whose = list(range(len(encoded.side)))
    for _ in range(MOST):
        written = encoded.written_of(write(encoded, [whose[index] for index in encoded.asked]))
        for index, (side, rows) in enumerate(zip(encoded.side, written, strict=True)):
            asked = tuple(one for one, of in zip(encoded.requests, encoded.asked, strict=True) if of == index)
            found[whose[index]].append(Round(side, asked, rows))
        more = {whose[index]: further(put, encoded.side[index], written[index], reader, state)
                for index in sorted(encoded.unfinished)}  # fmt: skip
        going = {index: one for index, one in more.items() if one is not None}
        if not going:
            return found
        encoded, whose = _together(list(going.values())), list(going)
    raise _endless(put)


def last_of(put: Formulation, encoded: Encoded, reader: Reader, state: Any, generate: Generate) -> Generator[Token]:
    """Give the tokens of the last round of one input as they come; those before it are written first.

    :raises NotSupported: where that round is not one text.
    :raises PluginError: where the input has no end.
    """
    for _ in range(MOST):
        if not encoded.unfinished:
            yield from generate(_single(encoded.requests))
            return
        tokens = list(generate(encoded.requests))
        [rows] = encoded.written_of(texts(encoded.requests, tokens))
        more = further(put, encoded.side[0], rows, reader, state)
        if more is None:
            _single(encoded.requests)
            yield from tokens
            return
        encoded = more
    raise _endless(put)


class Writer:
    """Writes rounds with a session, and tells of each token as its share of all that there may be.

    :param generate: the session's.
    :param told: told of each part that is done; the parts of all rounds are 1 together.
    """

    def __init__(self, generate: Generate, told: Told | None) -> None:
        self._generate, self._told, self._left = generate, told, 1.0

    def __call__(self, encoded: Encoded, whose: Sequence[int]) -> list[list[Row]]:
        share = self._left / 2 if encoded.unfinished else self._left  # what comes after is not known yet
        self._left -= share
        return texts(encoded.requests, self._counted(encoded.requests, share))

    def finish(self) -> None:
        """Tell of what was not needed."""
        if self._told is not None and self._left > 0:
            self._told(self._left)

    def _counted(self, requests: Sequence[Request], share: float) -> Iterator[Token]:
        room = max(1, sum(one.decoding.max_new_tokens * one.decoding.samples for one in requests))
        left = share
        for token in self._generate(requests):
            yield token
            if self._told is not None:
                self._told(share / room)
                left -= share / room
        if self._told is not None:
            self._told(max(0.0, left))  # texts that ended before they had to


def stored(rows: Iterable[Sequence[Row]]) -> Write:
    """Return what writes, for each input, what is stored of it: the rows of all its rounds, in their order. Where they are too
    few, what is missing is nothing.
    """
    left = [iter(some) for some in rows]

    def write(encoded: Encoded, whose: Sequence[int]) -> list[list[Row]]:
        wanted = [(index, one.decoding.samples) for index, one in zip(whose, encoded.requests, strict=True)]
        return [[row for _, row in zip(range(count), left[index], strict=False)] for index, count in wanted]

    return write


def _together(alone: Sequence[Encoded]) -> Encoded:
    """Return what is written for several inputs as one."""
    return Encoded(
        [], [], [one.side[0] for one in alone], [request for one in alone for request in one.requests],
        [index for index, one in enumerate(alone) for _ in one.requests],
        frozenset(index for index, one in enumerate(alone) if one.unfinished),
    )  # fmt: skip


def _single(requests: Sequence[Request]) -> Sequence[Request]:
    """Return the requests of a stream.

    :raises NotSupported: for several.
    """
    texts = sum(one.decoding.samples for one in requests)
    if texts > 1:
        raise NotSupported(f"a stream is one text, and this input is written as {texts}.", do="call the function.")
    return requests


def _endless(put: Formulation) -> Exception:
    return misfit(put.further, f"wants more after {MOST} rounds", "return None once enough is written.")

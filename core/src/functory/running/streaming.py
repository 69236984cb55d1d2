"""A text as it is written, piece by piece: an iterator that says in the end why it ended, and that may be closed before.

It may be gone through in an event loop too: each piece is computed in a thread, and the loop goes on meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from functory.running.waiting import waited

if TYPE_CHECKING:
    from functory.contracts.decoding import Finish, Token
    from functory.reading.stopping import Stops


class Added(NamedTuple):
    """What one token adds to a text that is being written.

    :param text: may be empty: what is not sure yet comes with a later one.
    :param finish: why the text ends with it; None where it goes on.
    :param log_probability: of its token, where that is asked for; None of the end, which adds no token.
    """

    text: str
    finish: Finish | None = None
    log_probability: float | None = None


Pieces = Generator[Added]
"""The pieces of a text, the last with why it ended."""


class Stream(Iterator[str]):
    """The pieces of one text; together they are the text that a call gives.

    No piece holds a part of a stop string, or half of a character. Closing it leaves off, in whatever thread: nothing more is
    computed::

        with fn.stream("Tell me about the moon.") as pieces:
            for piece in pieces:
                print(piece, end="")
        pieces.finish  # 'end', 'stop', 'length', or 'closed'

    In an event loop it is ``async for piece in fn.stream("…")``.

    :param pieces: of the one text; closed with the stream.
    """

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._lock = threading.Lock()  # one thread may wait for a piece while another closes
        self.finish: Finish | Literal["closed"] | None = None
        """Why the text ended; ``closed`` where it was left off, None while it goes on."""
        self.tokens = 0
        """How many tokens were written by now; of a text that is written elsewhere, how many pieces came of it."""
        self.likelihoods: list[tuple[str, float]] = []
        """What each token of what was given by now adds to the text, and its log-probability, where likelihoods are asked for."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        try:
            with self._lock:
                return self._piece()
        finally:
            if self.finish == "closed":  # while a piece was being waited for
                self.close()

    def _piece(self) -> str:
        """Return the next piece.

        :raises StopIteration: where the text has ended, or was left off.
        """
        while self.finish is None:
            text, self.finish, likely = next(self._pieces, Added("", "end"))  # nothing was to be written
            self.tokens += self.finish != "end" or likely is not None
            if likely is not None:
                self.likelihoods.append((text, likely))
            if text:
                return text
        raise StopIteration

    async def __aiter__(self) -> AsyncIterator[str]:
        try:
            while (piece := await waited(next, self, None)) is not None:
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        """Leave off."""
        if self.finish is None:
            self.finish = "closed"
        if self._lock.acquire(blocking=False):  # else whoever waits for a piece does it
            try:
                self._pieces.close()
            finally:
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def told(tokens: Generator[Token], stops: Stops) -> Pieces:
    """Give the pieces of a text whose tokens are being written: what can be told of it by each token.

    Where likelihoods are told, each waits for the token after it: what of a text was not sure is its last token's in the end.

    :param tokens: of the one text, as a session gives them; closed in the end.
    :param stops: how they are read.
    """
    written: list[int] = []
    before = ""
    held: Added | None = None
    with closing(tokens):
        for token in tokens:
            if token.is_written:
                written.append(token.id)
            text = stops.told(written) if token.finish is None else stops.text(written)[0]
            piece, before = text[len(before) :], max(before, text, key=len)
            if token.log_probability is None:
                yield Added(piece, token.finish)
                continue
            if not token.is_written:
                yield Added(held.text + piece, token.finish, held.log_probability) if held else Added(piece, token.finish)
                return
            if held is not None:
                yield held
            held = Added(piece, token.finish, token.log_probability)
        if held is not None:
            yield held

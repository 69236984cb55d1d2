"""A text as it is written, piece by piece: an iterator that says in the end why it ended, and that may be closed before.

It may be gone through in an event loop too: each piece is computed in a thread, and the loop goes on meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Generator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from functory.running.waiting import waited

if TYPE_CHECKING:
    from functory.contracts.decoding import Finish, Token
    from functory.reading.stopping import Stops


class Stream(Iterator[str]):
    """The pieces of one text; together they are the text that a call gives.

    No piece holds a part of a stop string, or half of a character. Closing it leaves off, in whatever thread: nothing more is
    computed::

        with fn.stream("Tell me about the moon.") as pieces:
            for piece in pieces:
                print(piece, end="")
        pieces.finish  # 'end', 'stop', 'length', or 'closed'

    In an event loop it is ``async for piece in fn.stream("…")``.

    :param tokens: of the one text, as a session gives them; closed with the stream.
    :param stops: how they are read.
    """

    def __init__(self, tokens: Generator[Token], stops: Stops) -> None:
        self._tokens, self._stops = tokens, stops
        self._written: list[int] = []
        self._told = ""
        self._lock = threading.Lock()  # one thread may wait for a piece while another closes
        self.finish: Finish | Literal["closed"] | None = None
        """Why the text ended; ``closed`` where it was left off, None while it goes on."""

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
            text = self._text()
            if len(text) > len(self._told):
                piece, self._told = text[len(self._told) :], text
                return piece
        raise StopIteration

    def _text(self) -> str:
        """Take a token, and return what can be told of the text by now."""
        token = next(self._tokens, None)
        if token is None:  # nothing was to be written
            self.finish = "end"
            return self._told
        if token.is_written:
            self._written.append(token.id)
        if token.finish is None:
            return self._stops.told(self._written)
        self.finish = token.finish
        return self._stops.text(self._written)[0]

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
                self._tokens.close()
            finally:
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

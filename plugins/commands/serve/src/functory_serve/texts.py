"""A text as it is written for a client, in a thread that goes on until the text ends or nobody takes it any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from functory_sdk.faces import Writing

AHEAD = 64
"""Pieces that are written before the first of them is taken."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece, and what its tokens add to the text with their log-probabilities, where these are told."""

    text: str
    likelihoods: Sequence[tuple[str, float]]


class Text(Writing):
    """The pieces of one text.

    :param stream: what `Function.stream` gives; closed in the end.
    :param ended: told when it is over, however it ends.
    """

    def __init__(self, stream: Any, ended: Callable[[], None]) -> None:  # Any: the core's Stream, which has no name for plugins
        self._loop = asyncio.get_running_loop()
        self._stream, self._ended = stream, ended
        self._pieces: asyncio.Queue[_Piece | BaseException | None] = asyncio.Queue()
        self.likelihoods: list[tuple[str, float]] = []
        self._has_left = threading.Event()
        self._room = threading.Semaphore(AHEAD)
        threading.Thread(target=self._write, name="functory-serve-text", daemon=True).start()

    async def __aiter__(self) -> AsyncGenerator[str]:
        try:
            while (piece := await self._pieces.get()) is not None:
                self._room.release()
                if isinstance(piece, BaseException):
                    raise piece
                self.likelihoods += piece.likelihoods
                yield piece.text
            self.likelihoods += self._stream.likelihoods[len(self.likelihoods) :]
            self.finish, self.tokens = self._stream.finish, self._stream.tokens
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        self._has_left.set()
        self._room.release()

    def _write(self) -> None:
        count = 0
        try:
            with self._stream as pieces:
                for piece in pieces:
                    self._room.acquire()
                    if self._has_left.is_set():
                        return
                    self._tell(_Piece(piece, pieces.likelihoods[count:]))
                    count = len(pieces.likelihoods)
            self._tell(None)
        except BaseException as error:  # told to the client, whatever it is: the text would never end
            self._tell(error)
        finally:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._ended)

    def _tell(self, piece: _Piece | BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)

"""Texts that are asked for one by one, from any thread, and written together: one thread writes, for as long as there are some.

Apart from the batch, which knows no threads: here texts arrive and leave, and each gets its tokens, or what went wrong with it.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Self

from functory_sdk import NotSupported, Token
from functory_sdk.lines import Text
from functory_torch.batch import Batch
from functory_torch.threads import threads

NAME = "functory-writing"


class Order:
    """A request that waits for its tokens.

    :param texts: what is written of it.
    """

    def __init__(self, texts: Sequence[Text]) -> None:
        self.texts = texts
        self.come: queue.SimpleQueue[Token | BaseException | None] = queue.SimpleQueue()
        self._held: list[Token] | None = [] if texts[0].request.at_end else None
        self._going = len(texts)

    def tell(self, token: Token) -> None:
        """Have a token come out."""
        if self._held is None:
            self.come.put(token)
        else:
            self._held.append(token)

    def end(self) -> None:
        """Say that one of its texts has ended."""
        self._going -= 1
        if not self._going:
            for one in (*(self._held or ()), None):
                self.come.put(one)

    def fail(self, error: BaseException) -> None:
        """Have an error come out, and write no more of it."""
        self.come.put(error)
        self.leave()

    def leave(self) -> None:
        """Write no more of it, from the next step on."""
        for text in self.texts:
            text.has_left = True


class Tokens(Iterator[Token]):
    """The tokens of one request as they come. Closing it, or losing it, leaves: nothing more is written."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._is_over = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Token:
        try:
            found = None if self._is_over else self._order.come.get()
        except BaseException:  # Ctrl-C while it was waited for
            self.close()
            raise
        if isinstance(found, Token):
            return found
        self.close()
        if found is None:
            raise StopIteration
        raise found

    def close(self) -> None:
        """Leave."""
        self._is_over = True
        self._order.leave()

    def __del__(self) -> None:
        self._order.leave()


class Joining:
    """The requests of all threads, in one batch. Its thread lives while there are some.

    :param threads: of a forward pass; 0 takes torch's.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._arrived: list[Order] = []
        self._writer: threading.Thread | None = None
        self._is_closed = False

    def submit(self, texts: Sequence[Text], begin: Callable[[], Batch]) -> Tokens:
        """Have texts of one request written, from the next step on.

        :param begin: makes an empty batch, where none is written.
        :raises NotSupported: where it is closed.
        """
        if self._process != os.getpid():  # a fork has no threads, and the lock is as it was
            self._reset()
        order = Order(texts)
        with self._lock:
            if self._is_closed:
                raise _closed()
            self._arrived.append(order)
            if self._writer is None:
                write = partial(self._write, begin)
                self._writer = threading.Thread(target=write, name=NAME)
                self._writer.start()
        return Tokens(order)

    def close(self) -> None:
        """End its thread: what is written for others ends between two tokens, and they are told."""
        with self._lock:
            self._is_closed, writer = True, self._writer
        if writer is not None and writer is not threading.current_thread() and self._process == os.getpid():
            writer.join()

    def _write(self, begin: Callable[[], Batch]) -> None:
        """Write until there is nothing more to write."""
        company = _Company(begin)
        while True:
            with self._lock:
                arrived, self._arrived = self._arrived, []
                company.arrive(arrived)
                if self._is_closed or not _is_wanted():
                    company.end(_closed)
                if company.is_over:
                    self._writer = None
                    return
            with threads(self._threads):
                company.step()


class _Company:
    """What one thread writes: those that wait for room, those that are written, and whose each of them is."""

    def __init__(self, begin: Callable[[], Batch]) -> None:
        self._begin, self._batch = begin, begin()
        self._waiting: list[Text] = []
        self._whose: dict[Text, Order] = {}

    def arrive(self, orders: Sequence[Order]) -> None:
        for order in orders:
            self._waiting += order.texts
            self._whose |= dict.fromkeys(order.texts, order)

    @property
    def is_over(self) -> bool:
        return not self._waiting and not len(self._batch)

    def end(self, error: Callable[[], BaseException]) -> None:
        """Tell all that nothing more is written."""
        for order in set(self._whose.values()):
            order.fail(error())
        self._waiting, self._whose, self._batch = [], {}, self._begin()

    def step(self) -> None:
        """Have those join for whom there is room, and write the next token of all."""
        try:
            self._waiting = [text for text in self._waiting if not text.has_left]
            self._join(self._batch.admits(self._waiting))
            for text, found in self._batch.step():
                self._tell(self._whose[text], found)
        except BaseException as failed:  # of the network's pass, for one: nobody can go on
            error = failed
            self.end(lambda: error)
        self._whose = {text: order for text, order in self._whose.items() if not text.has_left}

    def _tell(self, order: Order, found: Token | Exception | None) -> None:
        if isinstance(found, Exception):
            order.fail(found)
        elif found is None:
            order.end()
        else:
            order.tell(found)

    def _join(self, room: int) -> None:
        """Have the first texts that wait join; where that fails, each by itself, so that only the faulty ones are told."""
        joining, self._waiting = self._waiting[:room], self._waiting[room:]
        if not joining:
            return
        try:
            self._batch.join(joining)
        except Exception:
            for text in joining:
                self._join_alone(text)

    def _join_alone(self, text: Text) -> None:
        if text in self._batch:
            return
        try:
            self._batch.join([text])
        except Exception as error:
            self._whose[text].fail(error)


def _is_wanted() -> bool:
    """Whether the program goes on. A thread that the end of the program cuts off within torch takes the process down with it, and
    one that is waited for must not write on for nobody.
    """
    if threading.main_thread().is_alive():
        return True
    return any(one.is_alive() and not one.daemon and one.name != NAME for one in threading.enumerate())


def _closed() -> NotSupported:
    return NotSupported("the session was closed.", do="open the program again, or call the function.")

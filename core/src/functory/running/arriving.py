"""What arrives bit by bit, taken as it is there: a line at a time where somebody types, many at once where a file is read."""

from __future__ import annotations

import codecs
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, TextIO, TypeVar

from functory.errors import DataError, OptionError
from functory.machine.storage import telling

T = TypeVar("T")

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""How a text's first bytes tell its encoding."""
PATIENCE = 0.5
"""Seconds for which inputs of a slow source are gathered before those that are there are answered."""
PIECE = 65536
"""Bytes that are read at once, where they are there."""


def arriving(items: Iterable[T], most: int) -> Iterator[list[T]]:
    """Give what has arrived by now, whenever something has: all of it, up to a number.

    The items are fetched by a thread of its own, so that more of them arrive while the last ones are worked on; it is
    never more than two lists ahead. What fetching raises is raised here, after all that came before it.

    :param most: how many are given at once.
    """
    waiting: queue.Queue[tuple[bool, Any]] = queue.Queue(2 * most)
    is_over = threading.Event()

    def put(entry: tuple[bool, Any]) -> None:
        while not is_over.is_set():
            with suppress(queue.Full):
                waiting.put(entry, timeout=0.1)
                return

    def fetch() -> None:
        try:
            for item in items:
                put((True, item))
                if is_over.is_set():
                    return
            put((False, None))
        except BaseException as error:
            put((False, error))

    threading.Thread(target=fetch, name="functory-arriving", daemon=True).start()
    try:
        yield from _taken(waiting, most)
    finally:
        is_over.set()


def gathered(
    items: Iterable[T], most: int, *, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
) -> Iterator[list[T]]:
    """Give items in lists: as many as a list holds, or what has come when patience ends. No thread fetches them, so the last
    ones of a burst wait for the next one; `arriving` does not let them.

    :param most: how many are given at once.
    :param patience: in seconds.
    """
    taken: list[T] = []
    begun = clock()
    for item in items:
        taken.append(item)
        if len(taken) >= most or clock() - begun >= patience:
            yield taken
            taken, begun = [], clock()
    if taken:
        yield taken


def _taken(waiting: queue.Queue[tuple[bool, Any]], most: int) -> Iterator[list[Any]]:
    """Give lists of what waits, until the end or an error comes."""
    is_item, item = waiting.get()
    while is_item:
        taken: list[Any] = []
        while is_item and len(taken) < most:
            taken.append(item)
            try:
                is_item, item = waiting.get_nowait()
            except queue.Empty:
                yield taken
                taken = []
                is_item, item = waiting.get()
        if taken:
            yield taken
    if item is not None:
        raise item


def lines_of(stream: TextIO, encoding: str = "") -> Iterator[str | DataError]:
    """Give the lines of a stream as they come, without their ends; for a line that is no text, what is wrong with it.

    :param encoding: of its bytes; what its first bytes say, else UTF-8, when empty.
    :raises OptionError: for an encoding that there is not.
    """
    try:
        handle = stream.fileno()
    except (OSError, ValueError, AttributeError):  # a stream of text in memory
        yield from (line.rstrip("\r\n") for line in stream)
        return
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        raise OptionError(f"there is no encoding {encoding!r}.", do="name one that Python knows: gb18030, cp1252 …") from None
    yield from _decoded(_pieces(handle), encoding)


def _pieces(handle: int) -> Iterator[bytes]:
    """Give a file's bytes as they come. Past Python's buffers: a thread that waits in them could not be left behind."""
    with telling("stdin"):
        while piece := os.read(handle, PIECE):
            yield piece


def _decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[str | DataError]:
    """Give the lines that bytes hold. The first piece shows a mark, where there is one."""
    kept = b""
    for piece in pieces:
        kept += piece
        if len(kept) >= 4 or b"\n" in kept:
            break
    mark, marked = next(((mark, name) for mark, name in MARKS if kept.startswith(mark)), (b"", ""))
    chosen = encoding or marked or "utf-8"
    if "\n".encode(chosen) != b"\n":  # two or four bytes a character
        yield from _wide_lines(kept, pieces, chosen)
        return
    kept = kept.removeprefix(mark) if marked == "utf-8" else kept
    for piece in _and_then(pieces):
        *whole, kept = (kept + piece).split(b"\n")
        yield from (_line(line, chosen) for line in whole)
    if kept:
        yield _line(kept, chosen)


def _and_then(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Give an empty piece first, so that the lines of what was looked at already come at once."""
    yield b""
    yield from pieces


def _line(content: bytes, encoding: str) -> str | DataError:
    """Return a line's text, or what is wrong with it."""
    try:
        return content.removesuffix(b"\r").decode(encoding)
    except UnicodeDecodeError as error:
        return DataError(
            f"byte {error.start + 1} of the line is not {encoding.upper()} ({content[error.start]:#04x}).",
            do="say in what encoding it is: --encoding cp1252.",
        )


def _wide_lines(kept: bytes, pieces: Iterator[bytes], encoding: str) -> Iterator[str]:
    """Give the lines of a text whose line ends are more than one byte.

    :raises DataError: where the bytes are no such text: what follows cannot be told apart.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(kept)
        for piece in _and_then(pieces):
            *whole, text = (text + decoder.decode(piece)).split("\n")
            yield from (line.removesuffix("\r") for line in whole)
        text += decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        told = f"the text is not {encoding.upper()}: {error.reason}."
        raise DataError(told, do="say in what encoding it is: --encoding NAME.") from None
    if text:
        yield text.removesuffix("\r")

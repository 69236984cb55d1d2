"""Packed files, recognised by their first bytes whatever their name, and unpacked as they are read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, cast

from functory.errors import DataError
from functory.machine.storage import meaning, number_of
from functory.wording.told import message_of

HEAD = 1 << 16
"""So many first bytes of a file are looked at to recognise it."""
ENDINGS = (".gz", ".bz2", ".xz", ".zst")
"""How the names of packed files end."""

_MAGIC = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\x00": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}
_DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)


class Rejoined(io.RawIOBase):
    """The first bytes of a stream, which were looked at, and the rest, as one stream: pipes cannot be put back.

    :param name: the file, for the error of one that is damaged.
    :param packing: how the rest is packed; empty where it is not.
    """

    def __init__(self, head: bytes, rest: BinaryIO, name: str, packing: str = "") -> None:
        self._head, self._rest, self._name, self._packing = head, rest, name, packing

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # Any: a buffer has no name before Python 3.12
        """Read some bytes.

        :raises DataError: when the file is damaged, or cannot be read on.
        """
        room = memoryview(buffer).cast("B")
        if not self._head:
            self._head = guarded(lambda: self._rest.read(len(room)), self._name, self._packing)
        taken, self._head = self._head[: len(room)], self._head[len(room) :]
        room[: len(taken)] = taken
        return len(taken)

    def close(self) -> None:
        self._rest.close()
        super().close()


def peeked(stream: BinaryIO, name: str, packing: str = "") -> tuple[bytes, BinaryIO]:
    """Return a stream's first bytes, and the stream from its beginning.

    :raises DataError: when the file is damaged.
    """
    head = b""
    while len(head) < HEAD:
        more = guarded(partial(stream.read, HEAD - len(head)), name, packing)
        if not more:
            break
        head += more
    return head, cast(BinaryIO, io.BufferedReader(Rejoined(head, stream, name, packing), HEAD))


def packing_of(head: bytes) -> str:
    """Return how a file is packed, as the ending of its name would say it; empty where it is not."""
    return next((ending for magic, ending in _MAGIC.items() if head.startswith(magic)), "")


def unpacked(stream: BinaryIO, packing: str, name: str) -> BinaryIO:
    """Return the stream of what is packed in another.

    :raises DataError: when nothing here can unpack it.
    """
    if packing == ".gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if packing == ".bz2":
        return cast(BinaryIO, bz2.BZ2File(stream))
    if packing == ".xz":
        return cast(BinaryIO, lzma.LZMAFile(stream))
    return _zstd(stream, name)


def _zstd(stream: BinaryIO, name: str) -> BinaryIO:
    """Return the stream of what zstd has packed: by Python's own module from 3.14 on, else by `zstandard`.

    :raises DataError: when neither is there.
    """
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        try:
            import zstandard  # type: ignore[import-not-found, unused-ignore]  # an extra
        except ImportError as error:
            raise DataError(
                "the file is packed with zstd, which Python reads from 3.14 on.",
                where=name,
                do="pip install zstandard, or unpack it: unzstd FILE.",
            ) from error
        return cast(BinaryIO, _Frames(stream, zstandard.ZstdDecompressor().decompressobj))
    return cast(BinaryIO, zstd.ZstdFile(stream))


class _Frames(io.RawIOBase):
    """The bytes of zstd's frames. The library's own reader ends in silence where a file is cut off.

    :param begin: gives what unpacks a frame.
    """

    def __init__(self, stream: BinaryIO, begin: Callable[[], Any]) -> None:  # Any: `zstandard` is an extra
        self._stream, self._begin = stream, begin
        self._frame: Any = None  # the frame under way
        self._packed = self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # Any: as above
        """Read some bytes.

        :raises EOFError: when the file ends within a frame.
        """
        room = memoryview(buffer).cast("B")
        while not self._ready:
            self._packed = self._packed or self._stream.read(HEAD)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError("the file ends before its end-of-frame marker was reached")
                return 0
            self._frame = self._frame or self._begin()
            self._ready, self._packed = self._frame.decompress(self._packed), b""
            if self._frame.eof:
                self._packed, self._frame = self._frame.unused_data, None
        taken, self._ready = self._ready[: len(room)], self._ready[len(room) :]
        room[: len(taken)] = taken
        return len(taken)

    def close(self) -> None:
        self._stream.close()
        super().close()


def guarded(read: Callable[[], bytes], name: str, packing: str) -> bytes:
    """Read, and tell what goes wrong as a fault of the file.

    :raises DataError: when the file is damaged, or cannot be read on.
    """
    try:
        return read()
    except DataError:
        raise
    except Exception as error:
        if not isinstance(error, _DAMAGED) and type(error).__name__ != "ZstdError":
            raise
        what = f"it cannot be unpacked ({packing[1:]})" if packing else "it cannot be read"
        why = meaning(error) if number_of(error) else message_of(error)
        raise DataError(f"{what}: {why}.", where=name, do="check the file; fetch it again.") from error

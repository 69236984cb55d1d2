"""Read Marian's binary file: a table of tensors, of float32 or of bytes that intgemm multiplies, and their settings as YAML.

Layout, little-endian: u64 version (1), u64 tensors; of each u64 length of the name, u64 type, u64 axes, u64 bytes; the names,
zero-ended; the axes' sizes, i32; u64 padding, and so many bytes; the numbers, each tensor a multiple of 256 bytes. A tensor of
bytes ends with a float32, what its weights were multiplied by before they were rounded. A map's matrix is kept (out, in),
though its sizes say (in, out); the embeddings as they say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory_sdk.weightfiles import PackedFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOAT, BYTES, TEXT = 0x404, 0x4101, 0x101
"""float32; int8 as intgemm keeps it on any machine; bytes of text."""
SETTINGS = "special:model.yml"
MOST = 100_000
"""Tensors, bytes of a name, axes: what no model has more of."""


@dataclass(frozen=True)
class Entry:
    """Where one tensor lies."""

    kind: int
    shape: tuple[int, ...]
    offset: int
    size: int


class Container:
    """An opened file: the table and the settings are read, tensors when they are asked for.

    :raises DataError: for another version, and wherever the file ends too early.
    """

    def __init__(self, path: Path) -> None:
        self._file = PackedFile(path)
        version = self._file.number("Q", "the version")
        if version != 1:
            raise self._file.fault(f"its layout has version {version:,}; known is 1.", 0)
        self.entries = self._read_entries()
        self.settings = self._read_settings()

    def _read_entries(self) -> dict[str, Entry]:
        file = self._file
        heads = [[self._count("Q", "a tensor's entry", 1 << 40) for _ in range(4)] for _ in range(self._count("Q", "tensors"))]
        names = [file.read(size, "a tensor's name").rstrip(b"\0").decode("ascii", "replace") for size, *_ in heads]
        shapes = [tuple(file.array("<i4", axes, "a tensor's sizes").tolist()) for _, _, axes, _ in heads]
        file.take(self._count("Q", "the padding"), "the padding")
        entries = {}
        for (_, kind, _, size), name, shape in zip(heads, names, shapes, strict=True):
            least = prod(shape) * (4 if kind == FLOAT else 1) + (4 if kind == BYTES else 0)
            if size < least:
                raise file.fault(f"{name} has {size:,} bytes; {shape} of type {kind:#x} need {least:,}.")
            entries[name] = Entry(kind, shape, file.take(size, name), size)
        return entries

    def _count(self, code: str, what: str, most: int = MOST) -> int:
        found: int = self._file.number(code, what)
        if found > most:
            raise self._file.fault(f"{what}: {found:,}, more than any model has.")
        return found

    def _read_settings(self) -> dict[str, str]:
        """Read those of Marian's settings that stand in one line."""
        entry = self.entries.get(SETTINGS)
        text = b"" if entry is None else self._file.at(entry.offset, entry.size, SETTINGS).tobytes()
        return dict(re.findall(r"^([\w-]+): (.*)$", text.decode("utf-8", "replace"), flags=re.MULTILINE))

    def fault(self, what: str) -> Exception:
        """Return the error that says what is wrong with the file."""
        return self._file.fault(what, 0)

    def number(self, setting: str) -> int:
        """Return a setting that is a whole number.

        :raises DataError: where it is none.
        """
        found = self.settings.get(setting, "")
        if not found.isascii() or not found.isdigit():
            raise self.fault(f"its settings say {setting} = {found!r}, no whole number.")
        return int(found)

    def tensor(self, name: str, *shape: int) -> NDArray[Any]:
        """Return a tensor as float32 numbers of a shape: a vector, the embeddings, or a map's matrix as (out, in).

        :raises DataError: where the file has no such tensor, or one of another size.
        """
        import numpy as np

        entry = self.entries.get(name)
        if entry is None or entry.kind not in (FLOAT, BYTES):
            raise self.fault(f"it has no tensor of numbers named {name!r}; it has {', '.join(list(self.entries)[:6])}, ….")
        if prod(entry.shape) != prod(shape):
            raise self._file.fault(f"{name} has the shape {entry.shape}; expected was {shape}.", entry.offset)
        data = self._file.at(entry.offset, entry.size, name)
        if entry.kind == FLOAT:
            return data[: 4 * prod(shape)].view("<f4").reshape(shape)
        times = data[prod(shape) :][:4].copy().view("<f4")[0]
        if not np.isfinite(times) or times <= 0:
            raise self._file.fault(f"{name} was multiplied by {times}, which no weights are.", entry.offset)
        numbers: NDArray[Any] = data[: prod(shape)].view(np.int8).astype(np.float32) / times
        return numbers.reshape(shape)

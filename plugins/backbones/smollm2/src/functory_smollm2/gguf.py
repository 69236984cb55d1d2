"""Read a GGUF file, version 2 or 3: its fields, and its tensors as float32 numbers.

Own code rather than the `gguf` package: that brings requests, PyYAML and tqdm, and takes two seconds for
the fields of this file (this takes an eighth of one). It knows the types that small models are kept in; the
format is described on ggml's page of GGUF. Little-endian: ``GGUF``, u32 version, u64 tensors, u64 fields;
each field a text (u64 length, UTF-8), u32 type, value; each tensor a text, u32 dimensions, u64 sizes
(fastest first), u32 type, u64 offset; then the data, aligned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory_sdk import DataError
from functory_sdk.weightfiles import PackedFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""A field's type → the struct code of a number."""
TEXT, ARRAY = 8, 9
BLOCK = 32
"""Weights in a block of every type here that has blocks."""


@dataclass(frozen=True)
class Entry:
    """Where one tensor lies; its shape is numpy's (slowest first)."""

    shape: tuple[int, ...]
    kind: int
    offset: int
    size: int


class Gguf:
    """An opened file: `fields` by name, tensors when they are asked for.

    :raises DataError: for another kind of file, a type that is not known, and wherever it ends too early.
    """

    def __init__(self, path: Path) -> None:
        self._file = PackedFile(path)
        magic = self._file.read(4, "the mark GGUF")
        if magic != b"GGUF":
            raise self._file.fault(f"it begins with {magic!r}; expected was b'GGUF'.", 0)
        version = self._file.number("I", "the version")
        if version not in (2, 3):
            raise self._file.fault(f"it is GGUF version {version}; known are 2 and 3.", 4)
        tensors = self._file.number("Q", "the number of tensors")
        fields = self._file.number("Q", "the number of fields")
        self.fields: dict[str, Any] = {}  # Any: numbers, texts and lists of them
        for _ in range(fields):
            name = self._text("a field's name")
            self.fields[name] = self._value(self._file.number("I", f"the type of {name}"), name)
        self.entries = self._read_entries(tensors)

    def field(self, name: str) -> Any:  # Any: as in `fields`
        """Return a field's value.

        :raises DataError: where the file has no such field.
        """
        if name not in self.fields:
            raise self.fault(f"it has no field {name!r}.")
        return self.fields[name]

    def tensor(self, name: str, *shape: int) -> NDArray[Any]:
        """Return a tensor as float32 numbers.

        :raises DataError: where the file has no such tensor, or one of another shape.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise self.fault(f"it has no tensor {name!r}.")
        if entry.shape != shape:
            raise self._file.fault(f"{name} has shape {entry.shape}; expected was {shape}.", entry.offset)
        data = self._file.at(entry.offset, entry.size, name)
        return TYPES[entry.kind].unpack(data).reshape(shape)

    def fault(self, what: str) -> DataError:
        """Return the error that says what is wrong with the file as a whole."""
        return self._file.fault(what, 0)

    def _text(self, what: str) -> str:
        size = self._file.number("Q", what)
        begin = self._file.offset
        try:
            return self._file.read(size, what).decode()
        except UnicodeDecodeError as error:
            raise self._file.fault(f"{what} is not UTF-8: {error}.", begin) from error

    def _value(self, kind: int, name: str) -> Any:
        if kind in NUMBERS:
            return self._file.number(NUMBERS[kind], name)
        if kind == TEXT:
            return self._text(name)
        if kind != ARRAY:
            raise self._file.fault(f"{name} has a type {kind}, which GGUF does not know.")
        item = self._file.number("I", f"the type of {name}")
        count = self._file.number("Q", f"the length of {name}")
        if item in NUMBERS:
            return self._file.array("<" + NUMBERS[item], count, name).tolist()
        return [self._value(item, name) for _ in range(count)]

    def _read_entries(self, count: int) -> dict[str, Entry]:
        file = self._file
        found = {}
        for _ in range(count):
            name = self._text("a tensor's name")
            sizes = [file.number("Q", name) for _ in range(file.number("I", name))]
            kind, offset = file.number("I", name), file.number("Q", name)
            if kind not in TYPES:
                known = ", ".join(type.name for type in TYPES.values())
                raise file.fault(f"{name} has type {kind}; known are {known}.")
            found[name] = Entry(tuple(reversed(sizes)), kind, offset, TYPES[kind].size(prod(sizes)))
        alignment = self.fields.get("general.alignment", 32)
        begin = -(-file.offset // alignment) * alignment
        for name, entry in found.items():
            file.at(
                begin + entry.offset, entry.size, name
            )  # a file cut short is refused before anything is converted
        return {
            name: Entry(entry.shape, entry.kind, begin + entry.offset, entry.size)
            for name, entry in found.items()
        }


def _float(dtype: str) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def unpack(data: NDArray[Any]) -> NDArray[Any]:
        return data.view(dtype).astype("<f4", copy=False)

    return unpack


def _halves(blocks: NDArray[Any], begin: int) -> NDArray[Any]:
    """Return one float16 of every block as float32, (blocks, 1)."""
    import numpy as np

    return np.ascontiguousarray(blocks[:, begin : begin + 2]).view("<f2").astype(np.float32)


def _nibbles(packed: NDArray[Any]) -> NDArray[Any]:
    """Unpack 16 bytes to 32 numbers of 0–15: the low halves first, then the high ones."""
    import numpy as np

    return np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)


def _q4_0(data: NDArray[Any]) -> NDArray[Any]:
    blocks = data.reshape(-1, 18)
    weights: NDArray[Any] = _halves(blocks, 0) * (_nibbles(blocks[:, 2:]) - 8)
    return weights


def _q4_1(data: NDArray[Any]) -> NDArray[Any]:
    blocks = data.reshape(-1, 20)
    weights: NDArray[Any] = _halves(blocks, 0) * _nibbles(blocks[:, 4:]) + _halves(blocks, 2)
    return weights


def _q8_0(data: NDArray[Any]) -> NDArray[Any]:
    blocks = data.reshape(-1, 34)
    weights: NDArray[Any] = _halves(blocks, 0) * blocks[:, 2:].view("i1")
    return weights


@dataclass(frozen=True)
class Type:
    """One way of storing weights: so many bytes for so many weights, and how they are unpacked."""

    name: str
    weights: int
    bytes: int
    unpack: Callable[[NDArray[Any]], NDArray[Any]]

    def size(self, count: int) -> int:
        """Return the bytes of `count` weights."""
        return count // self.weights * self.bytes


TYPES = {
    0: Type("F32", 1, 4, _float("<f4")),
    1: Type("F16", 1, 2, _float("<f2")),
    2: Type("Q4_0", BLOCK, 18, _q4_0),
    3: Type("Q4_1", BLOCK, 20, _q4_1),
    8: Type("Q8_0", BLOCK, 34, _q8_0),
}

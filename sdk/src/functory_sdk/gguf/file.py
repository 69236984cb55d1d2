"""Read a GGUF file, version 2 or 3: its fields, and its tensors as float32 numbers.

Own code rather than the `gguf` package: that brings requests, PyYAML and tqdm, and takes two seconds for
the fields of a small file (this takes an eighth of one). Whatever a file holds, reading it takes time and memory in
proportion to its length. The format is described on ggml's page of GGUF. Little-endian: ``GGUF``, u32 version, u64 tensors,
u64 fields; each field a text (u64 length, UTF-8), u32 type, value; each tensor a text, u32 dimensions, u64 sizes
(fastest first), u32 type, u64 offset; then the data, aligned.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.errors import DataError, NotSupported
from functory_sdk.gguf.blocks import OTHERS, TYPES
from functory_sdk.weightfiles import PackedFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""A field's type → the struct code of a number."""
TEXT, ARRAY = 8, 9
MOST_AXES = 4
"""What GGUF allows."""


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
            if name in self.fields:
                raise self._file.fault(f"it has two fields {name!r}.")
            self.fields[name] = self._value(self._file.number("I", f"the type of {name}"), name)
        self.entries = self._read_entries(tensors)

    def field(self, name: str) -> Any:  # Any: as in `fields`
        """Return a field's value.

        :raises DataError: where the file has no such field.
        """
        if name not in self.fields:
            raise self.fault(f"it has no field {name!r}.")
        return self.fields[name]

    def whole(self, name: str, default: int | None = None, least: int = 1) -> int:
        """Return a field that is a whole number.

        :param default: where the file has no such field; it must have one when None.
        :raises DataError: where it is none, or smaller than the least that makes sense.
        """
        given = self.field(name) if default is None else self.fields.get(name, default)
        if isinstance(given, bool) or not isinstance(given, int) or given < least:
            raise self.fault(f"{name} is {told(given)}, no whole number of {least} or more.")
        return given

    def number(self, name: str, default: float | None = None) -> float:
        """Return a field that is a finite number.

        :param default: as for `whole`.
        :raises DataError: where it is none.
        """
        given = self.field(name) if default is None else self.fields.get(name, default)
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not isfinite(given):
            raise self.fault(f"{name} is {told(given)}, no number.")
        return float(given)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a field that is a text.

        :param default: as for `whole`.
        :raises DataError: where it is none.
        """
        given = self.field(name) if default is None else self.fields.get(name, default)
        if not isinstance(given, str):
            raise self.fault(f"{name} is {told(given)}, no text.")
        return given

    def items(self, name: str, kind: type) -> list[Any]:
        """Return a field that is a list of texts or of numbers.

        :raises DataError: where it is none.
        """
        given = self.field(name)
        if not isinstance(given, list) or not all(type(one) is kind for one in given[:1]):
            raise self.fault(f"{name} is {told(given)}, no list of {kind.__name__}.")
        return given

    def check(self, name: str, *shape: int) -> Entry:
        """Return where a tensor lies.

        :raises DataError: where the file has no such tensor, or one of another shape.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise self.fault(f"it has no tensor {name!r}.")
        if entry.shape != shape:
            raise self._file.fault(f"{name} has shape {entry.shape}; expected was {shape}.", entry.offset)
        return entry

    def tensor(self, name: str, *shape: int) -> NDArray[Any]:
        """Return a tensor as float32 numbers.

        :raises DataError: as `check`.
        """
        entry = self.check(name, *shape)
        data = self._file.at(entry.offset, entry.size, name)
        return TYPES[entry.kind].unpack(data).reshape(shape)

    def fault(self, what: str) -> DataError:
        """Return the error that says what is wrong with the file as a whole."""
        return self._file.fault(what, 0)

    def unknown(self, what: str, do: str) -> NotSupported:
        """Return the error for a sound file that holds what is not read here."""
        return NotSupported(f"{self._file.path.name}: {what}", where=str(self._file.path), do=do)

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
        if item not in NUMBERS and item != TEXT:  # lists of lists have no use there, and could be nested without end
            raise self._file.fault(f"{name} is a list of a type {item}, which is not read here.")
        if item in NUMBERS:
            return self._file.array("<" + NUMBERS[item], count, name).tolist()
        return [self._value(item, name) for _ in range(count)]

    def _read_entries(self, count: int) -> dict[str, Entry]:
        file, found = self._file, {}
        for _ in range(count):
            name = self._text("a tensor's name")
            if name in found:
                raise file.fault(f"it has two tensors {name!r}.")
            found[name] = self._read_entry(name)
        alignment = self.whole("general.alignment", 32)
        begin = -(-file.offset // alignment) * alignment
        for name, entry in found.items():  # a file cut short is refused before anything is converted
            file.at(begin + entry.offset, entry.size, name)
        return {
            name: Entry(entry.shape, entry.kind, begin + entry.offset, entry.size)
            for name, entry in found.items()
        }

    def _read_entry(self, name: str) -> Entry:
        """Read where one tensor lies, counted from where all of them begin.

        :raises NotSupported: for a type that is not known here.
        """
        file = self._file
        axes = file.number("I", name)
        if not 1 <= axes <= MOST_AXES:
            raise file.fault(f"{name} has {axes:,} dimensions; 1 to {MOST_AXES} are possible.")
        sizes = [file.number("Q", name) for _ in range(axes)]
        kind, offset = file.number("I", name), file.number("Q", name)
        if kind not in TYPES:
            known = ", ".join(type.name for type in TYPES.values())
            raise self.unknown(
                f"the weights {name!r} are of the type {OTHERS.get(kind, kind)}, which is not read here.",
                f"take the model in one of {known}; Q8_0 and Q4_K are made of most.",
            )
        type_ = TYPES[kind]
        if not all(sizes) or sizes[0] % type_.weights:
            raise file.fault(f"{name} has the sizes {sizes}; a row of {type_.name} holds a multiple of {type_.weights}.")
        return Entry(tuple(reversed(sizes)), kind, offset, type_.size(prod(sizes)))


def told(given: object) -> str:
    """Return a value as an error tells it, however long it is."""
    text = repr(given[:3] if isinstance(given, (list, str)) and len(given) > 30 else given)
    return f"{text[:60]}…" if len(text) > 60 else text

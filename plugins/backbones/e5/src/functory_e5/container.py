"""Read the packed file of multilingual-e5-small: head, word pieces, normalisation table, 4-bit tensors.

Layout, little-endian: ``E5S1``, u32 version; i32 hidden, layers, heads, inner, vocabulary, positions, token
types; f32 layer-norm epsilon; i32 block size; i32 pieces, the ids of bos, eos, pad, unk; u64 bytes of all
pieces; u32 offsets (pieces + 1); f32 scores; the pieces in UTF-8; i32 entries and u32 bytes of the table,
each entry u32 code point, u8 n, n × u32; i32 tensors, each u16 name length, name, u8 type (0 float32, 1
4-bit blocks), u32 elements, u64 offset, u64 bytes.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory_sdk.weightfiles import PackedFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOAT, BLOCKS = 0, 1
BLOCK_WEIGHTS, BLOCK_BYTES = 32, 18


@dataclass(frozen=True)
class Shape:
    """The sizes of the network, in the file's order."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True)
class Pieces:
    """The unigram vocabulary: each piece's text and log-probability, and the four ids with a meaning."""

    texts: list[str]
    scores: list[float]
    bos: int
    eos: int
    pad: int
    unknown: int


@dataclass(frozen=True)
class Entry:
    """Where one tensor lies."""

    kind: int
    elements: int
    offset: int
    size: int


class Container:
    """An opened file: shape, pieces and normalisation table are read, tensors when they are asked for.

    :raises DataError: for another magic or version, and wherever the file ends too early.
    """

    def __init__(self, path: Path) -> None:
        self._file = PackedFile(path)
        magic = self._file.read(4, "the mark E5S1")
        if magic != b"E5S1":
            raise self._file.fault(f"it begins with {magic!r}; expected was b'E5S1'.", 0)
        version = self._file.number("I", "the version")
        if version != 1:
            raise self._file.fault(f"its layout has version {version}; known is 1.", 4)
        self.shape = Shape(*struct.unpack("<7if", self._file.read(32, "the sizes of the network")))
        block = self._file.number("i", "the block size")
        if block != BLOCK_WEIGHTS:
            raise self._file.fault(f"its blocks hold {block} weights; known is {BLOCK_WEIGHTS}.")
        self.pieces = self._read_pieces()
        self.table = self._read_table()
        self._entries = self._read_entries()

    def _read_pieces(self) -> Pieces:
        file = self._file
        count, *ids = (file.number("i", "the special ids") for _ in range(5))
        size = file.number("Q", "the size of the word pieces")
        offsets = file.array("<u4", count + 1, "the offsets of the word pieces").tolist()
        scores = file.array("<f4", count, "the scores of the word pieces").tolist()
        begin = file.offset
        text = file.read(size, "the word pieces")
        try:
            texts = [text[i:j].decode() for i, j in itertools.pairwise(offsets)]
        except UnicodeDecodeError as error:
            raise file.fault(f"a word piece is not UTF-8: {error}.", begin) from error
        return Pieces(texts, scores, *ids)

    def _read_table(self) -> dict[int, str]:
        """Read which code point becomes which text (an empty one where it is dropped)."""
        file = self._file
        count = file.number("i", "the number of normalisation entries")
        size = file.number("I", "the size of the normalisation entries")
        end = file.offset + size
        table = {}
        for _ in range(count):
            point, length = struct.unpack("<IB", file.read(5, "a normalisation entry"))
            table[point] = "".join(map(chr, file.array("<u4", length, "a normalisation entry").tolist()))
        if file.offset != end:
            raise file.fault(f"the normalisation table ends here; expected was byte {end:,}.")
        return table

    def _read_entries(self) -> dict[str, Entry]:
        file = self._file
        entries = {}
        for _ in range(file.number("i", "the number of tensors")):
            name = file.read(file.number("H", "a tensor's name"), "a tensor's name").decode(
                "ascii", "replace"
            )
            kind, elements, offset, size = struct.unpack("<BIQQ", file.read(21, f"the entry of {name}"))
            expected = {FLOAT: elements * 4, BLOCKS: elements // BLOCK_WEIGHTS * BLOCK_BYTES}.get(kind)
            if size != expected:
                raise file.fault(
                    f"{name} has {size:,} bytes of type {kind}; {elements:,} weights need {expected}."
                )
            file.at(offset, size, name)  # a file cut short is refused before anything is converted
            entries[name] = Entry(kind, elements, offset, size)
        return entries

    def tensor(self, name: str, *shape: int) -> NDArray[Any]:
        """Return a tensor as float32 numbers of a shape.

        :raises DataError: where the file has no such tensor, or one of another size.
        """
        import numpy as np

        entry = self._entries.get(name)
        if entry is None:
            raise self._file.fault(
                f"it has no tensor {name!r}; it has {', '.join(list(self._entries)[:6])}, …."
            )
        data = self._file.at(entry.offset, entry.size, name)
        if entry.elements != np.prod(shape):
            raise self._file.fault(
                f"{name} has {entry.elements:,} weights; expected was {shape}.", entry.offset
            )
        return (data.view("<f4") if entry.kind == FLOAT else _unpack(data)).reshape(shape)


def _unpack(data: NDArray[Any]) -> NDArray[Any]:
    """Unpack blocks: a float16 scale, then 16 bytes, weights 0–15 low and 16–31 high, each 8 too large."""
    import numpy as np

    blocks = data.reshape(-1, BLOCK_BYTES)
    scale = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)  # (blocks, 1)
    packed = blocks[:, 2:]
    weights = np.empty((len(blocks), BLOCK_WEIGHTS), np.float32)
    np.subtract(packed & 15, 8, out=weights[:, :16], dtype=np.float32)
    np.subtract(packed >> 4, 8, out=weights[:, 16:], dtype=np.float32)
    weights *= scale
    return weights.reshape(-1)

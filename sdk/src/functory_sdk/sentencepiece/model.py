"""Reads a SentencePiece model file: its pieces, and how it brings a text into form. A protocol buffer, read without its library.

Kudo and Richardson 2018, SentencePiece. The fields' numbers are those of sentencepiece_model.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from functory.errors import ArtefactCorrupt, NotSupported

NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Types of pieces."""
UNIGRAM, BPE = 1, 2
"""Kinds of model; words and characters are the others."""
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_MODEL_TYPE, _BYTE_FALLBACK = 3, 35
_CHARSMAP, _DUMMY_PREFIX, _EXTRA_SPACES = 2, 3, 4


class _Broken(ValueError):
    """Bytes that are no message; `read_model` says of which file."""


@dataclass(frozen=True)
class Piece:
    """One piece of the vocabulary."""

    text: str
    score: float
    type: int


@dataclass(frozen=True)
class SentencePiece:
    """What a model file says."""

    pieces: tuple[Piece, ...]
    kind: int
    """`UNIGRAM` or `BPE`."""
    charsmap: bytes
    """The table by which characters are replaced, as SentencePiece packs it; empty where none are."""
    has_bytes: bool
    """Whether characters without a piece are spelled by their bytes."""
    keeps_spaces: bool
    """Whether several spaces stay several."""


def read_model(path: Path) -> SentencePiece:
    """Return what a model file says.

    :raises ArtefactCorrupt: where it is no SentencePiece model.
    :raises NotSupported: for one of words or characters, or one that puts no space before a text.
    """
    try:
        fields = list(_fields(path.read_bytes()))
        pieces = tuple(_piece(value) for number, value in fields if number == _PIECES and isinstance(value, bytes))
        trainer, normalizer = (_merged(fields, number) for number in (_TRAINER, _NORMALIZER))
        charsmap = normalizer.get(_CHARSMAP, b"")
        kind = trainer.get(_MODEL_TYPE, UNIGRAM)
    except (ValueError, IndexError, struct.error) as error:
        raise _corrupt(path, str(error)) from error
    if not pieces or not isinstance(charsmap, bytes):
        raise _corrupt(path, "it has no pieces")
    if kind not in (UNIGRAM, BPE) or not normalizer.get(_DUMMY_PREFIX, 1):
        raise NotSupported(
            f"{path.name} is a SentencePiece model of the kind {kind!r}; those of unigrams (1) and of merges (2) that put a "
            "space before a text are read here.",
            where=str(path),
            do="save the tokenizer as tokenizer.json beside it.",
        )
    spaces = not normalizer.get(_EXTRA_SPACES, 1)
    return SentencePiece(pieces, int(kind), charsmap, bool(trainer.get(_BYTE_FALLBACK, 0)), spaces)


def _corrupt(path: Path, why: str) -> ArtefactCorrupt:
    what = f"{path.name} is no SentencePiece model: {why}."
    return ArtefactCorrupt(what, where=str(path), do="take the file that came with the model.")


def _merged(fields: list[tuple[int, int | bytes]], number: int) -> dict[int, int | bytes]:
    """Return the fields of a message inside the file."""
    return {key: value for one, raw in fields if one == number and isinstance(raw, bytes) for key, value in _fields(raw)}


def _piece(raw: bytes) -> Piece:
    found: dict[int, int | bytes] = dict(_fields(raw))
    text, score, kind = found.get(1, b""), found.get(2, b"\0\0\0\0"), found.get(3, NORMAL)
    if not isinstance(text, bytes) or not isinstance(score, bytes) or not isinstance(kind, int):
        raise _Broken("a piece is of another form")
    return Piece(text.decode("utf-8"), struct.unpack("<f", score)[0], kind)


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give the fields of a message: their numbers, and whole numbers as such or else bytes.

    :raises _Broken: where the bytes are no message.
    """
    place = 0
    while place < len(raw):
        key, place = _whole(raw, place)
        wire = key & 7
        if wire == 0:
            value, place = _whole(raw, place)
            yield key >> 3, value
            continue
        size, place = _whole(raw, place) if wire == 2 else ({1: 8, 5: 4}.get(wire, -1), place)
        if size < 0 or place + size > len(raw):
            raise _Broken(f"a field at byte {place:,} does not end")
        yield key >> 3, raw[place : place + size]
        place += size


def _whole(raw: bytes, place: int) -> tuple[int, int]:
    """Return a number that takes seven bits of each byte, and the place after it."""
    value = shift = 0
    while True:
        if place >= len(raw) or shift > 63:
            raise _Broken(f"a number at byte {place:,} does not end")
        byte = raw[place]
        value, place, shift = value | (byte & 127) << shift, place + 1, shift + 7
        if byte < 128:
            return value, place

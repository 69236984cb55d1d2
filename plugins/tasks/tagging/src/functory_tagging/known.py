"""Which words the training data showed, kept as hashes: an evaluation tells the others, and no word can be read off."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

SIZE = 4
"""Bytes of a hash: among 50,000 words one in 86,000 unknown ones is taken for known."""


def packed(words: Iterable[str]) -> str:
    """Return the hashes of words as text."""
    return base64.b64encode(b"".join(sorted({_hash(word) for word in words}))).decode()


def is_known(word: str, known: str) -> bool:
    """Return whether a word is among those that were packed."""
    return _hash(word) in _hashes(known)


def _hash(word: str) -> bytes:
    return blake2b(word.encode(), digest_size=SIZE).digest()


@lru_cache(maxsize=8)
def _hashes(known: str) -> frozenset[bytes]:
    raw = base64.b64decode(known)
    return frozenset(raw[place : place + SIZE] for place in range(0, len(raw), SIZE))

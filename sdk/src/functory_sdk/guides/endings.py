"""Finds a short way to end a guided text from where it is.

llguidance knows which tokens may come, and nothing of where they lead. So endings are looked for as one finds a way out: deep
first, along what narrows the choice most, no place twice.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from functory.contracts.rows import Array
from functory.errors import NotSupported
from functory.reading.tokenizer import Tokenizer

MOST = 4096
"""The most tokens of an ending that is looked for."""
TRIED = 24
"""Tokens that are tried at a place, the likeliest to close something first."""
PLACES = 400
"""Places that a search looks at; half of the way is looked for in fewer."""
NEAR = (16, 64, 256)
"""Lengths that are looked within where a search ran in a circle."""
CLOSERS = b'"}]),'


class Spelling:
    """How a vocabulary spells texts, for llguidance and for us.

    :param vocabulary: how many tokens have a score.
    :raises NotSupported: for a tokenizer whose tokens are no pieces of text.
    """

    def __init__(self, tokenizer: Tokenizer, vocabulary: int) -> None:
        try:
            from llguidance import LLTokenizer
        except ImportError as error:
            raise NotSupported("guides are held by llguidance, which is not installed.", do="pip install llguidance.") from error

        signs = {one for one in map(tokenizer.id, tokenizer.signs) if one is not None}
        try:
            self.raw: Any = LLTokenizer(_readable(tokenizer.json), n_vocab=vocabulary, eos_token=min(signs, default=0))
        except ValueError as error:
            raise NotSupported(
                f"a guide cannot hold what this backbone writes: its tokens are no pieces of text ({error}).",
                do="take a backbone with a byte-level or SentencePiece vocabulary.",
            ) from error
        self._vocabulary = vocabulary
        self._bytes = [b"" if self.raw.is_special_token(one) else self.raw.decode_bytes([one]) for one in range(vocabulary)]
        self._is_sign = np.asarray([not piece for piece in self._bytes])
        self._is_sign[[one for one in signs if one < vocabulary]] = True
        self._order = np.asarray(sorted(range(vocabulary), key=self._handiness))

    def _handiness(self, token: int) -> tuple[Any, ...]:
        piece = self._bytes[token]
        if len(piece) != 1:
            return len(piece), 0, piece
        place, is_printed = CLOSERS.find(piece), 32 <= piece[0] < 127
        return 1, place if place >= 0 else 10 + piece.isalnum() if is_printed else 12, piece

    def bytes_of(self, token: int) -> bytes:
        """Return what a token spells."""
        return self._bytes[token]

    def tokens(self, text: bytes) -> list[int]:
        """Return the tokens of bytes."""
        return list(self.raw.tokenize_bytes(text)) if text else []

    def count(self, text: bytes) -> int:
        """Return how many tokens bytes are."""
        return len(self.tokens(text))

    def mask(self, matcher: Any) -> Array:
        """Return which tokens may come, (vocabulary,) bool, none of those that end a text."""
        bits = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
        may = np.unpackbits(bits, bitorder="little")[: self._vocabulary].astype(bool)
        may[self._is_sign] = False
        return may

    def handy(self, may: Array) -> list[int]:
        """Return some of the tokens that may come, the likeliest to close something first."""
        found: list[int] = self._order[np.flatnonzero(may[self._order])[:TRIED]].tolist()
        return found

    def completes(self, matcher: Any, text: bytes) -> bool:
        """Return whether bytes make a text whole from where it is, which it stays."""
        tokens = self.tokens(text)
        taken = matcher.try_consume_tokens(tokens)
        is_whole = taken == len(tokens) and bool(matcher.is_accepting())
        matcher.rollback(taken)
        return is_whole


def _readable(text: str) -> str:
    """Return a stored tokenizer as llguidance reads it: it knows SentencePiece (T5, XLM-R, Marian) not by its name, but by what
    it does. What a guide spells is bytes as they are: no space is put before them, and none is taken away.
    """
    if '"Metaspace"' not in text:
        return text
    made: dict[str, Any] = json.loads(text)
    own = made.get("decoder") or {}
    if own.get("type") == "Metaspace":
        space = {"type": "Replace", "pattern": {"String": own.get("replacement", "▁")}, "content": " "}
        made["decoder"] = {"type": "Sequence", "decoders": [space, {"type": "ByteFallback"}, {"type": "Fuse"}]}
        made["normalizer"], made["pre_tokenizer"] = None, {**own, "prepend_scheme": "never"}
    return json.dumps(made, ensure_ascii=False)


def ending(matcher: Any, spelling: Spelling, most: int = MOST, known: bytes | None = None) -> bytes | None:
    """Return bytes that make a text whole; None where none were found that have at most so many tokens.

    :param known: what made it whole a token before: most often it still does, or a part of it.
    """
    found = _part(matcher, spelling, known) if known is not None else None
    if found is not None:
        return found
    for within in (most, *NEAR):
        found = _searched(matcher, spelling, min(most, within), PLACES, known)
        if found is not None or known is not None:
            break
    while found and known is None:
        shorter = _searched(matcher, spelling, spelling.count(found) // 2, PLACES // 4, None)
        if shorter is None:
            break
        found = shorter
    return found


def _part(matcher: Any, spelling: Spelling, known: bytes) -> bytes | None:
    """Return the longest rest of a known ending that makes a text whole."""
    for start in range(min(len(known), TRIED) + 1):
        if spelling.completes(matcher, known[start:]):
            return known[start:]
    return None


def _searched(matcher: Any, spelling: Spelling, most: int, places: int, known: bytes | None) -> bytes | None:
    """Look for an ending of at most so many tokens at so many places."""
    seen: set[tuple[int, int]] = set()
    stack = [(matcher.deep_copy(), b"", 0)]
    for _ in range(places):
        if not stack:
            return None
        here, path, depth = stack.pop()
        forced = spelling.tokens(bytes(here.compute_ff_bytes()))
        if forced and here.try_consume_tokens(forced) == len(forced):
            path, depth = path + b"".join(map(spelling.bytes_of, forced)), depth + len(forced)
        if depth > most:
            continue
        if here.is_accepting():
            return path
        if known is not None and path and (part := _part(here, spelling, known)) is not None:
            return path + part
        stack += _onwards(here, spelling, path, depth, seen)
    return None


def _onwards(here: Any, spelling: Spelling, path: bytes, depth: int, seen: set[tuple[int, int]]) -> list[tuple[Any, bytes, int]]:
    """Return the places after one, that which narrows the choice most last; none where one like it was seen as deep."""
    may = spelling.mask(here)
    mark = depth, hash(may.tobytes())
    if mark in seen:
        return []
    seen.add(mark)
    found = []
    for rank, token in enumerate(spelling.handy(may)):
        further = here.deep_copy()
        if further.consume_token(token):
            width = -1 if further.is_accepting() else int(spelling.mask(further).sum())
            found.append((width, rank, (further, path + spelling.bytes_of(token), depth + 1)))
    return [place for _, _, place in sorted(found, key=lambda one: one[:2], reverse=True)]

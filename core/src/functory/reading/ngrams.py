"""N-grams of words and of characters, as numbers: what a regression reads of texts that no backbone has read. No torch.

They are hashed (Weinberger et al. 2009), so that nothing is learned or kept to read a text. A hash is of all characters of an
n-gram, in lower case, and is got for all n-grams of many texts at once: sums of powers, of which two give that of what is between
(Karp and Rabin 1987).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from functory.contracts.rows import Array, Port
from functory.reading.mixing import mixed

Ints = NDArray[np.int64]
Codes = NDArray[np.uint64]
Texts = tuple[str, ...]
"""The texts of one input."""

NGRAMS = (Port("ngrams", "int64", ("ngrams",)), Port("ngram_weights", "float32", ("ngrams",)))
"""What a row holds for a head that reads n-grams: the hash of each, in 24 bits, and its weight. Padding weighs nothing.
Some engines compute with whole numbers as with float32, which has no more bits."""
MOST = 4096
"""n-grams of a row at most: of a longer text those that weigh most."""
WORDS, CHARACTERS = (1, 2), (2, 3, 4)
"""Of how many words, and of how many characters, n-grams are."""
_UNSPACED = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\U00020000-\U0003134f"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[^\w\s]")
"""A word is what letters and digits make; signs are words of their own, and so are characters that no spaces set apart."""
_SPACE = re.compile(r"\s")
_BASE = 0x9E3779B97F4A7C15
"""Odd, so that it has an inverse modulo 2⁶⁴."""
_INVERSE = pow(_BASE, -1, 1 << 64)


@dataclass(frozen=True)
class Grams:
    """The n-grams of some texts, each as often as it stands there.

    :param text: (grams,) which text each is of.
    :param start: (grams,) the character of that text where it begins.
    :param end: (grams,) the one after its last.
    :param code: (grams,) its hash, equal for equal n-grams of one kind.
    :param is_words: (grams,) whether it is of words, and not of characters.
    """

    text: Ints
    start: Ints
    end: Ints
    code: Codes
    is_words: NDArray[np.bool_]


def grams(texts: Sequence[str]) -> Grams:
    """Return the n-grams of texts, in no order."""
    lowered = [_lower(text) for text in texts]
    joined = _SPACE.sub(" ", "".join(f" {text} " for text in lowered))  # a blank at each end: n-grams tell where words end
    sizes = np.array([len(text) + 2 for text in lowered], dtype=np.int64)
    first = np.cumsum(sizes) - sizes  # (texts,) where each begins in the whole
    owner = np.repeat(np.arange(len(texts)), sizes)  # (characters,)
    words = _words(lowered, first)
    found = [*(_of_words(words, owner, n) for n in WORDS), *(_of_characters(owner, joined, n) for n in CHARACTERS)]
    start, end = (np.concatenate(ends) for ends in zip(*found, strict=True))
    lengths = [len(one) for one, _ in found]
    is_words = np.repeat(np.arange(len(found)) < len(WORDS), lengths)
    text = owner[start]
    place = first[text] + 1
    most = np.array([len(one) for one in texts], dtype=np.int64)[text]
    code = mixed(_hashes(joined, start, end) + is_words + np.uint64(_BASE))
    return Grams(text, np.maximum(start - place, 0), np.minimum(end - place, most), code, is_words)


Counted = tuple[Codes, Array]
"""The different n-grams of what a row is made of, in the order of their hashes, and the weight of each: (n-grams,) both."""


def counted(found: Grams, count: int) -> list[Counted]:
    """Return, for each of so many texts, its different n-grams and the weight of each, (n-grams,) both.

    A weight grows with the logarithm of how often it stands there; the weights of the n-grams of words make a vector of length
    1, and those of characters another.
    """
    order = np.lexsort((found.code, found.text))
    text, code, is_words = found.text[order], found.code[order], found.is_words[order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (text[1:] != text[:-1]) | (code[1:] != code[:-1])
    firsts = np.flatnonzero(is_new)
    times = np.diff(firsts, append=len(order))
    text, code, kind = text[firsts], code[firsts], is_words[firsts].astype(np.int64)
    weight = 1 + np.log(times)
    norms = np.sqrt(np.bincount(text * 2 + kind, weight**2, minlength=2 * count))
    weight = (weight / norms[text * 2 + kind]).astype(np.float32)
    cuts = np.cumsum(np.bincount(text, minlength=count))[:-1]
    return list(zip(np.split(code, cuts), np.split(weight, cuts), strict=True))


def ngrams_of(inputs: Sequence[Texts], *, is_symmetric: bool = False) -> list[Counted]:
    """Return the n-grams of inputs, each of one text or of several.

    Those of each of several texts are told apart, and beside them stand those that the first two share, and how much that is.

    :param is_symmetric: the order of the texts says nothing: their n-grams are not told apart.
    """
    found: list[Counted] = [_NOTHING] * len(inputs)
    for size in sorted({len(texts) for texts in inputs} - {0}):
        rows = [row for row, texts in enumerate(inputs) if len(texts) == size]
        sides = [counted(grams([inputs[row][place] for row in rows]), len(rows)) for place in range(size)]
        for row, parts in zip(rows, zip(*sides, strict=True), strict=True):
            found[row] = parts[0] if size == 1 else _together(parts, is_symmetric)
    return found


def _together(parts: Sequence[Counted], is_symmetric: bool) -> Counted:
    """Return the n-grams of several texts as those of one input."""
    shared, one, other = np.intersect1d(parts[0][0], parts[1][0], assume_unique=True, return_indices=True)
    least = np.minimum(parts[0][1][one], parts[1][1][other])
    overlap = (parts[0][1][one] * parts[1][1][other]).sum(keepdims=True)
    codes = [salted(code, 0 if is_symmetric else place + 1) for place, (code, _) in enumerate(parts)]
    code = np.concatenate([*codes, salted(shared, len(parts) + 1), _OVERLAP])
    unique, place = np.unique(code, return_inverse=True)
    weights = [weight for _, weight in parts]
    summed = np.bincount(place, np.concatenate([*weights, least, overlap]), minlength=len(unique))
    return unique, summed.astype(np.float32)


_NOTHING: Counted = (np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.float32))
_OVERLAP = np.zeros(1, dtype=np.uint64)
"""Stands among the n-grams of two texts for how much they share."""


@dataclass(frozen=True)
class Vocabulary:
    """The n-grams that a regression knows, and how rare each is.

    :param code: (known,) their hashes, ascending.
    :param rarity: (known,) the smoothed inverse document frequency (Spärck Jones 1972).
    """

    code: Codes
    rarity: Array

    @classmethod
    def of(cls, found: Sequence[Counted], most: int) -> Vocabulary:
        """Return those that stand in the most rows, so many at most."""
        code, rows = np.unique(np.concatenate([code for code, _ in found]), return_counts=True)
        chosen = np.sort(np.lexsort((code, -rows))[:most])
        rarity = np.log((1 + len(found)) / (1 + rows[chosen])) + 1
        return cls(code[chosen], rarity.astype(np.float32))

    def places(self, codes: Codes) -> tuple[Ints, NDArray[np.bool_]]:
        """Return the place of each n-gram among those known, and whether it is one, (n-grams,) both."""
        place = np.searchsorted(self.code, codes).clip(max=len(self.code) - 1)
        return place, self.code[place] == codes


def sparse(found: Counted) -> dict[str, Array]:
    """Return n-grams as the arrays of a row, those of `NGRAMS`."""
    code, weight = found
    if len(code) > MOST:
        kept = np.sort(np.lexsort((code, -weight))[:MOST])
        code, weight = code[kept], weight[kept]
    return {"ngrams": (code >> np.uint64(40)).astype(np.int64), "ngram_weights": weight}


def salted(code: Codes, salt: int) -> Codes:
    """Return hashes that are equal to no other salt's: of the n-grams of another text, say."""
    return mixed(code + np.uint64(salt) + np.uint64(_BASE)) if salt else code


def _lower(text: str) -> str:
    """Return a text in lower case, as long as it was."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(_lowered(text))


def _lowered(text: str) -> Iterable[str]:
    return (low if len(low := character.lower()) == 1 else character for character in text)


def _words(texts: Sequence[str], first: Ints) -> tuple[Ints, Ints]:
    """Return where the words of all texts begin and end in the whole, (words,) each."""
    spans: list[tuple[int, int]] = []
    places: list[int] = []
    for text, start in zip(texts, first.tolist(), strict=True):
        found = [match.span() for match in _WORD.finditer(text)]
        spans += found
        places += [start + 1] * len(found)
    at = np.array(spans, dtype=np.int64).reshape(-1, 2) + np.array(places, dtype=np.int64)[:, None]
    return at[:, 0], at[:, 1]


def _of_words(words: tuple[Ints, Ints], owner: Ints, n: int) -> tuple[Ints, Ints]:
    """Return where the n-grams of n words begin and end: words that follow one another in a text."""
    starts, ends = words
    first, last = starts[: len(starts) - n + 1], ends[n - 1 :]
    is_one = owner[first] == owner[last - 1] if len(first) else np.zeros(0, dtype=bool)
    return first[is_one], last[is_one]


def _of_characters(owner: Ints, joined: str, n: int) -> tuple[Ints, Ints]:
    """Return where the n-grams of n characters begin and end, none of them with two blanks side by side."""
    first = np.arange(max(0, len(owner) - n + 1))
    if not len(first):
        return first, first
    blank = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32) == ord(" ")
    twice = np.concatenate([[0], np.cumsum(blank[1:] & blank[:-1])])
    is_one = (owner[first] == owner[first + n - 1]) & (twice[first] == twice[first + n - 1])
    return first[is_one], first[is_one] + n


def _hashes(joined: str, start: Ints, end: Ints) -> Codes:
    """Return the hash of each stretch of a text, the same wherever it stands."""
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    powers, inverses = (_powers(base, len(codes)) for base in (_BASE, _INVERSE))
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed(codes + np.uint64(_BASE)) * powers)])
    return cast(Codes, (sums[end] - sums[start]) * inverses[start])


def _powers(base: int, count: int) -> Codes:
    """Return base⁰, base¹ … modulo 2⁶⁴, (count,)."""
    factors = np.full(count, base, dtype=np.uint64)
    factors[:1] = 1
    return np.multiply.accumulate(factors)

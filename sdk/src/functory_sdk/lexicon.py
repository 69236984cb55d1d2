"""How much of a query's words a text holds, by how rare they are: names and numbers, which vectors blur. No torch.

BM25 (Robertson and Zaragoza 2009, The Probabilistic Relevance Framework, section 3) as a share of what a text could have at
most, so that it lies from 0 to 1 whatever the query's length. The words of a call's own texts are in memory; those of a store's
passages in files.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zlib import crc32

import numpy as np

from functory.contracts.rows import Array
from functory_sdk.spans.scripts import UNSPACED

SATURATION, LENGTH = 1.2, 0.75
"""BM25's k₁ and b: how soon a word's further occurrences add nothing, and how much a long text's count less."""
MOST = 4096
"""Different words of one text at most, those that stand there most often."""
PARTS = 64
"""Files that words are sorted in while a folder is written."""
ENTRY = np.dtype([("code", "<u4"), ("text", "<u4"), ("times", "<u2")])
FILES = {"codes": "<u4", "starts": "<i8", "texts": "<u4", "times": "<u2", "lengths": "<u4"}
_WORD = re.compile(rf"(?P<unspaced>(?:(?!\W)[{UNSPACED}])+)|[^\W{UNSPACED}]+")


def terms(text: str) -> list[str]:
    """Return the words of a text, in lower case; of what is written without spaces each character, and each two side by side."""
    found: list[str] = []
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text).lower()):
        word = match.group()
        found += [*word, *map("".join, pairwise(word))] if match.lastgroup else [word]
    return found


def code(term: str) -> int:
    """Return a word's number, 32 bits: of a million different words one in some thousands has another's."""
    return crc32(term.encode("utf-8", "surrogatepass"))


def entries(texts: Sequence[str], first: int = 0) -> tuple[Array, Array]:
    """Return the different words of texts, (entries,) of `ENTRY`, and how many words each text has, (texts,).

    :param first: the number of the first text.
    """
    counts = [Counter(terms(text)) for text in texts]
    lengths = np.asarray([count.total() for count in counts], dtype=np.uint32)
    rows = ((code(term), first + place, min(times, 0xFFFF))
            for place, count in enumerate(counts) for term, times in count.most_common(MOST))  # fmt: skip
    return np.fromiter(rows, ENTRY), lengths


@dataclass(frozen=True)
class Words:
    """The words of many texts: for each of them, in which texts it stands, and how often.

    :param codes: (words,) their numbers, ascending.
    :param starts: (words + 1,) where the entries of each begin.
    :param texts: (entries,) in which text it stands, ascending for each word.
    :param times: (entries,) how often.
    :param lengths: (texts,) how many words each text has.
    """

    codes: Array
    starts: Array
    texts: Array
    times: Array
    lengths: Array

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Return the words of some texts, in memory."""
        found, lengths = entries(texts)
        codes, sizes, ordered = _ordered(found)
        return cls(codes, _starts([sizes]), ordered["text"], ordered["times"], lengths)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the words that `WordsWriter` wrote, mapped into memory."""
        return cls(*(_mapped(folder / file_of(name), kind) for name, kind in FILES.items()))

    def shares(self, queries: Sequence[str], start: int = 0, stop: int | None = None) -> Array:
        """Return how much of each query's words each text holds, (queries, texts) float32, from 0 to 1.

        :param start: the first text.
        :param stop: the one after the last.
        """
        stop = len(self.lengths) if stop is None else stop
        found = np.zeros((len(queries), stop - start), dtype=np.float32)
        ballast = SATURATION * (1 - LENGTH + LENGTH * self.lengths[start:stop] / max(1.0, self._mean))  # (texts,)
        for row, query in enumerate(queries):
            asked = np.unique(np.fromiter(map(code, terms(query)), np.uint32))
            begins, ends = self._entries(asked)
            rarity = self._rarity(ends - begins)
            weights = rarity / max(1e-9, rarity.sum())
            for begin, end, weight in zip(begins.tolist(), ends.tolist(), weights.tolist(), strict=True):
                first, last = begin + np.searchsorted(self.texts[begin:end], (start, stop))
                texts, times = self.texts[first:last].astype(np.int64) - start, self.times[first:last]
                found[row, texts] += weight * times / (times + ballast[texts])
        return found

    @property
    def _mean(self) -> float:
        return float(self.lengths.mean()) if len(self.lengths) else 0.0

    def _entries(self, codes: Array) -> tuple[Array, Array]:
        """Return where the entries of words begin and end, (words,) both; those of an unknown one end where they begin."""
        if not len(self.codes):
            return (np.zeros(len(codes), dtype=np.int64),) * 2
        place = np.searchsorted(self.codes, codes).clip(max=len(self.codes) - 1)
        begins = np.asarray(self.starts[place])
        return begins, np.where(self.codes[place] == codes, self.starts[place + 1], begins)

    def _rarity(self, having: Array) -> Array:
        """Return the weight of words that stand in so many texts, (words,): the less, the more."""
        weights: Array = np.log1p((len(self.lengths) - having + 0.5) / (having + 0.5))
        return weights


class WordsWriter:
    """Writes the words of more texts than memory holds into a folder, for `Words.read`: in parts, which are put in order at last.

    :param folder: that is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = self.words = self.entries = 0
        self._parts = [(folder / f"{part}.part").open("wb") for part in range(PARTS)]
        self._lengths = (folder / file_of("lengths")).open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._lengths, *self._parts):
            file.close()
        if error is None:
            self._order()

    def add(self, texts: Sequence[str]) -> None:
        """Write the words of the next texts."""
        found, lengths = entries(texts, self._count)
        self._count += len(texts)
        self._lengths.write(lengths.astype("<u4").tobytes())
        part = found["code"] // (2**32 // PARTS)
        for place in np.unique(part):
            self._parts[place].write(found[part == place].tobytes())

    def _order(self) -> None:
        """Write the words in their order, and remove the parts."""
        sizes = []
        with (
            (self._folder / file_of("codes")).open("wb") as codes,
            (self._folder / file_of("texts")).open("wb") as texts,
            (self._folder / file_of("times")).open("wb") as times,
        ):
            for file in (Path(part.name) for part in self._parts):
                own, counts, ordered = _ordered(np.fromfile(file, ENTRY))
                codes.write(own.astype("<u4").tobytes())
                texts.write(ordered["text"].astype("<u4").tobytes())
                times.write(ordered["times"].astype("<u2").tobytes())
                sizes.append(counts)
                file.unlink()
        self.words, self.entries = sum(map(len, sizes)), int(sum(one.sum() for one in sizes))
        _starts(sizes).astype("<i8").tofile(self._folder / file_of("starts"))


def file_of(name: str) -> str:
    """Return the file of one of `FILES`."""
    return f"{name}.words"


def bytes_of(texts: int, words: int, entries: int) -> dict[str, int]:
    """Return how long each of `FILES` is."""
    counts = {"codes": words, "starts": words + 1, "texts": entries, "times": entries, "lengths": texts}
    return {name: counts[name] * np.dtype(kind).itemsize for name, kind in FILES.items()}


def _ordered(found: Array) -> tuple[Array, Array, Array]:
    """Return different words, how many entries each has, and all entries in the words' order, those of a word in the texts'."""
    ordered = found[np.lexsort((found["text"], found["code"]))]
    codes, sizes = np.unique(ordered["code"], return_counts=True)
    return codes, sizes, ordered


def _starts(sizes: Iterable[Array]) -> Array:
    """Return where the entries of each word begin, and where those of the last end."""
    whole: Array = np.cumsum(np.fromiter(chain([0], *sizes), np.int64))
    return whole


def _mapped(file: Path, kind: str) -> Any:  # Any: numpy maps no empty file
    return np.memmap(file, kind, "r") if file.stat().st_size else np.zeros(0, dtype=kind)

"""Which tokens would put a phrase into a text that must not stand in it, whatever tokens it is spelled with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory.contracts.controlling import LETTER, stands
from functory.contracts.rows import Array
from functory.reading.stopping import UNFINISHED
from functory.reading.tokenizer import Tokenizer
from functory_sdk.writes.controls.pieces import Pieces, folded, is_border, places


class Bars:
    """Phrases that must not stand in a text. One that a token completes stands there, whatever might come after it.

    :param phrases: none of them empty.
    """

    def __init__(self, phrases: Sequence[str], tokenizer: Tokenizer, pieces: Pieces) -> None:
        self._tokenizer, self._pieces = tokenizer, pieces
        self._begun: dict[str, list[str]] = {}
        """What phrases begin with, but for their last character → the phrases."""
        self._beyond = [one for one in phrases if not one.isascii()]
        """Those whose characters may be parted by tokens."""
        self._within: Array = np.zeros(len(pieces), dtype=bool)  # whatever stands before
        self._whole: Array = np.zeros(len(pieces), dtype=bool)  # at a word's beginning
        for phrase in map(folded, phrases):
            self._within[[one for text, one in pieces.folded.holding(phrase) if any(places(phrase, text)[:2])]] = True
            (self._whole if LETTER.match(phrase[0]) else self._within)[self._ending(phrase, phrase)] = True
            for size in range(1, len(phrase)):
                self._begun.setdefault(phrase[:size], []).append(phrase)
        self._longest = max(map(len, self._begun), default=0)
        self._parts = np.flatnonzero(pieces.is_part).tolist()

    def after(self, written: Sequence[int], text: str) -> Array:
        """Return the tokens that may not come, (vocabulary,) bool.

        :param text: of the tokens so far.
        """
        end = folded(text[-self._longest - 1 :])
        found = self._within.copy() if LETTER.match(end[-1:]) else self._within | self._whole
        for size in range(1, min(self._longest, len(end)) + 1):
            begun, before = end[-size:], end[-size - 1 : -size]
            for phrase in self._begun.get(begun, ()):
                if is_border(before, phrase[0]):
                    found[self._ending(phrase, phrase[size:])] = True
        if self._beyond and UNFINISHED in text[-1:]:
            found[[one for one in self._parts if self._spells([*written, one])]] = True
        return found

    def _ending(self, phrase: str, rest: str) -> list[int]:
        """Return the tokens that begin with the rest of a phrase, and end a word with it."""
        some = self._pieces.folded.beginning(rest)
        return [one for text, one in some if is_border(phrase[-1], text[len(rest) :][:1])]

    def _spells(self, tokens: Sequence[int]) -> bool:
        text = self._tokenizer.text(tokens).rstrip(UNFINISHED)
        return any(stands(one, text) for one in self._beyond)


class Cuts:
    """Stop strings: the tokens after which a text would be cut off.

    :param stops: none of them empty.
    """

    def __init__(self, stops: Sequence[str], pieces: Pieces) -> None:
        self._stops, self._pieces = stops, pieces
        self._within: Array = np.zeros(len(pieces), dtype=bool)
        for stop in stops:
            self._within[[one for _, one in pieces.exact.holding(stop)]] = True

    def after(self, text: str) -> Array:
        """Return the tokens with which a stop string stands in a text, (vocabulary,) bool."""
        found = self._within.copy()
        for stop in self._stops:
            for size in range(1, min(len(stop) - 1, len(text)) + 1):
                if text.endswith(stop[:size]):
                    found[[one for _, one in self._pieces.exact.beginning(stop[size:])]] = True
        return found

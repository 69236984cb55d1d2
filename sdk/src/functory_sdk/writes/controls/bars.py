"""Which tokens would put a phrase into a text that must not stand in it, whatever tokens it is spelled with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functory.contracts.controlling import stands
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
        self._folded = [folded(one) for one in phrases]
        self._beyond = [one for one in phrases if not one.isascii()]
        """Those whose characters may be parted by tokens."""
        self._within: Array = np.zeros(len(pieces), dtype=bool)  # whatever stands before
        for phrase in self._folded:
            self._within[[one for text, one in pieces.folded.holding(phrase) if any(places(phrase, text)[:2])]] = True
        self._parts = np.flatnonzero(pieces.is_part).tolist()

    def after(self, written: Sequence[int], text: str) -> Array:
        """Return the tokens that may not come, (vocabulary,) bool.

        :param text: of the tokens so far.
        """
        found, end = self._within.copy(), folded(text)
        for phrase in self._folded:
            found[self._completing(phrase, end)] = True
        if self._beyond and UNFINISHED in text[-1:]:
            found[[one for one in self._parts if self._spells([*written, one])]] = True
        return found

    def _completing(self, phrase: str, end: str) -> list[int]:
        """Return the tokens that end a phrase of which a text has the beginning, or nothing yet."""
        found = []
        for size in range(min(len(phrase) - 1, len(end)) + 1):
            before = end[: len(end) - size]
            if end.endswith(phrase[:size]) and is_border(before[-1:], phrase[0]):
                rest = phrase[size:]
                some = self._pieces.folded.beginning(rest)
                found += [one for text, one in some if is_border(phrase[-1], text[len(rest) :][:1])]
        return found

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

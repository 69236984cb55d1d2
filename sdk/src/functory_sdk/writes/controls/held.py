"""Holds a text to its control, token by token: what may come, what is wanted, and how it ends while there is room for that.

Nothing is read from outside the text: its tokens say all, so that it is the same alone and in any batch.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from functory.contracts.controlling import Control, Range
from functory.contracts.decoding import SURE, Steer, Steered
from functory.contracts.rows import Array
from functory.errors import OptionError
from functory.reading.sentences import sentence_spans
from functory.reading.stopping import UNFINISHED
from functory.reading.tokenizer import Tokenizer
from functory_sdk.writes.controls.bars import Bars, Cuts
from functory_sdk.writes.controls.closings import closing
from functory_sdk.writes.controls.faults import faults, missing
from functory_sdk.writes.controls.pieces import Pieces, is_ended, is_word_open, pieces_of
from functory_sdk.writes.controls.pulls import Pulls
from functory_sdk.writes.metrics import word_count

SPARE = 6
"""Tokens that are kept free besides those of an ending: the next token may make it longer."""
NEAR_WORDS, NEAR_CHARACTERS = 8, 40
"""Room for a further sentence: with less of it a text ends where a sentence does."""
MARKED = 8.0
"""The most that is added to the scores of a sentence's marks, where room runs out."""
KEPT = 1024
"""Beginnings of texts of which is kept how they end."""
OPEN = "ꙮ"
"""A letter that no phrase ends with: what it stands after may go on."""
CALM = 0.8
"""By this part of a text, all that is wanted should stand in it."""


@dataclass(frozen=True)
class Room:
    """How much more a text may have."""

    words: float = math.inf
    characters: float = math.inf
    sentences: float = math.inf

    @property
    def is_short(self) -> bool:
        """Whether no further sentence fits."""
        return self.words < NEAR_WORDS or self.characters < NEAR_CHARACTERS or self.sentences <= 0


class Held(Steer):
    """One request's texts under a control.

    :param most: how many tokens a text may have.
    :param stop_ids: the tokens that end it.
    :param stops: texts at which it would be cut off: they come only where it is whole.
    :raises OptionError: where no text of so many tokens meets the control.
    """

    def __init__(
        self, control: Control, tokenizer: Tokenizer, vocabulary: int, most: int, stop_ids: frozenset[int],
        stops: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._control, self._tokenizer, self._most = control, tokenizer, most
        self._pieces: Pieces = pieces_of(tokenizer, vocabulary)
        self._bars = Bars(control.must_not, tokenizer, self._pieces)
        self._pulls = Pulls(control.must, tokenizer)
        self._cuts = Cuts(stops, self._pieces)
        self._ends = sorted(stop_ids)
        self._spare = SPARE + max((len(one) for one in tokenizer.writer.tokens(list(control.must))), default=0)
        self._endings: OrderedDict[tuple[int, ...], tuple[int, ...]] = OrderedDict()
        self._lock = Lock()
        self._far = self._check() + 2 * self._spare

    def _check(self) -> int:
        """Return how many tokens an ending has where nothing is written yet."""
        ending = self._found(())
        if ending is None:
            raise OptionError(
                "no text that this backbone can spell was found to meet the control: what it says does not go together.",
                do="leave out a word that must or must not stand in it, or allow another length.", field="control",
            )  # fmt: skip
        if len(ending) > self._most:
            raise OptionError(
                f"max_new_tokens = {self._most} is too few: the shortest text that was found for this control has {len(ending)} "
                "tokens.", do=f"set max_new_tokens to {len(ending)} or, for a text that reads well, to far more.",
                field="max_new_tokens",
            )  # fmt: skip
        return len(ending)

    def __call__(self, written: Sequence[int], scores: Array) -> Steered:
        tokens = tuple(written)
        ending = self._ending(tokens)
        if not ending:
            may, wanted = self._next(tokens)
            found = np.where(may, scores, -np.inf).astype(np.float32)
            for token, more in wanted.items():
                found[token] += more
            if np.isfinite(found).any():
                return Steered(found)
            ending = self._keep(tokens, self._found(tokens) or tuple(self._ends[:1]))
        return Steered(np.where(np.arange(len(scores)) == ending[0], np.float32(0), -np.inf).astype(np.float32), SURE)

    # -- how a text ends in time ------------------------------------------------------------------------

    def _ending(self, tokens: tuple[int, ...]) -> tuple[int, ...]:
        """Return the tokens that a text must end with from here, because there is no room for others; none where it is free."""
        with self._lock:
            before = self._endings.get(tokens[:-1]) if tokens else None
        if before is not None and before[:1] == tokens[-1:]:
            return self._keep(tokens, before[1:])
        left = self._most - len(tokens)
        if left > self._far:
            return ()
        text, found = self._text(tokens), self._found(tokens)
        if found is None or left > len(found) + (self._spare if UNFINISHED not in text[-1:] else 0):
            return ()
        if not self._control.has_length and not faults(self._control, text) and (left > 1 or not self._control.must):
            return ()  # it may go on; by its last token alone, a word that it ends with might become another
        return self._keep(tokens, found)

    def _keep(self, tokens: tuple[int, ...], ending: tuple[int, ...]) -> tuple[int, ...]:
        with self._lock:
            self._endings[tokens] = ending
            while len(self._endings) > KEPT:
                self._endings.popitem(last=False)
        return ending

    def _found(self, tokens: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return tokens that end a text so that its control holds, that which ends it included; None where none were found."""
        end = closing(self._control, self._text(tokens))
        if end is None:
            return None
        ids = tuple(self._tokenizer.writer.tokens([end])[0].ids.tolist()) if end else ()
        is_whole = not faults(self._control, self._text((*tokens, *ids)))
        return (*ids, *self._ends[:1]) if is_whole else None

    # -- what may come next -----------------------------------------------------------------------------

    def _next(self, tokens: tuple[int, ...]) -> tuple[Array, dict[int, float]]:
        """Return which tokens may come, (vocabulary,) bool, and what is added to the scores of which."""
        text = self._text(tokens)
        room, lacking = self._room(text), missing(self._control, text)
        is_whole = not faults(self._control, text)
        may = ~self._bars.after(tokens, text)
        self._measure(may, text, room, self._needed(text))
        if not is_whole:
            may &= ~self._cuts.after(text)
        may[self._ends] = is_whole
        wanted = self._pulls.towards(lacking, tokens, text, self._gone(tokens, text))
        if not lacking and self._control.has_length:
            self._towards_the_end(may, wanted, text, room, is_whole=is_whole)
        return may, wanted

    def _needed(self, text: str) -> tuple[int, int]:
        """Return the words and the characters that what is missing takes; what ends a text may become another word yet."""
        lacking = missing(self._control, text + OPEN)
        mark = 2 if self._control.has_length or lacking else 0
        return sum(map(word_count, lacking)), sum(len(one) + 1 for one in lacking) + mark

    def _measure(self, may: Array, text: str, room: Room, needed: tuple[int, int]) -> None:
        """Leave out what would make a text too long for all that it must still hold.

        :param needed: words and characters.
        """
        pieces = self._pieces
        if room.words < math.inf:
            words = room.words - needed[0]
            may &= pieces.words - (pieces.goes_on & is_word_open(text)) <= words
            may &= ~pieces.is_part | (words > 0)
        if room.characters < math.inf:
            may &= pieces.characters <= room.characters - needed[1]
        if room.sentences <= 0 and is_ended(text):
            may &= pieces.is_closing if text[-1:].isspace() or text.rstrip()[-1:] in "。！？｡" else ~pieces.is_spaced

    def _towards_the_end(self, may: Array, wanted: dict[int, float], text: str, room: Room, *, is_whole: bool) -> None:
        """End a text whose last sentence is at its end where no further one fits; else let it come to an end."""
        if not room.is_short:
            return
        if is_whole:
            ends = may[self._ends].copy()
            may &= self._pieces.is_closing
            may[self._ends] = ends
        share = min(room.words / NEAR_WORDS, room.characters / NEAR_CHARACTERS)
        if share < 1 and not is_ended(text):
            wanted |= dict.fromkeys(np.flatnonzero(self._pieces.is_mark & may).tolist(), MARKED * (1 - share))

    def _room(self, text: str) -> Room:
        def left(wanted: Range | None, count: int) -> float:
            return math.inf if wanted is None or wanted[1] is None else wanted[1] - count

        own = self._control
        sentences = len(sentence_spans(text)) if own.sentences else 0
        return Room(left(own.words, word_count(text)), left(own.characters, len(text)), left(own.sentences, sentences))

    def _gone(self, tokens: tuple[int, ...], text: str) -> float:
        """Return how much of a text is written, by whichever there is least of."""
        control = self._control
        shares = [len(tokens) / self._most]
        for wanted, count in ((control.words, word_count(text)), (control.characters, len(text))):
            shares += [count / wanted[1]] if wanted is not None and wanted[1] else []
        return min(1.0, max(shares) / CALM)

    def _text(self, tokens: Sequence[int]) -> str:
        return self._tokenizer.text(tokens)

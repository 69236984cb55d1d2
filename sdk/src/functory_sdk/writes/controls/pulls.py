"""What is wanted of a text becomes likelier, the more the later, so that it comes where it fits and not where the text runs out.

After Pascual et al. 2021 (K2T), who shift scores likewise, by how near a word is; here the word itself is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence

from functory.contracts.controlling import LETTER
from functory.reading.tokenizer import Tokenizer
from functory_sdk.writes.controls.pieces import ends_sentence

FIRST = 2.0
"""What is added to the score of a phrase's first token where a text begins."""
GROWN = 10.0
"""By how much that grows until the phrase should stand in the text."""
WITHIN = 8.0
"""What is added to the scores of its further tokens besides."""

Spelling = tuple[int, ...]


class Pulls:
    """Phrases that are wanted, as a tokenizer spells them.

    :param phrases: none of them empty.
    """

    def __init__(self, phrases: Sequence[str], tokenizer: Tokenizer) -> None:
        self._bare = {phrase: _spellings(phrase, tokenizer, "") for phrase in phrases}
        self._apart = {phrase: _spellings(phrase, tokenizer, "a ") for phrase in phrases}

    def towards(self, phrases: Sequence[str], written: Sequence[int], text: str, gone: float) -> dict[int, float]:
        """Return what is added to the scores of which tokens.

        :param phrases: those that are missing.
        :param text: of the tokens so far.
        :param gone: how much of the text is written, 0 to 1.
        """
        found: dict[int, float] = {}
        more = FIRST + GROWN * gone
        for phrase in phrases:
            spellings = (*self._bare[phrase], *self._apart[phrase])
            further = {one[begun] for one in spellings if (begun := _begun(one, written))}
            first = {one[0] for one in self._beginning(phrase, text)}
            found |= dict.fromkeys(further, more + WITHIN) if further else dict.fromkeys(first, more)
        return found

    def _beginning(self, phrase: str, text: str) -> Sequence[Spelling]:
        """Return how a phrase may begin after a text: with a capital where a sentence does."""
        is_apart = bool(text) and not text[-1].isspace() and LETTER.match(phrase[0]) is not None
        some = (self._apart if is_apart else self._bare)[phrase]
        return some if not text.strip() or ends_sentence(text) else some[:1]


def _spellings(phrase: str, tokenizer: Tokenizer, before: str) -> list[Spelling]:
    """Return the tokens of a phrase after a text, as it is and with a capital."""
    [start] = tokenizer.writer.tokens([before.rstrip()])
    forms = dict.fromkeys((phrase, phrase[:1].upper() + phrase[1:]))
    read = tokenizer.writer.tokens([before + form for form in forms])
    return [tuple(one.ids[len(start) :].tolist()) for one in read if len(one) > len(start)]


def _begun(spelling: Spelling, written: Sequence[int]) -> int:
    """Return how many of a spelling's tokens a text ends with, but not all."""
    most = min(len(spelling) - 1, len(written))
    return next((size for size in range(most, 0, -1) if tuple(written[-size:]) == spelling[:size]), 0)

"""What each token of a vocabulary adds to a text: letters, words, the rest of a phrase."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import accumulate

import numpy as np

from functory.contracts.controlling import LETTER
from functory.contracts.rows import Array
from functory.reading.sentences import sentence_spans
from functory.reading.stopping import UNFINISHED
from functory.reading.tokenizer import Tokenizer
from functory_sdk.writes.metrics import WORDS, word_count

BETWEEN = "\0"
"""Stands between the texts of tokens, where all are looked through at once."""
KEPT = 8
"""Vocabularies that are kept."""
MARKS = ".!?…。！？｡"
"""What a sentence ends with."""
CLOSING = "\"'”’»)]」』）】》〉"
"""What may stand after it and belongs to it."""


def folded(text: str) -> str:
    """Return a text as phrases are looked for in it: small letters, and white space as a space, one for one."""
    return "".join(" " if one.isspace() else one for one in text.casefold())


class Pieces:
    """The texts of a vocabulary's tokens, as they stand within a text.

    :param vocabulary: how many tokens have a score.

    ``words``, ``characters`` (vocabulary,) int count what each adds by itself; ``goes_on`` says where it begins within a word,
    ``is_part`` where it holds a part of a character, ``is_closing`` where it may stand after a sentence that is at its end.
    """

    def __init__(self, tokenizer: Tokenizer, vocabulary: int) -> None:
        [before] = tokenizer.tokens(["a"])
        first = before.ids.tolist()
        start = len(tokenizer.text(first))  # a token alone may lose the space before it
        self.texts = [tokenizer.text([*first, one])[start:] for one in range(vocabulary)]
        self.is_part: Array = np.asarray([UNFINISHED in text for text in self.texts])
        self.words: Array = np.asarray([word_count(text) for text in self.texts])
        self.characters: Array = np.asarray([len(text) for text in self.texts])
        self.goes_on: Array = np.asarray([is_within_word(text[:1]) for text in self.texts])
        self.is_closing: Array = np.asarray([bool(text) and all(one in CLOSING for one in text) for text in self.texts])
        self.is_spaced: Array = np.asarray([text[:1].isspace() for text in self.texts])
        self.is_mark: Array = np.asarray([ends_sentence(text) for text in self.texts])

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def folded(self) -> Index:
        """The pieces as phrases are looked for in them."""
        return Index([folded(text) for text in self.texts])

    @cached_property
    def exact(self) -> Index:
        """The pieces as they are."""
        return Index(self.texts)


class Index:
    """The tokens by the beginnings of their texts.

    :param texts: of all tokens.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._sorted = sorted((text, one) for one, text in enumerate(texts) if text)
        self._keys = [text for text, _ in self._sorted]
        self._joined = BETWEEN.join(self._keys)
        self._starts = [0, *accumulate(len(text) + 1 for text in self._keys)]

    def beginning(self, rest: str) -> list[tuple[str, int]]:
        """Return the tokens that begin with a text that is not empty, each with its own text."""
        found, place = [], bisect_left(self._keys, rest)
        while place < len(self._keys) and self._keys[place].startswith(rest):
            found.append(self._sorted[place])
            place += 1
        return found

    def holding(self, part: str) -> list[tuple[str, int]]:
        """Return the tokens that a text stands in, each with its own text."""
        if BETWEEN in part:
            return [one for one in self._sorted if part in one[0]]
        found, place = dict[int, None](), self._joined.find(part)
        while place >= 0:
            found[bisect_right(self._starts, place) - 1] = None
            place = self._joined.find(part, place + 1)
        return [self._sorted[one] for one in found]


@lru_cache(KEPT)
def pieces_of(tokenizer: Tokenizer, vocabulary: int) -> Pieces:
    """Return the pieces of a vocabulary; made once."""
    return Pieces(tokenizer, vocabulary)


def places(phrase: str, text: str) -> list[int]:
    """Return where a folded phrase stands in a folded text, as words of its own where a script has spaces."""
    found, place = [], text.find(phrase)
    while place >= 0:
        if is_border(text[place - 1 : place], phrase[0]) and is_border(phrase[-1], text[place + len(phrase) :][:1]):
            found.append(place)
        place = text.find(phrase, place + 1)
    return found


def is_border(one: str, other: str) -> bool:
    """Return whether a word may end between two characters, of which either may be nothing."""
    return not (LETTER.match(one) and LETTER.match(other))


def is_within_word(text: str) -> bool:
    """Return whether a character goes on with a word that stands before it, as words are counted."""
    return bool(WORDS.match(text)) and not "一" <= text <= "鿿"


def is_word_open(text: str) -> bool:
    """Return whether the last word of a text may go on."""
    return is_within_word(text[-1:])


def ends_sentence(text: str) -> bool:
    """Return whether a text ends with a sentence's mark, and what closes it."""
    return text.rstrip().rstrip(CLOSING)[-1:] in set(MARKS)


def is_ended(text: str) -> bool:
    """Return whether the last sentence of a text is at its end: after 'Mr.' it is not."""
    bare = text.rstrip()
    return ends_sentence(bare) and len(sentence_spans(f"{bare} X")) > len(sentence_spans(bare))

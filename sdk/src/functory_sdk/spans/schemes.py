"""Schemes of tags: how the tags of one label tell where a stretch begins, goes on and ends.

Apart from `functory_sdk.tags`, which reads tags of any scheme without being told which: here a head is taught in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from functory.contracts.rows import Array

SchemeName = Literal["IO", "IOB1", "IOB2", "BIOES", "BMEWO", "BILOU", "BMES", "BI"]


@dataclass(frozen=True)
class Scheme:
    """The letters of a label's tags, by their place in a stretch.

    Tags are numbered: 0 for O, where there is one; then, label by label, one for each letter.

    :param first: of the first of several; `inside`, `last` and `alone` likewise.
    :param beside: of the first, where the stretch before has the same label and ends here; `first` where empty.
    :param is_strict: whether what is inside must follow its own beginning: another row of tags is none.
    :param has_outside: whether there is an O.
    """

    first: str
    inside: str
    last: str
    alone: str
    beside: str = ""
    is_strict: bool = True
    has_outside: bool = True

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """The letters, each once, in the order of the tags' numbers."""
        return tuple(dict.fromkeys([*self.beside, self.first, self.inside, self.last, self.alone]))

    @property
    def outside(self) -> int:
        """How many tags come before the labels': one, or none."""
        return int(self.has_outside)

    @property
    def is_closed(self) -> bool:
        """Whether a tag says that a stretch ends."""
        return self.last != self.inside

    @property
    def going_on(self) -> list[int]:
        """The letters, by their places, that go on with a stretch."""
        return sorted({self.letters.index(letter) for letter in (self.inside, self.last)})

    @property
    def open(self) -> list[int]:
        """The letters, by their places, after which a stretch may go on."""
        return sorted({self.letters.index(letter) for letter in (self.first, self.inside)})

    def tags(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return all tags in the order of their numbers."""
        named = (f"{letter}-{label}" for label in labels for letter in self.letters)
        return ("O", *named) if self.has_outside else tuple(named)

    def written(self, count: int, label: int, *, is_beside: bool = False) -> list[int]:
        """Return the tags of a stretch of so many units, by their numbers.

        :param is_beside: whether the unit before ends a stretch of the same label.
        """
        first = self.beside if is_beside and self.beside else self.first
        alone = self.beside if is_beside and self.beside else self.alone
        letters = [alone] if count == 1 else [first, *[self.inside] * (count - 2), self.last]
        return [self.outside + label * len(self.letters) + self.letters.index(letter) for letter in letters]

    def parted(self, path: Array) -> tuple[Array, Array]:
        """Return for each tag of a row its label, -1 for O, and its letter, both by number, (units,)."""
        shifted = np.asarray(path) - self.outside
        count = len(self.letters)
        return np.where(shifted < 0, -1, shifted // count), np.where(shifted < 0, -1, shifted % count)

    def goes_on(self, path: Array) -> Array:
        """Return which units of a row of tags go on with the stretch before, (units,) bool."""
        label, letter = self.parted(path)
        before, letter_before = np.concatenate([[-1], label[:-1]]), np.concatenate([[-1], letter[:-1]])
        follows: Array = (label >= 0) & (label == before) & np.isin(letter, self.going_on)
        return follows & np.isin(letter_before, self.open) if self.is_closed else follows

    def is_legal(self, path: Array) -> bool:
        """Whether a row of tags is one: what is inside follows its own beginning and, in a closed scheme, ends."""
        if not self.is_strict or not len(path):
            return True
        label, letter = self.parted(path)
        goes_on = self.goes_on(path)
        begins_inside = (label >= 0) & np.isin(letter, self.going_on) & ~goes_on
        if not self.is_closed:
            return not begins_inside.any()
        is_open = (label >= 0) & np.isin(letter, self.open)
        return not begins_inside.any() and bool((~is_open | np.append(goes_on[1:], False)).all())


SCHEMES: dict[str, Scheme] = {
    "IO": Scheme("I", "I", "I", "I", is_strict=False),
    "IOB1": Scheme("I", "I", "I", "I", beside="B", is_strict=False),
    "IOB2": Scheme("B", "I", "I", "B"),
    "BIOES": Scheme("B", "I", "E", "S"),
    "BMEWO": Scheme("B", "M", "E", "W"),
    "BILOU": Scheme("B", "I", "L", "U"),
    "BMES": Scheme("B", "M", "E", "S", has_outside=False),
    "BI": Scheme("B", "I", "I", "B", has_outside=False),
}
"""The schemes in which a head may be taught. BMES and BI, without an O, are for words that make up all of a text."""

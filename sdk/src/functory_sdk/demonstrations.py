"""Examples that stand before a prompt, as a formulation puts them there: all, or those that are nearest to what is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from functory.contracts.rows import Array
from functory.contracts.shown import Shown
from functory.errors import OptionError
from functory.reading.prompts import Frame, Prompt
from functory.reading.reader import Reader

SHARE = 0.5
"""The part of the context that examples may fill together: longer texts of theirs are cut."""
BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class Demonstration:
    """An example as it is shown.

    :param frame: what stands around its texts.
    :param texts: in the order of the frame's fields.
    :param answer: what is written after them.
    """

    frame: Frame
    texts: tuple[str, ...]
    answer: str


class Demonstrations:
    """The examples of a state, put before prompts.

    :param shown: what the state says; None where nothing is shown.
    :param told: how an example, as plain data, is shown.
    :raises OptionError: where what stands around their texts leaves these no room.
    """

    def __init__(
        self, shown: Shown | None, reader: Reader, told: Callable[[Mapping[str, Any]], Demonstration]
    ) -> None:
        self.shown = shown or Shown()
        self._reader = reader
        found = [told(example) for example in self.shown.examples]
        self._ids = _ids(reader, [" ".join(one.texts) for one in found]) if self.shown.nearest else []
        self._rarity = _rarity(self._ids)
        self._written = self._cut(found)

    def prompts(self, texts: Sequence[tuple[str, ...]], frame: Frame, *, spare: int) -> list[Prompt]:
        """Read texts into a frame, after the examples that are shown to them.

        :param spare: as `Reader.prompts` has it.
        :raises TooLong: likewise; OptionError: likewise.
        """
        if not self.shown.nearest:
            return self._reader.prompts(texts, _after(self._written, frame), spare=spare)
        asked = _ids(self._reader, [" ".join(one) for one in texts])
        found = []
        for text, own in zip(texts, asked, strict=True):
            near = _after([self._written[place] for place in self._nearest(own)], frame)
            found += self._reader.prompts([text], near, spare=spare)
        return found

    def written(self, texts: Sequence[tuple[str, ...]]) -> list[str]:
        """Return, for each text, the examples that are shown to it, as a text of their own."""
        if not self.shown.nearest:
            return [BETWEEN.join(self._written)] * len(texts)
        asked = _ids(self._reader, [" ".join(one) for one in texts])
        return [BETWEEN.join(self._written[place] for place in self._nearest(own)) for own in asked]

    def _nearest(self, own: Counter[int]) -> list[int]:
        """Return which examples are nearest, the nearest last; of those that are as near, the first comes last."""
        likeness = [sum(self._rarity[one] for one in own if one in other) / (1 + len(other)) ** 0.5 for other in self._ids]
        order = sorted(range(len(likeness)), key=lambda place: (-likeness[place], place))
        return order[: self.shown.nearest][::-1]

    def _cut(self, found: Sequence[Demonstration]) -> list[str]:
        """Return the examples as text, each text of theirs cut to what it may take of the context."""
        if not found:
            return []
        count, texts = self.shown.nearest or len(found), max(len(one.texts) for one in found)
        bare = self._reader.tokenizer.tokens([_told(one, [""] * len(one.texts)) + BETWEEN for one in found])
        room = (int(SHARE * self._reader.max_tokens) // count - max(map(len, bare))) // texts
        if room < 1:
            raise OptionError(
                f"{count} examples are shown, and half of the context of {self._reader.max_tokens} tokens holds no word of each.",
                do="show fewer (adaptation.demonstrations), shorten the prompt, or take a backbone with a longer context.",
            )
        flat = [text for one in found for text in one.texts]
        short = iter(_shortened(self._reader, flat, room))
        return [_told(one, [next(short) for _ in one.texts]) for one in found]


def _after(written: Sequence[str], frame: Frame) -> Frame:
    """Return a frame that comes after examples."""
    if not written:
        return frame
    before = "".join(f"{one}{BETWEEN}" for one in written)
    return Frame((before + frame.pieces[0], *frame.pieces[1:]), frame.fields, frame.is_chat)


def _told(one: Demonstration, texts: Sequence[str]) -> str:
    """Return an example with its answer."""
    pieces = [one.frame.pieces[0], *(f"{text}{piece}" for text, piece in zip(texts, one.frame.pieces[1:], strict=True))]
    return "".join(pieces) + one.answer


def _shortened(reader: Reader, texts: Sequence[str], room: int) -> list[str]:
    """Return texts of so many tokens at most."""
    read = reader.tokenizer.tokens(texts)
    return [
        text if len(tokens) <= room else reader.tokenizer.text(tokens.ids[:room].tolist()).rstrip("\ufffd")
        for text, tokens in zip(texts, read, strict=True)
    ]


def _ids(reader: Reader, texts: Sequence[str]) -> list[Counter[int]]:
    """Return the tokens of texts, counted."""
    found: Sequence[Array] = [tokens.ids for tokens in reader.tokenizer.tokens(texts)]
    return [Counter(ids.tolist()) for ids in found]


def _rarity(ids: Sequence[Counter[int]]) -> dict[int, float]:
    """Return for each token of some texts how rare it is among them, the logarithm of all texts to those that have it."""
    having = Counter(one for own in ids for one in own)
    return {one: log((1 + len(ids)) / count) for one, count in having.items()}

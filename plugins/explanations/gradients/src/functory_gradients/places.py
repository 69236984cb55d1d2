"""Which characters of the input each token of each row stands for."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from functory_sdk import Function, texts_of, with_texts


@dataclass(frozen=True, slots=True)
class Place:
    """Characters of one text of an input, which its path names."""

    field: str
    start: int
    end: int


class Marked(str):
    """A text of the input that knows its path, so that it is known again among the texts that a formulation reads.

    By what it says it were not: two texts of an input may be alike, and so may a text and a piece of a prompt.
    """

    __slots__ = ("path",)
    path: str

    @classmethod
    def of(cls, path: str, text: str) -> Marked:
        """Return a text with its path."""
        made = cls(text)
        made.path = path
        return made


class PlacingTokenizer:
    """The function's tokenizer, but the ids of the input's own texts say where they stand: -1 the first place, -2 the next.

    Formulations put ids together, cut them into windows and set prompts around them; places go along unharmed.
    Looking for a text's ids in a row would not do: windows repeat what others hold, and two texts share phrases.

    :param unmarked: texts that lost their mark on the way, and are known by what they say, each with its paths.
    """

    def __init__(self, tokenizer: Any, unmarked: Mapping[str, str]) -> None:
        self._tokenizer = tokenizer
        self._unmarked: dict[str, deque[str]] = {}
        for path, text in unmarked.items():
            self._unmarked.setdefault(str(text), deque()).append(path)
        self.places: list[Place] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def tokens(self, texts: Sequence[str], *, reads_special: bool = False) -> list[Any]:
        """Return the tokens of each text, those of the input's own with places for ids."""
        read = self._tokenizer.tokens([str(text) for text in texts], reads_special=reads_special)
        return [self._placed(self._path(text), tokens) for text, tokens in zip(texts, read, strict=True)]

    def _path(self, text: str) -> str | None:
        if isinstance(text, Marked):
            return text.path
        if paths := self._unmarked.get(text):
            paths.rotate(-1)  # equal texts are read in their order
            return paths[-1]
        return None

    def _placed(self, path: str | None, tokens: Any) -> Any:
        if path is None:
            return tokens
        first = len(self.places)
        self.places += [Place(path, int(start), int(end)) for start, end in tokens.offsets]
        return replace(tokens, ids=-1 - np.arange(first, len(self.places)))


def places_of(function: Function, value: Any) -> list[list[Place | None]]:
    """Return, for each row of an input and each of its tokens, the place it stands for; None for a special token.

    Of stacked texts the tokens come one text's after another's, with what pads them.
    """
    texts = texts_of(value)
    marked = with_texts(value, {path: Marked.of(path, text) for path, text in texts.items()})
    found = _places(function, marked, {})
    read = {place.field for row in found for place in row if place}
    lost = {path: text for path, text in texts.items() if path not in read and text.strip()}
    return _places(function, marked, lost) if lost else found


def _places(function: Function, value: Any, unmarked: Mapping[str, str]) -> list[list[Place | None]]:
    reader: Any = copy(function.reader)  # Any: its tokenizer is stood in for
    form: Any = function.form  # Any: a torch form, as the caller saw to
    placing = PlacingTokenizer(reader.tokenizer, unmarked)
    reader.tokenizer = placing
    rows = form.formulation.encode([value], reader, function.state).rows
    return [[placing.places[-1 - i] if i < 0 else None for i in row["input_ids"].ravel().tolist()] for row in rows]

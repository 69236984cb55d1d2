"""Which characters of the input each token of each row stands for."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from functory_sdk import Function


@dataclass(frozen=True, slots=True)
class Place:
    """Characters of one field of an input."""

    field: str
    start: int
    end: int


class PlacingTokenizer:
    """The function's tokenizer, but the ids of the input's own texts say where they stand: -1 the first place, -2 the next.

    Formulations put ids together, cut them into windows and set prompts around them; places go along unharmed.
    Looking for a text's ids in a row would not do: windows repeat what others hold, and two fields share phrases.
    """

    def __init__(self, tokenizer: Any, value: Any) -> None:
        self._tokenizer = tokenizer
        self._fields: dict[str, deque[str]] = {}
        for field in type(value).model_fields:
            if isinstance(text := getattr(value, field), str):
                self._fields.setdefault(text, deque()).append(field)
        self.places: list[Place] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def tokens(self, texts: Sequence[str], *, reads_special: bool = False) -> list[Any]:
        """Return the tokens of each text, those of the input's own with places for ids."""
        read = self._tokenizer.tokens(texts, reads_special=reads_special)
        return [self._placed(text, tokens) for text, tokens in zip(texts, read, strict=True)]

    def _placed(self, text: str, tokens: Any) -> Any:
        fields = self._fields.get(text)
        if not fields:
            return tokens
        field = fields[0]
        fields.rotate(-1)  # fields of equal text are read in their order
        first = len(self.places)
        self.places += [Place(field, int(start), int(end)) for start, end in tokens.offsets]
        return replace(tokens, ids=-1 - np.arange(first, len(self.places)))


def places_of(function: Function, value: Any) -> list[list[Place | None]]:
    """Return, for each row of an input and each of its tokens, the place it stands for; None for a special token.

    Of stacked texts the tokens come one text's after another's, with what pads them.
    """
    reader: Any = copy(function.reader)  # Any: its tokenizer is stood in for
    form: Any = function.form  # Any: a torch form, as the caller saw to
    placing = PlacingTokenizer(reader.tokenizer, value)
    reader.tokenizer = placing
    rows = form.formulation.encode([value], reader, function.state).rows
    return [[placing.places[-1 - i] if i < 0 else None for i in row["input_ids"].ravel().tolist()] for row in rows]

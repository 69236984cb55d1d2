"""Reads text into rows of tokens: special tokens around it, windows of long texts.

Apart from tasks and backbones, which both need it and neither owns it; and from the tokenizer, which is never
reconfigured: padding, truncation and special tokens are done here in numpy, so that many threads may read at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from functory.contracts.backbone import BackboneSpec
from functory.contracts.rows import Array, Encoded
from functory.errors import OptionError, TooLong
from functory.reading.tokenizer import Ids, Tokenizer, Tokens, as_ids

LongText = Literal["window", "cut", "refuse"]
Text = str | tuple[str, str]
"""What one row is made of: a text, or two that are read together."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text that fits the context, as one row.

    :param row: the arrays the network reads.
    :param tokens: the text's own tokens in the row.
    :param first: the place in the row of the first of them; special tokens stand before.
    :param start: which token of the whole text that is.
    """

    row: dict[str, Array]
    tokens: Tokens
    first: int
    start: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A text as read: one window, or more where it is long.

    :param windows: at least one, even for an empty text.
    :param notes: what the output should say: "cut at 512 tokens".
    """

    windows: tuple[Window, ...]
    notes: tuple[str, ...] = ()


class Reader:
    """Turns texts into rows for one backbone, by one rule for long texts.

    :param tokenizer: the backbone's.
    :param spec: the backbone's facts.
    :param long_text: ``window`` reads a long text in pieces, ``cut`` reads its beginning, ``refuse`` raises.
    :param max_tokens: the longest row; the backbone's context when 0.
    """

    def __init__(
        self, tokenizer: Tokenizer, spec: BackboneSpec, long_text: LongText = "window", max_tokens: int = 0
    ) -> None:
        self.tokenizer = tokenizer
        self.spec = spec
        self.long_text = long_text
        self.max_tokens = min(max_tokens or spec.context, spec.context)

    @cached_property
    def _prefix(self) -> Ids:
        """The tokens of the model's own prefix ('query: ')."""
        prefix = self.spec.prefix().strip()
        return self.tokenizer.tokens([prefix])[0].ids if prefix else as_ids([])

    @cached_property
    def room(self) -> int:
        """How many tokens of a single text fit into one row.

        :raises OptionError: when what stands around every text leaves none.
        """
        before, _, after = self.tokenizer.frame
        return self._left(self.max_tokens - len(before) - len(after) - len(self._prefix), 1)

    def _left(self, room: int, least: int) -> int:
        """Return the tokens that are left for texts.

        :raises OptionError: when there are fewer than the least that make sense: a function would read none of its inputs.
        """
        if room < least:
            texts = "a text" if least == 1 else "two texts"
            raise OptionError(
                f"a row of {self.max_tokens} tokens leaves no room for {texts}: {self.max_tokens - room} stand around each.",
                do="raise max_tokens, or shorten the backbone's prefix.",
            )
        return room

    def read(self, texts: Sequence[Text], *, overlap: int = 0) -> list[Passage]:
        """Read each text into windows; two texts, given as a tuple, into windows that hold a part of both.

        :param overlap: tokens that neighbouring windows share.
        :raises TooLong: for a long text, where the rule is "refuse".
        """
        parts = [part for text in texts for part in ([text] if isinstance(text, str) else text)]
        tokens = iter(self.tokenizer.tokens(parts))
        return [
            self._passage(next(tokens), overlap) if isinstance(text, str) else self._pair(next(tokens), next(tokens), overlap)
            for text in texts
        ]

    def encode(self, texts: Sequence[Text], *, overlap: int = 0) -> Encoded:
        """Read each text, or two, into rows that are its own; what is kept of each is its notes.

        :raises TooLong: for a long text, where the rule is "refuse".
        """
        passages = self.read(texts, overlap=overlap)
        rows = [(index, window.row) for index, passage in enumerate(passages) for window in passage.windows]
        return Encoded([row for _, row in rows], [index for index, _ in rows], [passage.notes for passage in passages])

    def _passage(self, tokens: Tokens, overlap: int) -> Passage:
        if len(tokens) <= self.room:
            return Passage((self._window(tokens, 0),))
        if self.long_text == "refuse":
            raise TooLong(
                f"a text has {len(tokens)} tokens; {self.room} fit.",
                do='shorten it, or build the function with long_text = "window" or "cut".',
            )
        if self.long_text == "cut":
            return Passage((self._window(tokens.part(0, self.room), 0),), (f"cut at {self.room} tokens",))
        spans = list(windows(tokens.words, self.room, min(overlap, self.room // 2)))
        made = tuple(self._window(tokens.part(start, stop), start) for start, stop in spans)
        return Passage(made, (f"read in {len(made)} windows",))

    def _window(self, tokens: Tokens, start: int) -> Window:
        before, _, after = self.tokenizer.frame
        row = self.row(np.concatenate([before, self._prefix, tokens.ids, after]))
        return Window(row, tokens, len(before) + len(self._prefix), start)

    @cached_property
    def _between(self) -> Ids:
        """The tokens that keep two texts of a row apart: the tokenizer's own, or a line break where it has none."""
        between = self.tokenizer.frame[1]
        return between if len(between) else self.tokenizer.tokens(["\n"])[0].ids

    @cached_property
    def pair_room(self) -> int:
        """How many tokens of two texts together fit into one row.

        :raises OptionError: as `room`.
        """
        return self._left(self.room - len(self._between) - len(self._prefix), 2)

    def _pair(self, first: Tokens, second: Tokens, overlap: int) -> Passage:
        """Read two texts by the rule for long ones.

        Where they do not fit, the shorter keeps its length, up to half of the row, and the longer gets what is left.
        """
        total = len(first) + len(second)
        if total <= self.pair_room:
            return Passage((self._both(first, second, 0),))
        if self.long_text == "refuse":
            raise TooLong(
                f"two texts have {len(first)} and {len(second)} tokens; {self.pair_room} fit.",
                do='shorten them, or build the function with long_text = "window" or "cut".',
            )
        sizes = shares(len(first), len(second), self.pair_room)
        if self.long_text == "cut":
            notes = [
                f"{name} text cut at {size} tokens"
                for name, tokens, size in zip(("first", "second"), (first, second), sizes, strict=True)
                if len(tokens) > size
            ]
            return Passage((self._both(first.part(0, sizes[0]), second.part(0, sizes[1]), 0),), tuple(notes))
        spans = [
            list(windows(tokens.words, size, min(overlap, size // 2)))
            for tokens, size in zip((first, second), sizes, strict=True)
        ]
        made = tuple(self._both(first.part(*one), second.part(*other), other[0]) for one in spans[0] for other in spans[1])
        return Passage(made, (f"read in {len(made)} windows",))

    def _both(self, first: Tokens, second: Tokens, start: int) -> Window:
        """Return two texts as one row: a window whose `tokens`, `first` and `start` are the second text's."""
        before, _, after = self.tokenizer.frame
        head = np.concatenate([before, self._prefix, first.ids, self._between])
        row = self.row(np.concatenate([head, self._prefix, second.ids, after]), second_from=len(head))
        return Window(row, second, len(head) + len(self._prefix), start)

    def row(self, ids: Ids, *, second_from: int | None = None, target: Ids | None = None) -> dict[str, Array]:
        """Return the row of finished ids.

        :param ids: (tokens,) with the special ones.
        :param second_from: where the second text of a pair begins.
        :param target: (target,) what an encoder-decoder writes, the first token included; that one alone when None.
        """
        row: dict[str, Array] = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if self.spec.has_token_types:
            types = np.zeros_like(ids)
            if second_from is not None:
                types[second_from:] = 1
            row["token_type_ids"] = types
        if self.spec.architecture == "encoder-decoder":
            written = as_ids([self.spec.start_id or 0]) if target is None else target
            row |= {"decoder_input_ids": written, "decoder_attention_mask": np.ones_like(written)}
        return row


def shares(first: int, second: int, room: int) -> tuple[int, int]:
    """Return how many tokens of each of two texts a row holds: the shorter's all, up to half, and the longer's what is left.

    :param first: tokens of the first text.
    :param second: tokens of the second.
    :param room: tokens of both that fit.
    """
    if first <= second:
        kept = min(first, room // 2)
        return kept, room - kept
    kept = min(second, room // 2)
    return room - kept, kept


def windows(words: Ids, size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Cut a long text into windows, at word borders where there is one.

    :param words: (tokens,) the word of each token.
    :param size: tokens of one window.
    :param overlap: tokens that neighbours share.
    :return: first token and the one after the last; together they cover every token.
    """
    start = 0
    while start + size < len(words):
        stop = start + size
        border = stop
        while border > start + size // 2 and words[border] == words[border - 1] and words[border] >= 0:
            border -= 1
        stop = border if border > start + size // 2 else stop
        yield start, stop
        start = max(start + 1, stop - overlap)
    yield start, len(words)

"""Reads text into rows of tokens: tokenizer, special tokens, windows of long texts.

Apart from tasks and backbones, which both need it and neither owns it. Tokenizers are configured
once, when they are opened: padding, truncation and special tokens are done here in numpy, so that
many threads may read at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from functory.contracts.backbone import BackboneSpec
from functory.contracts.rows import Array
from functory.errors import ArtefactCorrupt, InputError, TooLong

if TYPE_CHECKING:
    from tokenizers import Tokenizer as RawTokenizer

Ids = NDArray[np.int64]
LongText = Literal["window", "cut", "refuse"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one text, without special ones.

    :param ids: (tokens,) vocabulary ids.
    :param offsets: (tokens, 2) first character and the one after the last, in the original text.
    :param words: (tokens,) which pre-tokenised word each belongs to.
    """

    ids: Ids
    offsets: Ids
    words: Ids

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, start: int, stop: int) -> Tokens:
        """Return the tokens from `start` up to `stop`."""
        return Tokens(self.ids[start:stop], self.offsets[start:stop], self.words[start:stop])


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


class Tokenizer:
    """A tokenizer opened from its tokenizer.json; never reconfigured after construction.

    :param source: the file, or its text.
    :raises ArtefactCorrupt: when it is not a tokenizer.
    """

    def __init__(self, source: Path | str) -> None:
        from tokenizers import Tokenizer as RawTokenizer

        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        try:
            raw = RawTokenizer.from_str(text)
        except Exception as error:
            place = str(source) if isinstance(source, Path) else "a tokenizer.json"
            raise ArtefactCorrupt(
                f"this is no tokenizer: {error}", where=place, do="take the file that came with the model."
            ) from error
        raw.no_padding()
        raw.no_truncation()
        self._raw: RawTokenizer = raw
        # A user's text that spells a special token ("</s>") is text: it must not end a row or open a turn.
        self._plain: RawTokenizer = RawTokenizer.from_str(_without_signs(raw))
        self._plain.encode_special_tokens = True

    @cached_property
    def json(self) -> str:
        """The tokenizer as text, to be stored."""
        return self._raw.to_str()

    @cached_property
    def frame(self) -> tuple[Ids, Ids, Ids]:
        """The special tokens before, between and after the texts of a row, as the tokenizer's template puts them."""
        bare = self._raw.encode("a", add_special_tokens=False).ids
        single = self._raw.encode("a").ids
        before = _find(single, bare)
        pair = self._raw.encode("a", "a").ids
        between = _find(pair[before + len(bare) :], bare)
        start = before + len(bare)
        return (_ids(single[:before]), _ids(pair[start : start + between]), _ids(single[start:]))

    def tokens(self, texts: Sequence[str], *, reads_special: bool = False) -> list[Tokens]:
        """Return the tokens of each text, without special ones around it.

        :param reads_special: a special token that the text spells becomes one; for prompts that a template made.
        """
        raw = self._raw if reads_special else self._plain
        try:
            encodings = raw.encode_batch(list(texts), add_special_tokens=False)
        except Exception as error:
            raise InputError(
                f"a text cannot be tokenised: {error}", do="remove lone surrogates and other invalid characters."
            ) from error
        return [
            Tokens(
                _ids(encoding.ids),
                np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2),
                _ids([-1 if word is None else word for word in encoding.word_ids]),
            )
            for encoding in encodings
        ]

    def text(self, ids: Sequence[int], *, keep_special: bool = False) -> str:
        """Return the text of tokens."""
        return self._raw.decode(list(ids), skip_special_tokens=not keep_special)

    def id(self, token: str) -> int | None:
        """Return a token's id, or None when the vocabulary does not have it."""
        return self._raw.token_to_id(token)


def _without_signs(raw: RawTokenizer) -> str:
    """Return a tokenizer as text, in which no piece of the vocabulary spells a special token.

    A Unigram vocabulary lists "</s>" among its pieces with the score 0, the best there is, so that plain text would still
    become it. A score far below any text's (each piece costs some 5 to 25) leaves its letters the likelier reading.
    """
    text = raw.to_str()
    if type(raw.model).__name__ == "Unigram":
        for token in raw.get_added_tokens_decoder().values():
            if token.special:
                piece = json.dumps(token.content, ensure_ascii=False)
                text = re.sub(rf"(\[{re.escape(piece)},)[-+.\de]+\]", r"\1-1000.0]", text, count=1)
    return text


def _ids(values: Sequence[int]) -> Ids:
    return np.asarray(values, dtype=np.int64)


def _find(row: Sequence[int], part: Sequence[int]) -> int:
    """Return where `part` begins in `row`."""
    return next((i for i in range(len(row) - len(part) + 1) if list(row[i : i + len(part)]) == list(part)), 0)


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
        return self.tokenizer.tokens([self.spec.prefix.strip()])[0].ids if self.spec.prefix else _ids([])

    @cached_property
    def room(self) -> int:
        """How many tokens of a single text fit into one row."""
        before, _, after = self.tokenizer.frame
        return self.max_tokens - len(before) - len(after) - len(self._prefix)

    def read(self, texts: Sequence[str], *, overlap: int = 0) -> list[Passage]:
        """Read each text into windows.

        :param overlap: tokens that neighbouring windows share.
        :raises TooLong: for a long text, where the rule is "refuse".
        """
        return [self._passage(tokens, overlap) for tokens in self.tokenizer.tokens(texts)]

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

    def pair(self, first: Tokens, second: Tokens) -> Window:
        """Read two texts into one row, cutting the longer one where they do not fit.

        :return: a window whose `tokens` and `first` are the second text's.
        """
        before, between, after = self.tokenizer.frame
        room = self.max_tokens - len(before) - len(between) - len(after)
        while len(first) + len(second) > room:
            excess = len(first) + len(second) - room
            if len(first) > len(second):
                first = first.part(0, max(len(second), len(first) - excess))
            else:
                second = second.part(0, max(len(first), len(second) - excess, room - len(first)))
            if len(first) == len(second) and len(first) + len(second) > room:
                first, second = first.part(0, room // 2), second.part(0, room - room // 2)
        head = len(before) + len(first) + len(between)
        ids = np.concatenate([before, first.ids, between, second.ids, after])
        return Window(self.row(ids, second_from=head), second, head, 0)

    def row(self, ids: Ids, *, second_from: int | None = None) -> dict[str, Array]:
        """Return the row of finished ids.

        :param ids: (tokens,) with the special ones.
        :param second_from: where the second text of a pair begins.
        """
        row: dict[str, Array] = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if self.spec.has_token_types:
            types = np.zeros_like(ids)
            if second_from is not None:
                types[second_from:] = 1
            row["token_type_ids"] = types
        if self.spec.architecture == "encoder-decoder":
            row["decoder_input_ids"] = _ids([self.spec.start_id or 0])
        return row


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

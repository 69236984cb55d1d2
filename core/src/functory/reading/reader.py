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
from functory.contracts.rows import Array, Encoded
from functory.errors import ArtefactCorrupt, InputError, TooLong

if TYPE_CHECKING:
    from tokenizers import Tokenizer as RawTokenizer

Ids = NDArray[np.int64]
LongText = Literal["window", "cut", "refuse"]
Text = str | tuple[str, str]
"""What one row is made of: a text, or two that are read together."""


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
        :raises InputError: for a text that cannot be tokenised, such as one with half of a surrogate pair.
        """
        raw = self._raw if reads_special else self._plain
        try:
            encodings = raw.encode_batch(list(texts), add_special_tokens=False)
        except Exception as error:
            raise InputError(
                f"a text cannot be tokenised: {error}", do="remove lone surrogates and other invalid characters."
            ) from None
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
        """How many tokens of two texts together fit into one row."""
        return self.room - len(self._between) - len(self._prefix)

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
            written = _ids([self.spec.start_id or 0]) if target is None else target
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

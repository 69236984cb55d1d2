"""Opens a tokenizer, and says which of its added tokens a text may spell.

A tokenizer's added tokens are of two sorts. **Signs** hold a row or a conversation together: ``[CLS]``, ``</s>``,
``<|im_end|>``. A text that spells one is a text: it must not end a row or open a turn, whoever wrote it. **Markers** are
words that a model was taught: ``[E1] Ann [/E1]``. A text that spells one means it. A file calls some of its tokens special,
and by default those are the signs; whoever knows more of a model says which they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from functory.errors import ArtefactCorrupt, InputError
from functory.wording.told import message_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer as RawTokenizer

Ids = NDArray[np.int64]
SIGN = "is_sign"
"""The key of an added token in a stored tokenizer, where it is another sort than `special` says; others pass over it."""
WRITTEN_ONLY = -1e6
"""The score, or a lower one, of a Unigram's pieces that a model writes and does not read: translators write other pieces than
they read. Where a text has nothing else, it is unknown."""
_UNKNOWN = re.compile(r'"unk_id"\s*:\s*(\d+)')
_ADDED = re.compile(r'"added_tokens"\s*:\s*')


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


class Tokenizer:
    """A tokenizer opened from its tokenizer.json; never reconfigured after construction.

    :param source: the file, or its text.
    :param signs: the added tokens that no text can spell; when None those that a stored tokenizer says, or else those
        that the file calls special.
    :raises ArtefactCorrupt: when it is not a tokenizer.
    """

    def __init__(self, source: Path | str, signs: Collection[str] | None = None) -> None:
        text, place = _read(source)
        raw = _opened(text, place)
        raw.no_padding()
        raw.no_truncation()
        self._raw: RawTokenizer = raw
        self.added = {token.content: token.special for token in raw.get_added_tokens_decoder().values()}
        """Each added token, and whether the file calls it special."""
        self.signs = frozenset(_signs(text, self.added) if signs is None else set(signs) & set(self.added))
        """The added tokens that no text can spell."""
        self._plain: RawTokenizer = _opened(_without_signs(raw, self.signs), place)
        self._plain.encode_special_tokens = True
        self._spelled = self._ids_still_spelled(text)
        unread = _written_only(text) if type(raw.model).__name__ == "Unigram" else {}
        self._unread = {one: unknown for one, unknown in unread.items() if raw.id_to_token(one) not in self.added}
        self.writer: Tokenizer = self
        """The tokenizer of what the model writes: another one where a translator's two languages have each their own."""

    @cached_property
    def json(self) -> str:
        """The tokenizer as text, to be stored: opened again, it has the same signs."""
        return _rewritten(self._raw.to_str(), lambda token: _told(token, token["content"] in self.signs))

    @cached_property
    def frame(self) -> tuple[Ids, Ids, Ids]:
        """The special tokens before, between and after the texts of a row, as the tokenizer's template puts them."""
        bare = self._raw.encode("a", add_special_tokens=False).ids
        single = self._raw.encode("a").ids
        before = _find(single, bare)
        pair = self._raw.encode("a", "a").ids
        between = _find(pair[before + len(bare) :], bare)
        start = before + len(bare)
        return (as_ids(single[:before]), as_ids(pair[start : start + between]), as_ids(single[start:]))

    def tokens(self, texts: Sequence[str], *, reads_special: bool = False) -> list[Tokens]:
        """Return the tokens of each text, without special ones around it.

        :param reads_special: a sign that the text spells becomes one; for prompts that a template made.
        :raises InputError: for a text that cannot be tokenised, such as one with half of a surrogate pair.
        """
        raw = self._raw if reads_special else self._plain
        try:
            encodings = raw.encode_batch(list(texts), add_special_tokens=False)
        except Exception as error:
            raise InputError(
                f"a text cannot be tokenised: {message_of(error)}", do="remove lone surrogates and other invalid characters."
            ) from None
        spelled = {} if reads_special else self._spelled
        return [
            _without_unread(
                Tokens(
                    as_ids([spelled.get(one, one) for one in encoding.ids] if spelled else encoding.ids),
                    np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2),
                    as_ids([-1 if word is None else word for word in encoding.word_ids]),
                ),
                self._unread,
            )
            for encoding in encodings
        ]

    def text(self, ids: Sequence[int], *, keep_special: bool = False) -> str:
        """Return the text of tokens."""
        return self._raw.decode(list(ids), skip_special_tokens=not keep_special)

    def id(self, token: str) -> int | None:
        """Return a token's id, or None when the vocabulary does not have it."""
        return self._raw.token_to_id(token)

    def token(self, id: int) -> str | None:
        """Return the token that has an id, or None where none has."""
        return self._raw.id_to_token(id)

    def beyond(self, size: int) -> dict[int, str]:
        """Return the tokens of a row whose ids are not below the size of a vocabulary; signs that no row holds do not count."""
        around = {one for part in self.frame for one in part.tolist()}
        vocabulary: dict[str, int] = {}
        is_dense = type(self._raw.model).__name__ == "Unigram"  # a list: half a second for XLM-R's as a dictionary
        if not is_dense or self._raw.get_vocab_size() > size:
            vocabulary = self._raw.get_vocab()
        found = {id: token for token, id in vocabulary.items() if id >= size}
        return {id: token for id, token in found.items() if token not in self.signs or id in around}

    def _ids_still_spelled(self, text: str) -> dict[int, int]:
        """Return the signs that are whole words of the vocabulary, and so still read: their ids → the unknown token's.

        WordLevel, and WordPiece where nothing cuts "[CLS]" at its brackets, look whole words up; Unigram takes a sign where
        its vocabulary has no "<" to spell it with.
        """
        model: Any = self._raw.model  # Any: one of the models, which have no common type
        unknown = self._raw.token_to_id(getattr(model, "unk_token", None) or "")
        if type(model).__name__ == "Unigram" and (found := _UNKNOWN.search(text)):
            unknown = int(found[1])
        elif type(model).__name__ not in ("WordLevel", "WordPiece") or unknown is None:
            return {}
        ids = {self._raw.token_to_id(sign): sign for sign in self.signs}
        return {one: unknown for one, sign in ids.items() if one is not None and one != unknown and self._reads(sign, one)}

    def _reads(self, text: str, id: int) -> bool:
        return id in self._plain.encode(text, add_special_tokens=False).ids


def as_ids(values: Sequence[int]) -> Ids:
    """Return numbers as an array of ids."""
    return np.asarray(values, dtype=np.int64)


def _written_only(text: str) -> dict[int, int]:
    """Return the pieces of a Unigram that no text becomes, each with the id of the unknown."""
    if f"{WRITTEN_ONLY:.1f}" not in text:
        return {}
    model = json.loads(text)["model"]
    return {place: model["unk_id"] for place, (_, score) in enumerate(model["vocab"]) if score <= WRITTEN_ONLY}


def _without_unread(tokens: Tokens, unread: dict[int, int]) -> Tokens:
    """Return tokens in which what is only written is unknown, several of them that touch as one.

    One that stands alone keeps its id: it is spelled as that piece is, and SentencePiece gives what it does not know as spelled.
    """
    if not unread or not any(one in unread for one in tokens.ids.tolist()):
        return tokens
    [unknown] = set(unread.values())
    is_foreign = np.isin(tokens.ids, [*unread, unknown])
    follows = np.append(False, is_foreign[1:] & is_foreign[:-1] & (tokens.words[1:] == tokens.words[:-1]))
    ids, offsets = tokens.ids.copy(), tokens.offsets.copy()
    for place in np.flatnonzero(follows)[::-1]:
        ids[place - 1], offsets[place - 1, 1] = unknown, offsets[place, 1]
    return Tokens(ids[~follows], offsets[~follows], tokens.words[~follows])


def _read(source: Path | str) -> tuple[str, str]:
    """Return the tokenizer's text, and where it lies.

    :raises ArtefactCorrupt: where the file is no text.
    """
    if isinstance(source, str):
        return source, "a tokenizer.json"
    try:
        return source.read_text(encoding="utf-8-sig"), str(source)
    except UnicodeDecodeError as error:
        raise _corrupt(error, str(source)) from error


def _opened(text: str, place: str) -> RawTokenizer:
    from tokenizers import Tokenizer as RawTokenizer

    try:
        return RawTokenizer.from_str(text)
    except Exception as error:
        raise _corrupt(error, place) from error


def _corrupt(error: Exception, place: str) -> ArtefactCorrupt:
    what = f"this is no tokenizer: {message_of(error)}"
    return ArtefactCorrupt(what, where=place, do="take the file that came with the model.")


def _signs(text: str, added: dict[str, bool]) -> set[str]:
    """Return the signs that a tokenizer's text names: those that it calls special, but where it says otherwise."""
    found = {token for token, is_special in added.items() if is_special}
    for token in _added_tokens(text)[0]:
        if SIGN in token and token.get("content") in added:
            (found.add if token[SIGN] else found.discard)(token["content"])
    return found


def _added_tokens(text: str) -> tuple[list[dict[str, Any]], int, int]:  # Any: JSON
    """Return the added tokens of a tokenizer's text, and where they stand in it: it may be megabytes of vocabulary."""
    for place in _ADDED.finditer(text):
        try:
            found, end = json.JSONDecoder().raw_decode(text, place.end())
        except ValueError:  # the text of a token
            continue
        if isinstance(found, list) and all(isinstance(token, dict) for token in found):
            return found, place.end(), end
    return [], 0, 0


def _rewritten(text: str, change: Any) -> str:  # Any: a function of an added token's object
    """Return a tokenizer's text with its added tokens changed."""
    tokens, start, end = _added_tokens(text)
    changed = [change(token) for token in tokens]
    if changed == tokens:
        return text
    return text[:start] + json.dumps(changed, ensure_ascii=False, separators=(",", ":")) + text[end:]


def _told(token: dict[str, Any], is_sign: bool) -> dict[str, Any]:
    """Return an added token that says what it is, where it is not what the file calls it."""
    return token if token["special"] == is_sign else {**token, SIGN: is_sign}


def _without_signs(raw: RawTokenizer, signs: Collection[str]) -> str:
    """Return a tokenizer as text, in which the signs alone are special, and no piece of the vocabulary spells one.

    A Unigram vocabulary lists "</s>" among its pieces with the score 0, the best there is, so that plain text would still
    become it. A score far below any text's (each piece costs some 5 to 25) leaves its letters the likelier reading.
    """
    text = _rewritten(raw.to_str(), lambda token: {**token, "special": token["content"] in signs})
    if type(raw.model).__name__ == "Unigram":
        for sign in sorted(signs):
            piece = json.dumps(sign, ensure_ascii=False)
            text = re.sub(rf"(\[{re.escape(piece)},)[-+.\de]+\]", r"\1-1000.0]", text, count=1)
    return text


def _find(row: Sequence[int], part: Sequence[int]) -> int:
    """Return where `part` begins in `row`."""
    return next((i for i in range(len(row) - len(part) + 1) if list(row[i : i + len(part)]) == list(part)), 0)

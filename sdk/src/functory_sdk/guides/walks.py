"""Holds a text to its guide, token by token, by llguidance, and sees to it that it ends in time.

llguidance says which tokens may come. That is not enough: what may come may open more than the tokens that are left can close.
So a text keeps its *ending*, bytes that would make it whole from where it is, and takes no token after which there is no
ending that fits.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from functory.contracts.decoding import Request
from functory.contracts.guiding import Guide
from functory.contracts.rows import Array
from functory.errors import GenerationError, NotSupported, OptionError
from functory.reading.tokenizer import Tokenizer
from functory_sdk.guides.endings import MOST, Spelling, ending
from functory_sdk.guides.instances import short_json
from functory_sdk.guides.witness import witness

STYLE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": ", "coerce_one_of": True}
"""How JSON is written: as people and models do it, and no white space besides, of which there could be any amount."""
KEPT = 64
"""Compiled guides that are kept."""


class Walk:
    """One text as its guide sees it.

    :param matcher: llguidance's, where the text is.
    :param end: bytes that make it whole from there.
    :param stop_ids: tokens that end it, of which one may come where it is whole.
    """

    def __init__(self, matcher: Any, spelling: Spelling, end: bytes, stop_ids: frozenset[int]) -> None:
        self._matcher, self._spelling, self._end, self._stop_ids = matcher, spelling, end, stop_ids
        self._found: dict[int, bytes | None] = {}

    def fork(self) -> Walk:
        """Return the same text, to go on another way."""
        made = Walk(self._matcher.deep_copy(), self._spelling, self._end, self._stop_ids)
        made._found = dict(self._found)
        return made

    def allowed(self) -> Array:
        """Return which tokens may come, (vocabulary,) bool."""
        may: Array = self._spelling.mask(self._matcher)
        may[list(self._stop_ids)] = self._matcher.is_accepting()
        return may

    def admits(self, token: int, left: int) -> bool:
        """Return whether the text can still end in time after a token.

        :param left: how many tokens may come after it, with the one that ends the text.
        """
        return token in self._stop_ids or self._after(token, left) is not None

    def take(self, token: int, left: int) -> int:
        """Go on by a token that may come or, where the text could not end in time after it, by the next one of its ending.

        :param left: as `admits` has it.
        :return: the token that was taken.
        :raises GenerationError: where llguidance gives up, as it does of what is too large.
        """
        if token in self._stop_ids:
            return token
        after = self._after(token, left)
        if after is None:
            token = self.way_out()
            if token in self._stop_ids:
                return token
            after = self._end[len(self._spelling.bytes_of(token)) :]
        if not self._matcher.consume_token(token):
            told = " ".join(self._matcher.get_error().split())[:200]
            raise GenerationError(f"the guide cannot be followed any further: {told}.", do="make the guide smaller.")
        self._end, self._found = after, {}
        return token

    def way_out(self) -> int:
        """Return the next token of the ending: one that ends the text where it is whole."""
        tokens = self._spelling.tokens(self._end)
        return tokens[0] if tokens else min(self._stop_ids)

    def _after(self, token: int, left: int) -> bytes | None:
        """Return the ending after a token; None where there is none that fits. Looked for once a token."""
        if token not in self._found:
            piece = self._spelling.bytes_of(token)
            self._found[token] = self._end[len(piece) :] if self._end.startswith(piece) else self._searched(token, left)
        found = self._found[token]
        return found if found is not None and self._spelling.count(found) < left else None

    def _searched(self, token: int, left: int) -> bytes | None:
        further = self._matcher.deep_copy()
        return ending(further, self._spelling, left, self._end) if further.consume_token(token) else None


def walk(request: Request, vocabulary: int) -> Walk | None:
    """Return what holds a request's texts to their guide, before the first token; None where it has none.

    :param vocabulary: how many tokens have a score.
    :raises OptionError: for a guide that is none, that no text meets, or whose shortest text has too many tokens.
    :raises NotSupported: for what guides cannot hold, and where the backbone cannot spell it.
    """
    if request.guide is None:
        return None
    if request.tokenizer is None or not request.stop_ids:
        raise NotSupported(
            "a guide needs the tokens' texts, and a token that ends a text.",
            do="give a request `tokenizer` and `stop_ids`, or take a backbone that names its end.",
        )
    matcher, spelling, end = _compiled(request.tokenizer, vocabulary, request.guide.key)
    needed, most = spelling.count(end) + 1, request.decoding.max_new_tokens
    if needed > most:
        raise OptionError(
            f"max_new_tokens = {most} is too few: the shortest text that this guide allows has {needed} tokens.",
            do=f"set max_new_tokens to {needed} or, for something to stand in it, to more.", field="max_new_tokens",
        )  # fmt: skip
    return Walk(matcher.deep_copy(), spelling, end, request.stop_ids)


@lru_cache(KEPT)
def _compiled(tokenizer: Tokenizer, vocabulary: int, key: str) -> tuple[Any, Spelling, bytes]:
    """Return a guide as compiled, and the shortest text that was found for it.

    :param key: the guide's, which spells it.
    """
    guide = Guide.model_validate(json.loads(key))
    spelling = _spelling(tokenizer, vocabulary)
    matcher = _matcher(guide, spelling)
    known = _known(guide)
    end = known if known and spelling.completes(matcher.deep_copy(), known) else ending(matcher, spelling)
    if end is None:
        raise OptionError(
            f"no text of at most {MOST:,} tokens was found that meets {guide.told}.",
            do="widen it, or take a backbone whose vocabulary spells it.", field="guide",
        )  # fmt: skip
    return matcher, spelling, end


@lru_cache(KEPT // 8)
def _spelling(tokenizer: Tokenizer, vocabulary: int) -> Spelling:
    """Return how a vocabulary spells texts; made once."""
    return Spelling(tokenizer, vocabulary)


def _matcher(guide: Guide, spelling: Spelling) -> Any:
    """Return llguidance's matcher of a guide.

    :raises OptionError: where it is no guide, or no text meets it.
    :raises NotSupported: where it says what cannot be held.
    """
    from llguidance import LLMatcher

    matcher = LLMatcher(spelling.raw, _grammar(guide), log_level=0)
    fault = matcher.get_error()
    if not fault:
        return matcher
    told = " ".join(fault.split())[:300]
    if any(word in fault for word in ("Unimplemented", "not supported", "Unknown format")):
        raise NotSupported(f"a guide cannot hold {guide.told}: {told}.", do="leave that out, and check it afterwards.")
    raise OptionError(f"{guide.told} cannot guide a text: {told}.", do="correct it, or widen it.", field="guide")


def _known(guide: Guide) -> bytes | None:
    """Return a short text that a guide says itself; None where it must be looked for."""
    if guide.choices:
        return min(guide.choices, key=len).encode()
    text = witness(guide.regex) if guide.regex is not None else None
    if guide.json_schema is not None:
        text = short_json(guide.json_schema)
    return None if text is None else text.encode(errors="replace")


def _grammar(guide: Guide) -> str:
    """Return a guide as llguidance reads it."""
    from llguidance import LLMatcher

    if guide.json_schema is not None:
        return str(LLMatcher.grammar_from_json_schema(json.dumps(guide.json_schema), overrides=STYLE))  # type: ignore[arg-type]
    if guide.regex is not None:
        return str(LLMatcher.grammar_from_regex(guide.regex))
    if guide.grammar is not None:
        return str(LLMatcher.grammar_from_lark(guide.grammar))
    # One terminal: as alternatives of a rule, more than some two thousand are too many, and no error says so.
    return str(LLMatcher.grammar_from_lark("start: CHOICE\nCHOICE: " + " | ".join(map(_quoted, guide.choices))))


def _quoted(text: str) -> str:
    """Return a text as Lark writes it: what it holds stands for itself."""
    return json.dumps(text, ensure_ascii=False)

"""The types that callers meet: input, example, output; and the options and the state."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from functory_sdk import DataError, Input, LabelRules, Output, SchemeName, SpanLabels, Spans
from functory_sdk.spans.placing import Offsets, align, join, listed, unwritten
from functory_sdk.spans.scripts import cut_mark, plain_words

Mode = Literal["tags", "words", "punctuation"]
MARKS = (",", ".", "?", "!", ";", ":", "，", "。", "？", "！", "；", "：", "、", "؟", "،", "।")


TEXT_OR_WORDS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}], "default": ""}


class Line(Input):
    """A text to tag, or words that are given already."""

    text: Annotated[str, WithJsonSchema(TEXT_OR_WORDS)] = Field(
        "", description="The text, or a list of its words; where it is not given, the words make it."
    )
    words: tuple[tuple[int, int] | str, ...] = Field(
        (),
        description="The words, where they are given: each gets one tag. Their texts, or their places in the text, [first "
        "character, the one after the last].",
    )

    @model_validator(mode="before")
    @classmethod
    def _unify(cls, data: Any) -> Any:  # Any: whatever callers and data hold
        """Read a list of words as a text and the places of words in it."""
        if not isinstance(data, Mapping):
            return data
        try:
            return _read(_plain(data))
        except DataError as error:
            if issubclass(cls, TaggedLine):
                raise
            raise ValueError(f"{error.what} {error.do[:1].upper()}{error.do[1:]}".rstrip(". ")) from None

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """The places of the words that are given."""
        return tuple(place for place in self.words if not isinstance(place, str))

    @property
    def tokens(self) -> tuple[str, ...]:
        """The words that are given."""
        return tuple(self.text[start:end] for start, end in self.offsets)


class TaggedLine(Line):
    """A text with what is right: a tag for each word, or the words themselves; punctuated text says it by itself."""

    tags: tuple[str, ...] = Field((), description="One tag for each word, or each character.")
    spans: Spans = Field((), description="The right words, with their tags: [start, end, tag] each.")


class Token(BaseModel):
    """A word of the text and its tag."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="The word as it stands in the text.")
    start: int = Field(description="Its first character, from 0.")
    end: int = Field(description="The character after its last: text[start:end] is the word.")
    tag: str = Field(description="Its tag; of punctuation the mark that follows, which may be none.")
    score: float = Field(
        description="The probability of the tag, 0 to 1; of a word that was found its least certain character's."
    )


class Tagged(Output):
    """The words of a text with their tags, in its order."""

    tokens: tuple[Token, ...] = Field(description="Each word with its tag.")
    text: str = Field("", description="The text with its punctuation restored, where that was asked for.")

    def in_line(self, top: int = 3) -> str:
        """The restored text, or each word with its tag: ``Ann/PROPN left/VERB``."""
        told = " ".join(f"{token.text}/{token.tag}" if token.tag != WORD else token.text for token in self.tokens)
        return self.text or told or "no words"


WORD = "word"
"""The tag of words that have none."""


class TaggingOptions(LabelRules):
    """Options of tagging."""

    mode: Literal["auto", "tags", "words", "punctuation"] = Field(
        "auto",
        description="What is learned. tags: a tag for each given word. words: where words begin and end in scripts without "
        "spaces, and their tags, if they have some. punctuation: the mark that follows each word. auto: words where every "
        "token is a character whose tag is B, M, I, E or S, with a label or without; else tags.",
    )
    scheme: Literal["BMES", "BI"] = Field("BMES", description="The tags of characters by which words are learned.")
    marks: tuple[str, ...] = Field(MARKS, description="The marks that are restored, each one character.")
    case: Literal["keep", "lower"] = Field(
        "keep", description="How letters are read where punctuation is restored. lower: speech recognition writes no others."
    )
    overlap: int = Field(
        64, ge=0, le=4096, description="Tokens that the windows of a long text share, at most half a window."
    )

    @field_validator("marks")
    @classmethod
    def _are_signs(cls, marks: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse marks that are no single sign."""
        if odd := [mark for mark in marks if len(mark) != 1 or mark.isalnum() or mark.isspace()]:
            raise ValueError(f"{odd[0]!r} is no mark of one character")
        return marks


class TagLabels(SpanLabels):
    """What the task learned: the mode, the tags in their order, the words that training showed."""

    mode: Mode = "tags"
    scheme: SchemeName = "BMES"
    is_given: bool = False
    """Whether training gave words that its texts do not show, so that a text alone is not tagged as the data are."""
    commonest: str = ""
    """The commonest tag: what a word gets that the tokenizer leaves no token of."""
    favour: float = 0.0
    """Of punctuation: the log-odds by which marks are favoured over none, tuned on dev."""
    known: str = ""
    """Hashes of the words of the training data, by which an evaluation tells those that were never seen."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags in the order of the scores."""
        if self.mode == "words":
            return super().tags
        return ("", *self.labels) if self.mode == "punctuation" else self.labels


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something, lists as Python's own; a list in the place of the text holds the words."""
    given = {name: value for name, value in data.items() if value is not None}
    for other in ("tokens", "text"):
        words = given.get("words", ())
        if other in given and not isinstance(given[other], str | int) and isinstance(words, Sized) and not len(words):
            given["words"] = given.pop(other)
    if "words" in given:
        given["words"] = unwritten(given["words"])
    if "tags" in given:
        given["tags"] = listed("tags", given["tags"])
    if "text" not in given and "words" not in given:
        raise DataError("there is neither a text nor a list of words.", do="give a text, or words = ['…', '…'].")
    return given


def _read(data: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with the words' places, and the text that they make where there is none."""
    text, given = data.get("text", ""), data.get("words", [])
    if not isinstance(text, str):
        return data
    _encodable(text, "the text")
    if isinstance(given, list) and given and not isinstance(given[0], str | int | float):
        offsets = _placed(text, given)
    else:
        tokens = [_word(place, token) for place, token in enumerate(listed("words", given), 1)]
        text, offsets = (text, align(tokens, text)) if text.strip() else join(tokens) if tokens else (text, [])
    data |= {"text": text, "words": offsets}
    tags = data.get("tags", ())
    count = len(offsets) or (len(plain_words(text)) if tags else 0)
    if tags and len(tags) != count:
        found = f"{count} words" if offsets else f"{count} words in the text"
        raise DataError(f"there are {found} and {len(tags)} tags.", do="give each word its tag; words as a list: words = ['…'].")
    return data


def _word(place: int, token: str) -> str:
    """Return a word without the white space around it.

    :raises DataError: when nothing is left, or it is no text.
    """
    found = token.strip()
    if not found:
        what = "is empty" if not token else f"is white space, {token!r}"
        raise DataError(f"word {place} {what}.", do="leave it out, with its tag.")
    _encodable(found, f"word {place}, {found!r},")
    return found


def _encodable(text: str, name: str) -> None:
    """Refuse half of a surrogate pair.

    :raises DataError: where there is one.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError(f"{name} holds half of a surrogate pair, which is no text.", do="remove it.") from None


def _placed(text: str, given: Any) -> Offsets:  # Any: whatever the data hold
    """Return the places of words.

    :raises DataError: when they are no pairs, leave the text, or are not in its order.
    """
    try:
        offsets = [(int(start), int(end)) for start, end in given]
    except (TypeError, ValueError):
        raise DataError("words are no list of texts, and none of [start, end].", do="give two numbers for each word.") from None
    for place, (start, end) in enumerate(offsets, 1):
        if not 0 <= start < end <= len(text):
            raise DataError(
                f"word {place}, from {start} to {end}, is no part of a text of {len(text)} characters.",
                do="start is the first character, counted from 0; end is the one after the last.",
            )
        if not text[start:end].strip():
            raise DataError(f"word {place}, from {start} to {end}, is white space.", do="leave it out, with its tag.")
        if cut := cut_mark(text, start, end):
            raise DataError(f"word {place}, from {start} to {end}, cuts a character: {cut}.", do="keep marks with their letters.")
    for place, ((_, end), (start, _)) in enumerate(pairwise(offsets), 2):
        if start < end:
            raise DataError(f"word {place} begins at {start}, before the one before it ends.", do="give words in order.")
    return offsets

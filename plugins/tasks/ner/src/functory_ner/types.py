"""The types that callers meet: input, example, output; and the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from functory_ner.placing import align, join
from functory_sdk import DataError, Input, Options, Output, State, tag_runs


class Text(Input):
    """A text in which to find entities; it may be empty."""

    text: str = Field(description="The text in which to find entities.")


class Span(BaseModel):
    """An entity as the data give it: characters are counted from 0, and `end` is the one after the last."""

    model_config = ConfigDict(frozen=True)

    start: int = Field(description="The first character.")
    end: int = Field(description="The character after the last.")
    label: str = Field(min_length=1, description="The type.")
    text: str = Field("", exclude=True, repr=False, description="The characters themselves, to be checked.")

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, data: Any) -> Any:  # Any: whatever the data hold
        """Read ``[start, end, label]`` too."""
        if isinstance(data, Sequence) and not isinstance(data, str) and len(data) == 3:
            return dict(zip(("start", "end", "label"), data, strict=True))
        return data


class TaggedText(Text):
    """A text with its entities: as spans of characters, or as tokens (words or characters) with tags."""

    text: str = Field("", description="The text; where it is not given, the tokens make it.")
    entities: tuple[Span, ...] = Field((), description="The right spans, none overlapping another.")
    tokens: tuple[str, ...] = Field((), description="The words or characters that the tags stand for.")
    tags: tuple[str, ...] = Field((), description="One tag per token: IOB2, IOB1, BIOES, BILOU or IO.")

    @model_validator(mode="before")
    @classmethod
    def _unify(cls, data: Any) -> Any:  # Any: whatever the data hold
        """Read tokens and tags into a text and spans."""
        if not isinstance(data, Mapping):
            return data
        if not _are_texts(data.get("tokens")) or not _are_texts(data.get("tags")):
            return data  # pydantic says what is wrong
        if "entities" in data:  # then tokens and tags may be there and say nothing
            data = {name: value for name, value in data.items() if value or name not in ("tokens", "tags")}
        if "entities" not in data and "tags" not in data:
            raise DataError("there are neither entities nor tags.", do="give [] where a text has no entities.")
        if "tokens" not in data:
            if "text" not in data or "tags" in data:
                raise DataError(
                    "there are tags without tokens." if "tags" in data else "there is neither a text nor tokens.",
                    do="give text and entities, or tokens and tags.",
                )
            return data
        return {**data, **_read(data, list(data["tokens"]), list(data.get("tags", ())))}

    @field_validator("entities")
    @classmethod
    def _fit(cls, entities: tuple[Span, ...], info: ValidationInfo) -> tuple[Span, ...]:
        """Refuse spans that are no part of the text or overlap; order them, and free them of white space at their ends."""
        text = info.data.get("text")
        if text is None:
            return entities
        fitted = sorted((_fitted(span, text) for span in entities), key=lambda span: (span.start, span.end))
        for one, other in pairwise(fitted):
            if other.start < one.end:
                raise DataError(
                    f"{_told(one, text)} and {_told(other, text)} overlap.",
                    do="keep one of them: entities are flat here.",
                )
        return tuple(fitted)


class Entity(BaseModel):
    """A span of the text and its type."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="The entity as it stands in the text.")
    label: str = Field(description="Its type.")
    start: int = Field(description="Its first character, from 0.")
    end: int = Field(description="The character after its last: text[start:end] is the entity.")
    score: float = Field(description="The probability of its least certain token, 0 to 1.")


class Entities(Output):
    """The entities that were found, in the order of the text."""

    entities: tuple[Entity, ...] = Field(description="What was found; none overlaps another.")


class Labels(State):
    """What the task learned: the types in their order."""

    labels: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags in the order of the scores: O, then B and I of each type."""
        return ("O", *(f"{letter}-{label}" for label in self.labels for letter in "BI"))


class NEROptions(Options):
    """Options of named entity recognition."""

    labels: tuple[str, ...] = Field(
        (), description="The types in their order; taken from the training data if not given."
    )
    subwords: Literal["first", "all"] = Field(
        "all",
        description="Which tokens of a word learn and decide. first: its first token speaks for the word. all: each for "
        "itself. Scripts without spaces have no such words: there each token speaks for itself in both.",
    )
    tags: Literal["repair", "refuse"] = Field(
        "repair",
        description="What a tag that continues nothing becomes. repair: the beginning of an entity (IOB1 and IO mean it so). "
        "refuse: an error that names its place, likewise for an entity of BIOES that is not closed.",
    )
    overlap: int = Field(
        64, ge=0, le=4096, description="Tokens that the windows of a long text share, at most half a window."
    )


def _read(data: Mapping[str, Any], tokens: list[str], tags: list[str]) -> dict[str, Any]:
    """Return the text and the entities of tokens and tags."""
    if "" in tokens:
        raise DataError(f"token {tokens.index('') + 1} is empty.", do="leave empty tokens out, with their tags.")
    text = data.get("text")
    text, offsets = join(tokens) if not isinstance(text, str) else (text, align(tokens, text))
    if "tags" not in data:
        return {"text": text}
    if len(tokens) != len(tags):
        raise DataError(f"there are {len(tokens)} tokens and {len(tags)} tags.", do="give each token its tag.")
    found = [Span(start=offsets[first][0], end=offsets[last - 1][1], label=label) for first, last, label in tag_runs(tags)]
    given = data.get("entities")
    if given is not None:
        _compare([Span.model_validate(span) for span in given], found, text)
    return {"text": text, "entities": found}


def _compare(given: list[Span], tagged: list[Span], text: str) -> None:
    """Refuse entities that the tags contradict."""
    fitted = ([_fitted(span, text) for span in spans] for spans in (given, tagged))
    one, other = ({(span.start, span.end, span.label) for span in spans} for spans in fitted)
    if one != other:
        raise DataError(
            f"entities and tags differ, at {min(one ^ other)}.", do="give either of them alone, or correct one."
        )


def _are_texts(values: Any) -> bool:  # Any: whatever the data hold
    return values is None or (
        isinstance(values, Sequence) and not isinstance(values, str) and all(isinstance(value, str) for value in values)
    )


def _fitted(span: Span, text: str) -> Span:
    """Return a span without white space at its ends.

    :raises DataError: when it is no part of the text, or not what it says it is.
    """
    if not 0 <= span.start < span.end <= len(text):
        raise DataError(
            f"the {span.label!r} from {span.start} to {span.end} is no part of a text of {len(text)} characters.",
            do="start is the first character, counted from 0; end is the one after the last.",
        )
    found = text[span.start : span.end]
    if span.text and span.text != found:
        raise DataError(
            f"{_told(span, text)} should be {span.text!r}.",
            do="offsets count characters, not bytes, from 0; end is the character after the last.",
        )
    if not found.strip():
        raise DataError(f"{_told(span, text)} is all white space.", do="leave it out.")
    start = span.start + len(found) - len(found.lstrip())
    return Span(start=start, end=start + len(found.strip()), label=span.label)


def _told(span: Span, text: str) -> str:
    return f"{text[span.start : span.end]!r} ({span.label}, {span.start} to {span.end})"

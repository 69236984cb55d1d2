"""The types that callers meet: input and example; the options and the state. The output is that of all tasks that find spans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from functory_sdk import AnySpans, DataError, Input, Span, SpanLabels, SpanOptions, tag_runs
from functory_sdk.spans.placing import align, join, listed, unwritten
from functory_sdk.spans.types import fitted

Standing = Literal["flat", "nested", "overlapping"]
"""How entities may stand to one another."""


class Text(Input):
    """A text in which to find entities; it may be empty."""

    text: str = Field(description="The text in which to find entities.")


class TaggedText(Text):
    """A text with its entities: as spans of characters, or as tokens (words or characters) with tags."""

    text: str = Field("", description="The text; where it is not given, the tokens make it.")
    entities: AnySpans = Field((), description="The right spans; those that overlap ask for the option spans.")
    tokens: tuple[str, ...] = Field((), description="The words or characters that the tags stand for.")
    tags: tuple[str, ...] = Field((), description="One tag per token: IOB2, IOB1, BIOES, BILOU or IO.")

    @model_validator(mode="before")
    @classmethod
    def _unify(cls, data: Any) -> Any:  # Any: whatever the data hold
        """Read tokens and tags into a text and spans."""
        if not isinstance(data, Mapping):
            return data
        given = {name: value for name, value in data.items() if value is not None or name not in ("tokens", "tags")}
        data = {name: listed(name, value) if name in ("tokens", "tags") else value for name, value in given.items()}
        if "entities" in data:
            data["entities"] = unwritten(data["entities"])
            # tokens and tags may be there and say nothing
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


class NEROptions(SpanOptions):
    """Options of named entity recognition."""

    spans: Standing = Field(
        "flat",
        description="How entities may stand to one another. flat: none overlaps another, and tokens are tagged. nested: one may "
        "lie in another; each stretch of the text is scored whole, by a bilinear head. overlapping: they may cross too.",
    )
    longest: int = Field(
        64, ge=1, le=512, description="Tokens of the longest entity that is looked for, where entities are not flat."
    )
    tags: Literal["repair", "refuse"] = Field(
        "repair",
        description="What a tag that continues nothing becomes. repair: the beginning of an entity (IOB1 and IO mean it so). "
        "refuse: an error that names its place, likewise for an entity of BIOES that is not closed.",
    )


class NERLabels(SpanLabels):
    """What the task learned: the types, and how long entities may be where they are scored whole."""

    widest: int = 0
    """Tokens of the longest entity."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What a stretch may be: nothing, the first, or of a type."""
        return ("", *self.labels)


def _read(data: Mapping[str, Any], tokens: list[str], tags: list[str]) -> dict[str, Any]:
    """Return the text and the entities of tokens and tags."""
    if "" in tokens:
        raise DataError(f"token {tokens.index('') + 1} is empty.", do="leave empty tokens out, with their tags.")
    text = data.get("text")
    text, offsets = (text, align(tokens, text)) if isinstance(text, str) and text.strip() else join(tokens)
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
    both = ([fitted(span, text) for span in spans] for spans in (given, tagged))
    one, other = ({(span.start, span.end, span.label) for span in spans} for spans in both)
    if one != other:
        raise DataError(
            f"entities and tags differ, at {min(one ^ other)}.", do="give either of them alone, or correct one."
        )

"""The types that callers meet: a text with two places in it, the example, the state and the options."""

from __future__ import annotations

import json
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from functory_relation.marks import trouble, unmarked
from functory_sdk import Classification, Input, Label, LabelOptions, Labels, plain
from functory_sdk.spans.graphemes import grapheme_borders

NOTHING = ("Other", "other", "no_relation", "no relation", "none", "None", "NA", "no", "无", "无关系", "其他")
"""What data call two spans that are not related."""


class Mark(BaseModel):
    """Where a span stands: characters are counted from 0, and `end` is the one after the last."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    start: int = Field(description="The first character.", ge=0)
    end: int = Field(description="The character after the last.")


def _place(given: Any) -> Any:  # Any: whatever the data hold
    """Read ``[start, end]`` too, and JSON in a text."""
    given = plain(given)
    if isinstance(given, str) and given.strip()[:1] in ("[", "{"):
        given = json.loads(given)
    return dict(zip(("start", "end"), given, strict=True)) if isinstance(given, list) and len(given) == 2 else given


Place = Annotated[Mark | None, BeforeValidator(_place)]


class Places(Input):
    """A text and two spans of it: given with offsets, or marked in the text as <e1>…</e1> and <e2>…</e2>."""

    text: str = Field(min_length=1, description="The text; without offsets beside it both spans are marked in it.")
    head: Place = Field(default=None, validate_default=True, description="Where the first span stands: [start, end].")
    tail: Place = Field(default=None, validate_default=True, description="Where the second span stands: [start, end].")

    @model_validator(mode="before")
    @classmethod
    def _unmark(cls, data: Any) -> Any:  # Any: as above
        """Take the marks out of a text that has no spans beside it."""
        if not isinstance(data, dict) or not isinstance(data.get("text"), str):
            return data
        if data.get("head") is not None or data.get("tail") is not None:
            return data
        text, spans = unmarked(data["text"])
        return {**data, "text": text, **spans} if spans else data

    @field_validator("head", "tail", mode="after")
    @classmethod
    def _fits(cls, mark: Mark | None, info: ValidationInfo) -> Mark | None:
        """Refuse a span that is none of the text, cuts a character or overlaps the other; free it of white space."""
        text, other = info.data.get("text"), info.data.get("head") if info.field_name == "tail" else None
        if text is None:
            return mark
        if mark is None:
            wanted = "<e1>…</e1>" if info.field_name == "head" else "<e2>…</e2>"
            raise ValueError(f"{trouble(text, str(info.field_name))}: give [start, end], or write {wanted} around it")
        if fault := fault_of(mark, text):
            raise ValueError(fault)
        fitted = trimmed(mark, text)
        if other is not None and fitted.start < other.end and other.start < fitted.end:
            raise ValueError(f"{_told(fitted, text)} overlaps the head, {_told(other, text)}")
        return fitted


def fault_of(mark: Mark, text: str) -> str:
    """Say why a span is none of a text: it is no part of it, cuts a character, or is all white space; nothing where it is one."""
    told = f"{mark.start} to {mark.end}"
    if not mark.start < mark.end <= len(text):
        return (
            f"{told} is no part of a text of {len(text)} characters; start is the first character, from 0, end the one after "
            "the last"
        )
    borders = np.flatnonzero(grapheme_borders(text))
    for place in (mark.start, mark.end):
        after = int(np.searchsorted(borders, place))
        if borders[after] != place:
            return f"{told} cuts the character {text[borders[after - 1] : borders[after]]!r} at {place}"
    return "" if text[mark.start : mark.end].strip() else f"{told} is all white space"


def trimmed(mark: Mark, text: str) -> Mark:
    """Return a span without white space at its ends."""
    found = text[mark.start : mark.end]
    start = mark.start + len(found) - len(found.lstrip())
    return Mark(start=start, end=start + len(found.strip()))


def _told(mark: Mark, text: str) -> str:
    return f"{text[mark.start : mark.end]!r} ({mark.start} to {mark.end})"


class LabelledPlaces(Places):
    """A text, two spans of it, and how they are related."""

    label: Label = Field(description="The relation, with its direction where it has one: Cause-Effect(e1,e2).")


class Related(Classification):
    """How two spans are related."""

    relation: str | None = Field(default=None, description="The relation without its direction; null where there is none.")
    subject: str = Field(default="", description="The span that the relation goes from: the head, or for (e2,e1) the tail.")
    object: str = Field(default="", description="The span that it goes to.")

    def in_line(self, top: int = 3) -> str:
        """The two spans and the relation between them, then the likeliest labels."""
        between = f"–{self.relation}→" if self.relation else "–"
        return f"{self.subject} {between} {self.object}: {super().in_line(top)}"


class RelationLabels(Labels):
    """What the task learned: the labels in their order, and which of them says that there is no relation."""

    nothing: str = ""


def nothing_of(state: Labels) -> str:
    """Return the label that says that there is no relation; empty where there is none."""
    return state.nothing if isinstance(state, RelationLabels) else ""


class RelationOptions(LabelOptions):
    """Options of the relation task."""

    nothing: str = Field(
        default="",
        description="The label of two spans that are not related, which no F1 counts; one of Other, no_relation, none, NA … "
        "where the data have it, if not given.",
    )

"""The spans that examples give, the output of tasks that find spans, their state and their options."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from functory.contracts.labels import Label, LabelRules
from functory.contracts.plain import plain
from functory.contracts.shown import ShowingState
from functory.contracts.task import Output
from functory.contracts.telling import figure
from functory.errors import DataError
from functory_sdk.spans.offsets import readings_of
from functory_sdk.spans.schemes import SCHEMES, SchemeName
from functory_sdk.spans.scripts import cut_mark
from functory_sdk.writes.held import HeldOptions


class Span(BaseModel):
    """An entity as the data give it: characters are counted from 0, and `end` is the one after the last."""

    model_config = ConfigDict(frozen=True)

    start: int = Field(description="The first character.")
    end: int = Field(description="The character after the last.")
    label: Label = Field(description="The type.")
    text: str = Field(default="", exclude=True, repr=False, description="The characters themselves, to be checked.")

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, data: Any) -> Any:  # Any: whatever the data hold
        """Read ``[start, end, label]`` too, and arrays."""
        data = plain(data)
        if isinstance(data, list) and len(data) == 3:
            return dict(zip(("start", "end", "label"), data, strict=True))
        return data


def fit(entities: tuple[Span, ...], info: ValidationInfo) -> tuple[Span, ...]:
    """Refuse spans that are no part of the text; order them, and free them of white space at their ends.

    :raises DataError: naming the span.
    """
    text = info.data.get("text")
    if text is None:
        return entities
    return tuple(sorted((fitted(span, text) for span in entities), key=lambda span: (span.start, span.end)))


def are_flat(entities: tuple[Span, ...], info: ValidationInfo) -> tuple[Span, ...]:
    """Refuse spans that overlap.

    :raises DataError: naming both.
    """
    text = info.data.get("text", "")
    for one, other in pairwise(entities):
        if other.start < one.end:
            raise DataError(f"{told(one, text)} and {told(other, text)} overlap.", do="keep one of them: entities are flat here.")
    return entities


AnySpans = Annotated[tuple[Span, ...], BeforeValidator(plain), AfterValidator(fit)]
"""The type of an example's spans that may overlap, in a model whose `text` is a field before them."""
Spans = Annotated[AnySpans, AfterValidator(are_flat)]
"""The type of an example's spans, none overlapping another."""


class Entity(BaseModel):
    """A span of the text and its type."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="The entity as it stands in the text.")
    label: str = Field(description="Its type.")
    start: int = Field(description="Its first character, from 0.")
    end: int = Field(description="The character after its last: text[start:end] is the entity.")
    score: float = Field(description="Its probability where entities may overlap, else its least certain token's; 0 to 1.")


class Entities(Output):
    """The entities that were found, in the order of the text."""

    entities: tuple[Entity, ...] = Field(description="What was found; none overlaps another, if such were not learned.")

    def in_line(self, top: int = 3) -> str:
        """Each entity with its type: all of them, for none is a second best."""
        return ", ".join(f"{found.text} ({found.label} {figure(found.score)})" for found in self.entities) or "no entities"


class SpanLabels(ShowingState):
    """What the task learned: the types in their order."""

    labels: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    """The tags of a tagger that was made elsewhere, of any scheme, in the order of its scores; none for one made here."""
    scheme: SchemeName = "IOB2"
    """The scheme that the head was taught, where it was made here."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags in the order of the scores: those that were given, or O, then the scheme's of each type."""
        return self.given or SCHEMES[self.scheme].tags(self.labels)

    def begins(self, label: str, *, is_one: bool) -> int:
        """Return the tag with which an entity begins: its place among the scores.

        :param is_one: the entity has no second token.
        """
        begun, inside = ({tag[2:] for tag in self.tags if tag.startswith(f"{letter}-")} for letter in "BI")
        letters = "BIM" if inside <= begun else "IB"  # IOB1: B only between neighbours, and not every type has such
        letters = f"SUW{letters}" if is_one else letters
        wanted = [*(f"{letter}-{label}" for letter in letters), label]
        return self.tags.index(next(tag for tag in wanted if tag in self.tags))


class SpanOptions(HeldOptions, LabelRules):
    """Options of every task that finds spans."""

    max_new_tokens: int = Field(
        default=256, ge=1, le=100_000, description="On a backbone that writes: how many tokens an answer has at most, and a part "
        "of a text that is asked about.",
    )  # fmt: skip

    subwords: Literal["auto", "first", "all"] = Field(
        default="auto",
        description="Which tokens of a word learn and decide. first: its first token speaks for the word. all: each for "
        "itself. Scripts without spaces have no such words: there each token speaks for itself in both. auto: all; first for "
        "a tagger made elsewhere, whose other tokens may have learned nothing.",
    )
    scheme: Literal["auto", "IO", "IOB1", "IOB2", "BIOES", "BMEWO", "BILOU"] = Field(
        default="auto",
        description="The tags that the head is taught, whatever the data hold. auto: BIOES or BILOU where the data are tagged "
        "so, else IOB2. IO has the fewest tags, and joins neighbours of one type; BIOES, BMEWO and BILOU, which differ in "
        "letters alone, tell where a span ends.",
    )
    characters: Literal["together", "apart"] = Field(
        default="together",
        description="How characters of scripts without spaces are read. together: as the tokenizer takes them; what no whole "
        "number of its tokens can say is out of reach. apart: each has a token of its own, and texts take more of them.",
    )
    overlap: int = Field(
        default=64, ge=0, le=4096, description="Tokens that the windows of a long text share, at most half a window."
    )


def fitted(span: Span, text: str) -> Span:
    """Return a span without white space at its ends.

    :raises DataError: when it is no part of the text, or not what it says it is.
    """
    if not 0 <= span.start < span.end <= len(text):
        raise DataError(
            f"the {span.label!r} from {span.start} to {span.end} is no part of a text of {len(text)} characters.",
            do=f"start is the first character, counted from 0; end is the one after the last{_sizes(text)}.",
        )
    found = text[span.start : span.end]
    if span.text and span.text != found:
        ways = " or ".join(readings_of(text, span.start, span.end, span.text))
        raise DataError(
            f"{told(span, text)} should be {span.text!r}.",
            do=f"these offsets are counted {ways}: convert them to characters from 0, the end being the one after the last."
            if ways
            else "offsets count characters, not bytes, from 0; end is the character after the last.",
        )
    if not found.strip():
        raise DataError(f"{told(span, text)} is all white space.", do="leave it out.")
    if cut := cut_mark(text, span.start, span.end):
        raise DataError(f"{told(span, text)} cuts a character: {cut}.", do="begin and end spans between characters.")
    start = span.start + len(found) - len(found.lstrip())
    return Span(start=start, end=start + len(found.strip()), label=span.label)


def _sizes(text: str) -> str:
    """Say how long a text is in bytes and in UTF-16 units, where that is not its number of characters."""
    bytes_, units = len(text.encode()), len(text.encode("utf-16-le")) // 2
    return "" if bytes_ == len(text) else f"; it has {bytes_} bytes in UTF-8 and {units} units in UTF-16"


def told(span: Span, text: str) -> str:
    """Return a span as messages tell it: its text, its type, its place."""
    return f"{text[span.start : span.end]!r} ({span.label}, {span.start} to {span.end})"

"""The answers that were wrong, the surest first: where reading begins when a figure is not what was hoped for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from functory.errors import OptionError

if TYPE_CHECKING:
    from functory.contracts.judging import Judgement
    from functory.contracts.task import Task
    from functory.data import Examples

KEPT = 20
"""Mistakes that a report keeps where nobody asks for another number."""
LONGEST = 400
"""Characters of a text that are kept; the place says where all of it stands."""
SHOWN = 120
"""Characters of a text in a line of a table; a narrow terminal shows fewer."""


class Mistake(BaseModel):
    """An example that was answered wrongly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: str = Field(description="Where the example comes from: 'reviews.csv, line 7'.")
    text: str = Field(description="The input, its beginning where it is long.")
    given: str = Field(description="The answer.")
    wanted: str = Field(description="The right answer.")
    confidence: float | None = Field(None, description="How sure the function was, 0 to 1; None where it does not say.")
    fault: str = Field("", description="What is wrong with an answer of several parts, and what is lacking.")


def mistakes(
    task: Task[Any], outputs: Sequence[Any], found: Examples, state: Any, most: int
) -> tuple[int | None, tuple[Mistake, ...]]:
    """Return how many answers are wrong, None where the task calls none right or wrong, and the surest of them.

    :param most: how many to return.
    """
    judgements = [task.judge(output, example, state) for output, example in zip(outputs, found, strict=True)]
    if all(one.is_right is None for one in judgements):
        return None, ()
    wrong = [n for n, one in enumerate(judgements) if one.is_right is False]
    surest = sorted(wrong, key=lambda n: -sureness(judgements[n]))[:most]
    kept = [_mistake(found.places[n], input_text(task, found[n]), judgements[n]) for n in surest]
    return len(wrong), tuple(kept)


def check_count(count: int, name: str) -> None:
    """Refuse a number of rows to list that is none.

    :raises OptionError: when it is negative.
    """
    if count < 0:
        raise OptionError(f"{name} = {count} is not allowed.", do="say how many to list: 0, 20 …")


def sureness(judgement: Judgement) -> float:
    """Return how sure the function was; below everything where it does not say."""
    return -1.0 if judgement.confidence is None else judgement.confidence


def input_text(task: Task[Any], example: Any) -> str:
    """Return an example's input as one text: its only field, or each field with its name."""
    values = {name: getattr(example, name) for name in task.Input.model_fields}
    if len(values) == 1:
        return cut(str(next(iter(values.values()))), LONGEST)
    return cut(" | ".join(f"{name}: {value}" for name, value in values.items()), LONGEST)


def wrong_line(wrong: int, examples: int) -> str:
    """Return how many answers are wrong, as a sentence without its end."""
    if not wrong:
        return f"none of {examples:,} answers is wrong"
    return f"{wrong:,} of {examples:,} answers {'is' if wrong == 1 else 'are'} wrong"


def cut(text: str, longest: int) -> str:
    """Return the beginning of a text as one line."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def rows(found: Sequence[Mistake], source: str, longest: int = SHOWN) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a table of mistakes.

    :param source: the report's, which is not said again in every row.
    :param longest: characters of each text and answer.
    """
    has_parts = any(one.fault for one in found)
    header = ["where", "sure", *(["what is wrong"] if has_parts else ["given", "right"]), "text"]
    return header, [
        [
            one.place.removeprefix(source).lstrip(", "),
            "" if one.confidence is None else f"{one.confidence:.2f}",
            *(cut(answer, longest) for answer in ([one.fault] if has_parts else [one.given, one.wanted])),
            cut(one.text, longest),
        ]
        for one in found
    ]


def _mistake(place: str, text: str, judgement: Judgement) -> Mistake:
    return Mistake(
        place=place,
        text=text,
        given=cut(judgement.given, LONGEST),
        wanted=cut(judgement.wanted or "", LONGEST),
        confidence=judgement.confidence,
        fault=cut(judgement.fault, LONGEST),
    )

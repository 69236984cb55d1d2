"""The right answers as data give them, whatever their shape, and where they stand in their context."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from functory_sdk import DataError, plain, structure
from functory_sdk.spans.offsets import readings_of

FIELD = "answers"
TOLD = 60
"""Characters of an answer in a message."""


class Gold(BaseModel):
    """A right answer."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="The answer as it stands in the context.")
    starts: tuple[int, ...] = Field((), description="The first characters: one, or all places where it stands if none was given.")
    given: int | None = Field(None, exclude=True, repr=False, description="The offset that was given, where it is another.")

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """First character and the one after the last, of each place."""
        return tuple((start, start + len(self.text)) for start in self.starts)


def listed(value: Any) -> Any:  # Any: whatever the data hold
    """Return right answers as a list of texts with offsets.

    Read are a text; a list of texts; objects with ``text`` and ``answer_start`` (or ``start``); and one object with a list of
    each, as data sets of columns have them.

    :raises DataError: when it is none of these.
    """
    value = structure(value) if isinstance(value, str) and value.strip()[:1] in ("[", "{") else plain(value)
    if value is None or value == "":
        return []
    if isinstance(value, str | Gold):
        return [_gold(value)]
    if isinstance(value, Mapping) and isinstance(value.get("text"), list):
        texts, starts = value["text"], value.get("answer_start", value.get("start"))
        if starts is not None and len(starts) != len(texts):
            what = f"answers have {len(texts)} texts and {len(starts)} offsets."
            raise DataError(what, where=FIELD, do="give each text its offset.")
        value = [{"text": text, "start": start} for text, start in zip(texts, starts or [None] * len(texts), strict=True)]
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list | tuple):
        raise DataError(f"answers are a {type(value).__name__}.", where=FIELD, do='give a text, or [{"text": "…", "start": 0}].')
    return [_gold(one) for one in value]


def _gold(one: Any) -> Gold:  # Any: as above
    if isinstance(one, Gold):
        return one
    if isinstance(one, str):
        return Gold(text=one)
    if not isinstance(one, Mapping) or not isinstance(one.get("text"), str):
        raise DataError(f"{str(one)[:TOLD]!r} is no answer.", where=FIELD, do='give a text, or {"text": "…", "start": 0}.')
    start = one.get("answer_start", one.get("start"))
    if isinstance(start, list) and len(start) == 1:
        [start] = start
    if isinstance(start, str) and start.strip().isdigit():
        start = int(start)
    if isinstance(start, float) and start.is_integer():
        start = int(start)
    if start is None and isinstance(one.get("starts"), list | tuple):
        return Gold(text=one["text"], starts=tuple(one["starts"]))
    if start is not None and (not isinstance(start, int) or isinstance(start, bool)):
        what = f"the offset of {one['text'][:TOLD]!r} is {start!r}."
        raise DataError(what, where=FIELD, do="give the place of its first character.")
    return Gold(text=one["text"], given=None if start is None or start < 0 else start)


def placed(answers: tuple[Gold, ...], context: str) -> tuple[Gold, ...]:
    """Return right answers, each once, with the places where they stand in their context.

    One with an offset at which it does not stand is at the nearest place where it does; one without an offset is at all of
    them. White space at its ends is left out.

    :raises DataError: for one that is empty or stands nowhere.
    """
    found = {(one.text, one.starts): one for one in (_placed(one, context) for one in answers)}
    return tuple(found.values())


def _placed(gold: Gold, context: str) -> Gold:
    text = gold.text.strip()
    if not text:
        raise DataError("an answer is empty.", where=FIELD, do="give [] where the context has no answer.")
    if gold.starts:
        wrong = next((start for start in gold.starts if context[start : start + len(text)] != text), None)
        if wrong is None:
            return gold
        gold = Gold(text=text, given=wrong)
    given = None if gold.given is None else gold.given + len(gold.text) - len(gold.text.lstrip())
    if given is not None and context[given : given + len(text)] == text:
        return Gold(text=text, starts=(given,))
    places = tuple(_places(text, context))
    if not places:
        raise DataError(
            f"{text[:TOLD]!r} does not stand in the context.",
            where=FIELD,
            do="give the answer as it is written there, letter by letter, or leave the row out (on_bad_row = 'skip').",
        )
    if given is None:
        return Gold(text=text, starts=places)
    nearest = min(places, key=lambda place: (abs(place - given), place))
    return Gold(text=text, starts=(nearest,), given=given)


def is_moved(gold: Gold) -> bool:
    """Return whether an answer does not stand at the offset that was given."""
    return gold.given is not None and gold.given not in gold.starts


def ways(gold: Gold, context: str) -> str:
    """Return how an offset that is off may have been counted, such as "in UTF-16 units"; empty where no way fits."""
    text, start = gold.text, gold.given or 0
    sizes = (len(text), len(text.encode("utf-16-le")) // 2, len(text.encode()))
    found = dict.fromkeys(name for size in sizes for name in readings_of(context, start, start + size, text))
    return " or ".join(found)


def _places(text: str, context: str) -> Iterator[int]:
    """Give each place where a text stands."""
    place = context.find(text)
    while place >= 0:
        yield place
        place = context.find(text, place + 1)

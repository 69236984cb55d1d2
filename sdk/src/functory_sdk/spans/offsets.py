"""Offsets that were counted in something else than characters: noticed by entities that begin or end inside a word.

UTF-16 units are what JavaScript, Java and C# count, UTF-8 bytes what Go and Rust do; ends that are inclusive and places
counted from 1 come from older formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from functory_sdk.spans.scripts import is_inside_word

Reading = Callable[[int, int], tuple[int, int]]
"""Offsets as they were given → first character and the one after the last; -1 where a place is inside a character."""


class Placed(Protocol):
    """What has a place in a text."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def is_cut(text: str, span: Placed) -> bool:
    """Return whether a span begins or ends inside a word of a script that is written with spaces."""
    return _is_inside(text, span.start) or _is_inside(text, span.end)


def likely_readings(texts: Sequence[tuple[str, Sequence[Placed]]]) -> list[str]:
    """Return how offsets may have been counted: each way in which every entity is a whole, such as "in UTF-16 units".

    :param texts: each text with its spans, read as characters, and freed of white space at their ends.
    """
    found = [name for name in _READINGS if all(_fits(text, span, name) for text, spans in texts for span in spans)]
    return [name for name in found if not any(other != name and name.startswith(other) for other in found)]


def readings_of(text: str, start: int, end: int, wanted: str) -> list[str]:
    """Return how offsets may have been counted: each way in which a wanted part of the text stands there."""
    places = {name: make(text)(start, end) for name, make in _READINGS.items()}
    return [name for name, (first, last) in places.items() if 0 <= first < last and text[first:last] == wanted]


def _fits(text: str, span: Placed, name: str) -> bool:
    """Return whether a span is a whole, counted in another way: wherever in the white space around it was given."""
    reading = _READINGS[name](text)
    for start in _spaces(text, range(span.start, -1, -1), -1):
        for end in _spaces(text, range(span.end, len(text) + 1), 0):
            first, last = reading(start, end)
            is_part = 0 <= first < last <= len(text) and bool(text[first:last].strip())
            if is_part and not _is_inside(text, first) and not _is_inside(text, last):
                return True
    return False


def _spaces(text: str, places: Iterable[int], beside: int) -> Iterator[int]:
    """Give the first of some places, and those after it as long as only white space lies between."""
    for place in places:
        yield place
        if not text[place + beside : place + beside + 1].isspace():
            return


def _is_inside(text: str, place: int) -> bool:
    return 0 < place < len(text) and is_inside_word(text, place)


def _in_units(size: Callable[[str], int]) -> Callable[[str], Reading]:
    """Return the reading of offsets that count so many units a character."""

    def make(text: str) -> Reading:
        places: list[int] = []
        for place, character in enumerate(text):
            places += [place, *[-1] * (size(character) - 1)]
        places.append(len(text))
        return lambda start, end: (_at(places, start), _at(places, end))

    return make


def _at(places: Sequence[int], place: int) -> int:
    return places[place] if 0 <= place < len(places) else -1


_READINGS: dict[str, Callable[[str], Reading]] = {
    "in UTF-16 units": _in_units(lambda character: 1 + (character > "\uffff")),
    "in UTF-8 bytes": _in_units(lambda character: len(character.encode())),
    "with inclusive ends": lambda text: lambda start, end: (start, end + 1),
    "from 1": lambda text: lambda start, end: (start - 1, end - 1),
    "from 1, with inclusive ends": lambda text: lambda start, end: (start - 1, end),
}

"""Marks in a text: ``<e1>boat</e1>``, ``[E2]dock[/E2]`` → the text without them, and where the two spans stand."""

from __future__ import annotations

import re

NAMES = {"head": ("e1", "head", "subj", "subject"), "tail": ("e2", "tail", "obj", "object")}
"""Each span and what its marks are called, in any case, in <> or in []."""
_MARK = re.compile(
    r"<(/?)({0})>|\[([/\\]?)({0})\]".format("|".join(name for names in NAMES.values() for name in names)), re.IGNORECASE
)


def unmarked(text: str) -> tuple[str, dict[str, tuple[int, int]]]:
    """Return a marked text without its marks, and the span of each that it marks once, from its opening to its closing mark.

    A text that does not mark both spans, each once, is a text: it comes back as it is, with no span.
    """
    parts: list[str] = []
    opened: dict[str, list[int]] = {"head": [], "tail": []}
    closed: dict[str, list[int]] = {"head": [], "tail": []}
    length = last = 0
    for found in _MARK.finditer(text):
        slash, name = (found[1], found[2]) if found[2] else (found[3], found[4])
        parts.append(text[last : found.start()])
        length += len(parts[-1])
        last = found.end()
        which = next(span for span, names in NAMES.items() if name.lower() in names)
        (closed if slash else opened)[which].append(length)
    places = {span: (*opened[span], *closed[span]) for span in NAMES}
    if not all(len(place) == 2 and place[0] <= place[1] for place in places.values()):
        return text, {}
    if any(len(opened[span]) != 1 for span in NAMES):
        return text, {}
    return "".join([*parts, text[last:]]), {span: (place[0], place[1]) for span, place in places.items()}

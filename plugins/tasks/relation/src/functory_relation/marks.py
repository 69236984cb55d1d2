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
    bare, opened, closed = _marks(text)
    if any(len(opened[span]) != 1 or len(closed[span]) != 1 or opened[span] > closed[span] for span in NAMES):
        return text, {}
    return bare, {span: (opened[span][0], closed[span][0]) for span in NAMES}


def trouble(text: str, span: str) -> str:
    """Say why a text that came back as it is marks no such span: none there, one not closed, or several.

    :param span: ``head`` or ``tail``.
    """
    _, opened, closed = _marks(text)
    begins, ends = len(opened[span]), len(closed[span])
    if not begins and not ends:
        return "the text marks no such span"
    if (begins, ends) == (1, 1):
        is_turned = opened[span] > closed[span]
        return "its mark closes before it opens" if is_turned else "both spans are to be marked, and this one alone is"
    return f"the text opens its mark {_times(begins)} and closes it {_times(ends)}, and one span is wanted"


def _times(count: int) -> str:
    return ("never", "once", "twice")[count] if count < 3 else f"{count} times"


def _marks(text: str) -> tuple[str, dict[str, list[int]], dict[str, list[int]]]:
    """Return a text without any marks, and where in it each span is opened and closed."""
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
    return "".join([*parts, text[last:]]), opened, closed

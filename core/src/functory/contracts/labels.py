"""What a label is, and what is done with labels that may be mistakes. One rule for every task that has labels.

Apart from `task`, because options, examples and the reading of data all speak of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator

from functory.contracts.cells import structure
from functory.contracts.component import Options
from functory.contracts.plain import plain

MISSING = frozenset(
    ["nan", "NaN", "-nan", "None", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NULL", "null", "NaT"]
)
"""What tables write where there is nothing, each in its spelling: 'none', 'na' and 'no' are words."""


ALIKE = "differ in nothing but case, Unicode form, invisible characters or '.0'"

_WHOLE = re.compile(r"([+-]?\d+)\.0+")
"""A whole number as floats are written: a column of numbers with a gap is one of floats, to pandas and to others."""


def label_text(value: Any) -> Any:  # Any: whatever the data hold
    """Return a label as text: numbers and truth values as Python writes them, 1.0 as 1; without white space around it.

    What can be no label comes back as it is.
    """
    value = plain(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (bool, int)):
        return str(value)
    return value.strip() if isinstance(value, str) else value


Label = Annotated[str, BeforeValidator(label_text), StringConstraints(min_length=1)]
"""The type of a field that holds a label."""


def _read(value: Any) -> Any:  # Any: as above
    """Return the list that a text writes, or the value as it is."""
    found = structure(value) if isinstance(value, str) else plain(value)
    if isinstance(found, str) and found.strip().startswith(("['", '["')):
        raise ValueError("it begins like a list, and cannot be read as one")
    return found


LabelOrList = Annotated[Label | tuple[Label, ...], BeforeValidator(_read)]
"""The type of a field that holds a label or a list of them, which a text may write as JSON and Python do."""


def folded(label: str) -> str:
    """Return what a label has in common with those that look like it: without regard to case, Unicode form and what is
    invisible (NFKC_Casefold of Unicode, chapter 3.13, without all format characters and the white space around), 1.0 as 1.
    """
    while True:
        seen = "".join(character for character in label if not _is_invisible(character))
        once = unicodedata.normalize("NFKC", seen.casefold()).strip()
        if once == label:
            return whole[1] if (whole := _WHOLE.fullmatch(label)) else label
        label = once


def _is_invisible(character: str) -> bool:
    """Return whether a character has no form of its own: zero-width signs, marks of direction, variation selectors."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f" or character in "\u034f\u115f\u1160"


def listed(labels: Sequence[str], most: int = 12) -> str:
    """Return labels for a message: the first of many, and how many more there are."""
    shown = ", ".join(labels[:most])
    return shown if len(labels) <= most else f"{shown} and {len(labels) - most:,} more"


def known_labels(label: str, labels: Sequence[str]) -> str:
    """Return what to do about a label that a function does not know: the near one, and those that it knows."""
    near = get_close_matches(label, labels, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}{'T' if near else 't'}he function knows {listed(labels)}."


class LabelRules(Options):
    """What every task with labels lets its user say about them; its options inherit from it."""

    alike: Literal["refuse", "merge", "keep"] = Field(
        default="refuse",
        description="Labels that differ in nothing but case, Unicode form, invisible characters or '.0', as 'pos' and 'Pos'. "
        "refuse: an error that counts them. merge: all become the commonest, or the one that 'labels' names. keep: each is "
        "a label of its own.",
    )
    missing: Literal["refuse", "keep", "drop"] = Field(
        default="refuse",
        description="Labels that say there is none, as tables do: nan, None, NA, NULL, #N/A. refuse: an error that counts "
        "them. keep: they are labels like any other. drop: pass over their rows.",
    )

    labels: tuple[str, ...] = Field(
        default=(), description="The labels in their order; taken from the training data if not given."
    )
    @field_validator("labels")
    @classmethod
    def _once(cls, labels: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse labels that are named twice, are empty, or only look different, unless such are to be kept."""
        labels = tuple(label.strip() for label in labels)
        if "" in labels:
            raise ValueError("a label is empty")
        twice = [label for label, count in Counter(labels).items() if count > 1]
        if twice:
            raise ValueError(f"{twice[0]!r} is named {labels.count(twice[0])} times")
        first: dict[str, str] = {}
        for label in labels if info.data.get("alike") != "keep" else ():
            other = first.setdefault(folded(label), label)
            if other != label:
                raise ValueError(f"{other!r} and {label!r} {ALIKE}; alike = 'keep' keeps both")
        return labels

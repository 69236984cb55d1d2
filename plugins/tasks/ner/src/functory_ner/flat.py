"""Which entities may stand together: none that overlap, those that lie in one another, any."""

from __future__ import annotations

from itertools import combinations

from functory_ner.types import Standing, TaggedText
from functory_sdk import DataError
from functory_sdk.spans.types import told


def check_standing(example: TaggedText, standing: Standing) -> None:
    """Refuse entities that a function of this kind cannot give.

    :raises DataError: naming both.
    """
    text = example.text
    for one, other in combinations(example.entities, 2):  # in the order of the text
        if other.start >= one.end:
            continue
        both = f"{told(one, text)} and {told(other, text)}"
        if (one.start, one.end) == (other.start, other.end):
            raise DataError(f"{both} are one stretch twice.", do="keep one of them: a stretch has one type.")
        if standing == "flat":
            is_crossed = one.start < other.start and one.end < other.end
            wanted = "overlapping" if is_crossed else "nested"
            raise DataError(f"{both} overlap.", do=f"keep one of them, or let entities stand so: spans = {wanted!r}.")
        if standing == "nested" and one.start < other.start and one.end < other.end:
            raise DataError(f"{both} cross.", do="keep one of them, or let entities cross: spans = 'overlapping'.")

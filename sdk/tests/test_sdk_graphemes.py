"""Where a character ends as people see it: flags, families of emoji, letters with their marks, Korean syllables."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from functory_sdk.spans.graphemes import grapheme_borders

FAMILY, FLAGS = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1ef\U0001f1f5\U0001f1ee\U0001f1f9"
ACCENT, HANGUL, HAND = "e\u0301", "\u1112\u1161\u11ab", "\U0001f44b\U0001f3fd"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"a{FAMILY}b", ["a", FAMILY, "b"]), (FLAGS, [FLAGS[:2], FLAGS[2:]]), (ACCENT * 2, [ACCENT, ACCENT]),
        (HANGUL + "각", [HANGUL, "각"]), ("a\r\n\u0301b", ["a", "\r\n", "\u0301", "b"]), (HAND + HAND[0], [HAND, HAND[0]]),
        ("नि", ["नि"]), ("", []),
    ],
)  # fmt: skip
def test_characters_are_those_that_people_see(text: str, parts: list[str]) -> None:
    places = np.flatnonzero(grapheme_borders(text)).tolist()
    assert [text[one:other] for one, other in pairwise(places)] == parts


def test_a_flood_of_marks_or_of_flags_takes_one_look_at_each() -> None:
    assert grapheme_borders("e" + "\u0301" * 100_000).sum() == 2
    assert grapheme_borders(FLAGS[0] * 100_001).sum() == 50_002

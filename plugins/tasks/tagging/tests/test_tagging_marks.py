"""Punctuation: which marks follow words, and a text with others put in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functory_tagging.marks import punctuated
from functory_tagging.punctuating import best_favour
from functory_tagging.types import MARKS


def told(text: str) -> list[tuple[str, str]]:
    found = punctuated(text, MARKS)
    return [(text[a:b], mark) for (a, b), mark in zip(found.words, found.after, strict=True)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Hello, world.", [("Hello", ","), ("world", ".")]), ("Hello , world .", [("Hello", ","), ("world", ".")]),
        ("At 10:30 it was 3.5, or", [("At", ""), ("10:30", ""), ("it", ""), ("was", ""), ("3.5", ","), ("or", "")]),
        ('"Yes!" he said; (no).', [("Yes", "!"), ("he", ""), ("said", ";"), ("no", ".")]),
        ("他说：“你好。”", [("他", ""), ("说", "："), ("你", ""), ("好", "。")]),
        ("你好,世界", [("你", ""), ("好", ","), ("世", ""), ("界", "")]),
        ("Why?! Zoe\u0308.", [("Why", "?"), ("Zoe\u0308", ".")]),
        ("it's re-done...", [("it's", ""), ("re-done", ".")]), ("", []), (" ?! ", []), ("www.a.org", [("www.a.org", "")]),
    ],
)  # fmt: skip
def test_each_word_is_followed_by_its_mark(text: str, wanted: list[tuple[str, str]]) -> None:
    assert told(text) == wanted


@pytest.mark.parametrize("text", ["Hello, world. Yes!", "他说：“你好。”", "At 10:30, we (all) left; 3.5 km.", "a b", ""])
def test_a_text_comes_back_when_its_own_marks_are_put_in(text: str) -> None:
    found = punctuated(text, MARKS)
    assert found.restored(found.after) == text
    bare = found.restored([""] * len(found.words))
    again = punctuated(bare, MARKS)
    assert again.restored(found.after) == text
    assert not any(again.after)


@given(st.text(alphabet="ab ,.?你好。'\"3:\u0301\n", max_size=30))
def test_words_and_marks_lie_in_the_text_in_order_and_nothing_else_is_lost(text: str) -> None:
    found = punctuated(text, MARKS)
    places = [place for word in found.words for place in word]
    assert places == sorted(places)
    assert len(found.bare) == len(text)
    kept = [sign for place, sign in enumerate(text) if place not in found.marks and not sign.isspace()]
    assert [sign for sign in found.restored([""] * len(found.words)) if not sign.isspace()] == kept


def test_marks_are_favoured_as_far_as_their_f1_is_best() -> None:
    draw = np.random.default_rng(0)
    for _ in range(20):
        raw = draw.normal(size=(40, 3)) + np.asarray((2, 0, 0))
        scores = raw - np.log(np.exp(raw).sum(1, keepdims=True))
        golds = draw.choice(3, 40, p=[0.8, 0.1, 0.1])

        def f1(favour: float) -> float:
            given = (scores + np.asarray((0, favour, favour))).argmax(1)  # noqa: B023 - called at once
            return 2 * ((given == golds) & (golds > 0)).sum() / ((given > 0).sum() + (golds > 0).sum())  # noqa: B023

        found = best_favour(scores, golds)
        assert f1(found) == pytest.approx(max(f1(favour) for favour in np.linspace(-8, 8, 2001)))

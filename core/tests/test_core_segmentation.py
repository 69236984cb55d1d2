"""Words of any script: the ones people see, at their places, and nothing lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functory.reading import segmentation
from functory.reading.segmentation import SINGLE, notes, words


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It’s 3.5 stars, re-cut.", ["It’s", "3.5", "stars", ",", "re-cut", "."]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("مَرْحَبًا يا", ["مَرْحَبًا", "يا"]),
        ("cafe\u0301 noir", ["cafe\u0301", "noir"]),
        ("fine 👍🏽 👨\u200d👩\u200d👧!", ["fine", "👍🏽", "👨\u200d👩\u200d👧", "!"]),
        ("🇩🇪🇫🇷🇮 a🇨🇳", ["🇩🇪", "🇫🇷", "🇮", "a", "🇨🇳"]),
    ],
)
def test_marks_stay_with_their_letters_and_signs_stand_alone(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_latin_words_end_where_chinese_or_japanese_begins() -> None:
    assert cut("我iPhone，")[:2] == ["我", "iPhone"]
    assert cut("iPhoneを")[0] == "iPhone"


def test_chinese_is_cut_by_the_segmenter_and_without_it_by_characters_with_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Pairs:
        def cut(self, run: str) -> list[str]:
            return [run[at : at + 2] for at in range(0, len(run), 2)]

    monkeypatch.setattr(segmentation, "_segmenter", Pairs)
    assert (cut("我们喜欢它。"), notes("我们喜欢它。")) == (["我们", "喜欢", "它", "。"], ())
    monkeypatch.setattr(segmentation, "_segmenter", lambda: None)
    assert (cut("我们好"), notes("我们好")) == (["我", "们", "好"], (SINGLE,))
    assert notes("a fine film") == ()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_character_but_spaces_stands_in_one_word_and_no_word_begins_with_a_mark(text: str) -> None:
    spans = words(text)
    places = [at for start, end in spans for at in range(start, end)]
    assert places == [at for at, char in enumerate(text) if not char.isspace()]
    for start, end in spans:
        assert end > start
        if unicodedata.category(text[start])[0] == "M" and start:
            assert text[start - 1].isspace() or segmentation._UNSPACED.match(text[start - 1])

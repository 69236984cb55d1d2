"""Sentences, parts of long texts and ROUGE: what tasks that write share."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from functory_sdk import ROUGE, Tokenizer, parted, rouge, rouge_scorer, sentence_spans, word_count
from functory_sdk.testing.tiny import TinyDecoder, TinyEncoder
from functory_sdk.writes.rouge import common_sequence


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("We saw it. It was good!", ["We saw it.", "It was good!"]),
        ("Mr. Lee paid 3.5 dollars, e.g. for tea. Why?", ["Mr. Lee paid 3.5 dollars, e.g. for tea.", "Why?"]),
        ("J. K. Rowling wrote it. The U.S. agreed.", ["J. K. Rowling wrote it.", "The U.S. agreed."]),
        ('"Why?" she asked. "No."', ['"Why?" she asked.', '"No."']),
        ("It ended… or not. Then", ["It ended… or not.", "Then"]),
        ("我去了。他说：“你好！”然后走了。真的吗", ["我去了。", "他说：“你好！”", "然后走了。", "真的吗"]),
        ("one line\nanother\n\n  third ", ["one line", "another", "third"]),
        ("no end at all", ["no end at all"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, wanted: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text)] == wanted


def texts(seed: int, count: int) -> list[str]:
    generator = random.Random(seed)
    words = ["film", "Mr. Lee", "3.5", "good.", "We", "saw!", "价格合理。", "质量", "👩‍🔬", "ï", "\n", "e.g.", "x" * 30, "“No.”"]
    return [" ".join(generator.choices(words, k=generator.randint(0, 40))) for _ in range(count)]


def test_more_text_changes_no_sentence_before_the_last() -> None:
    for text in texts(1, 25):
        for size in range(len(text) + 1):
            before, whole = sentence_spans(text[:size]), sentence_spans(text)
            assert before[:-1] == whole[: max(0, len(before) - 1)], repr(text[:size])


@cache
def tokenizers() -> list[Tokenizer]:
    return [TinyDecoder().tokenizer, TinyEncoder().tokenizer]


@pytest.mark.parametrize("room", [1, 7, 40])
def test_parts_fit_hold_the_whole_text_and_end_with_sentences_where_they_can(room: int) -> None:
    for tokenizer in tokenizers():
        for text in texts(2, 15):
            parts = parted(text, tokenizer, room)
            if len(tokenizer.tokens([text])[0]) <= room:
                assert parts == [text]
                continue
            assert "".join("".join(parts).split()) == "".join(text.split())
            sizes = [len(tokenizer.tokens([part])[0]) for part in parts]
            most = max(room, max(len(tokenizer.tokens([sign])[0]) for sign in text))  # one sign may have more tokens
            assert max(sizes, default=0) <= most
    plain = "We saw it. " * 12
    assert all(part.endswith(".") for part in parted(plain, tokenizers()[0], 40))


def test_a_text_is_parted_into_parts_of_about_one_length() -> None:
    sizes = [len(part) for part in parted("We saw it all day. " * 13, tokenizers()[0], 200)]
    assert len(sizes) == 2
    assert max(sizes) < 1.3 * min(sizes)


def test_rouge_counts_shared_words_pairs_and_sequences() -> None:
    found = rouge("The cat sat on the mat.", "the cat is on the mat")
    assert found == {"rouge1": pytest.approx(10 / 12), "rouge2": pytest.approx(6 / 10), "rougeL": pytest.approx(10 / 12)}
    assert rouge("mat the on sat cat the", "the cat sat on the mat")["rougeL"] == pytest.approx(2 * 3 / 12)  # the sat the
    assert rouge("价格合理", "价格很合理")["rouge1"] == pytest.approx(8 / 9)
    assert rouge("a", "b") == rouge("", "a") == rouge("", "") == dict.fromkeys(ROUGE, 0.0)
    assert word_count("It's 3 价格.") == 5
    score = rouge_scorer(["a b", "c"], ["a b", "d"])
    assert score(np.arange(2)) == pytest.approx({"rouge1": 0.5, "rouge2": 0.5, "rougeL": 0.5})
    assert score(np.asarray([0, 0])) == pytest.approx(dict.fromkeys(ROUGE, 1.0))


def test_the_longest_common_sequence_is_that_of_the_plain_table() -> None:
    generator = random.Random(4)
    for _ in range(60):
        one, other = (generator.choices("abcd", k=generator.randint(0, 90)) for _ in range(2))
        row = [0] * (len(other) + 1)
        for item in one:
            row = [0, *_row(item, other, row)]
        assert common_sequence(one, other) == row[-1]


def _row(item: str, other: list[str], above: list[int]) -> list[int]:
    found: list[int] = []
    for place, (corner, up) in enumerate(pairwise(above)):
        left = found[-1] if found else 0
        found.append(corner + 1 if other[place] == item else max(up, left))
    return found

"""What the audit finds that stands in no single row: likeness, leaks, shift. On texts made here, and their numbers by hand."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from pydantic import BaseModel

from functory.data import Examples, Splits, audit, split
from functory.data.leaks import leaks
from functory.data.likeness import Shingles, alike
from functory.data.shifts import LabelShift, LengthShift, WordShift, shifts
from functory.data.units import joined, units

WORDS = [a + b for a in ("ba", "de", "fi", "go", "lu", "ni", "po", "ra") for b in ("ck", "ll", "m", "nd", "r", "st", "t")]


class Text(BaseModel):
    text: str


class Review(Text):
    label: str


class Pair(BaseModel):
    premise: str
    hypothesis: str


def by_label(example: Review) -> str:
    return example.label


def sentence(draw: random.Random, count: int = 14) -> str:
    return " ".join(draw.choices(WORDS, k=count))


def side(rows: list[tuple[str, str]], name: str = "train.csv") -> Examples:
    items = tuple(Review(text=text, label=label) for text, label in rows)
    return Examples(items, tuple(f"{name}, line {n + 2}" for n in range(len(items))), name, ("text",))


def pairs(rows: list[tuple[str, str]], name: str = "train.csv") -> Examples:
    items = tuple(Pair(premise=a, hypothesis=b) for a, b in rows)
    return Examples(items, tuple(f"{name}, line {n + 2}" for n in range(len(items))), name, ("premise", "hypothesis"))


def found(first: Examples, second: Examples) -> list[tuple[int, int]]:
    return [(one.first, one.second) for one in alike(Shingles(first), Shingles(second))]


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: f"  {text.replace(' ', '  ')} !!!",
        lambda text: f"just in: {text}",
        lambda text: text[: len(text) * 9 // 10],
        lambda text: text.replace("a", "\N{FULLWIDTH LATIN SMALL LETTER A}"),
    ],
)
def test_texts_that_differ_by_case_marks_or_a_word_are_found_among_five_hundred(change: Callable[[str], str]) -> None:
    draw = random.Random(0)
    train = side([(sentence(draw), "a") for _ in range(500)])
    test = side([(change(train[n].text), "a") for n in range(0, 500, 50)] + [(sentence(draw), "a") for _ in range(50)])
    assert found(train, test) == [(n, n // 50) for n in range(0, 500, 50)]


def test_chinese_texts_are_alike_by_pairs_of_signs_and_texts_of_signs_alone_by_these() -> None:
    train = side(
        [
            ("未来2年，这3大项目每个村都有，又有一批农民要富起来了", "a"),
            ("今天天气很好，我们去公园玩吧", "a"),
            ("🙂🙂", "a"),
        ]
    )
    test = side(
        [
            ("确定了！未来2年，这3大项目每个村都有，又有一批农民要富起来了", "a"),
            ("今天天气很好，他们在家看书呢", "a"),
            ("🙂 🙂", "a"),
            ("🙂🙂", "a"),
        ]
    )
    assert found(train, test) == [(0, 0), (2, 3)]


def test_a_pair_is_alike_only_where_both_its_texts_are() -> None:
    draw = random.Random(1)
    long, short, other = sentence(draw, 90), sentence(draw, 8), sentence(draw, 8)
    train = pairs([(long, short)])
    assert found(train, pairs([(long, other)])) == []
    assert found(train, pairs([(f"{long} yes", f"{short}!")])) == [(0, 0)]
    assert found(train, pairs([(short, long)])) == []


@pytest.mark.filterwarnings("error")
def test_texts_of_many_fields_are_compared_without_a_warning_of_numpy() -> None:
    class Question(BaseModel):
        context: str
        question: str
        options: tuple[str, ...]

    draw = random.Random(2)
    asked = Question(context=sentence(draw, 30), question=sentence(draw), options=(sentence(draw), sentence(draw)))
    rows = Examples((asked,), ("train.csv, line 2",), "train.csv", ("context", "question", "options"))
    assert found(rows, rows) == [(0, 0)]


def test_the_audit_tells_what_is_nearly_in_train_and_whether_its_label_is_another() -> None:
    draw = random.Random(2)
    train = side([(sentence(draw), "ab"[n % 2]) for n in range(60)])
    test = side(
        [(f"{train[n].text}.", "a") for n in range(10)]
        + [(train[11].text, "b")]
        + [(sentence(draw), "ab"[n % 2]) for n in range(40)],
        "test.csv",
    )
    notes = audit(Splits(train, train.take([]), test), stratify=by_label)
    assert notes == [
        "1 example of test also in train, word for word: test.csv, line 12 repeats train.csv, line 13.",
        "10 examples of test nearly in train too, 5 of them with another label: test.csv, line 3 is 100% like train.csv, line 3.",
    ]


def test_empty_sides_and_empty_texts_are_like_nothing() -> None:
    assert found(side([]), side([("a", "a")])) == []
    assert found(side([("", "a")]), side([("", "a"), ("so", "a")])) == []


def test_words_are_units_of_a_text_and_are_told_as_they_stand() -> None:
    assert units("Don't 花呗 é…") == ["don", "'", "t", "花", "呗", "é", "…"]
    assert joined(["how", "many"]) == "how many"
    assert joined(["体", "育"]) == "体育"


@pytest.mark.parametrize(("planted", "share"), [("zqx", 1.0), ("#", 0.7), ("源：新华", 0.8), ("sent from my", 0.9)])
def test_a_planted_word_is_named_on_each_of_twenty_tries(planted: str, share: float) -> None:
    for seed in range(20):
        draw = random.Random(seed)
        rows = [(sentence(draw), "abc"[n % 3]) for n in range(180)]
        leaky = [
            (_planted(text, planted, draw) if label == "b" and draw.random() < share else text, label)
            for text, label in rows
        ]
        assert seed or leaks(side(rows), by_label) == []
        named = leaks(side(leaky), by_label)
        assert named
        assert {one.label for one in named} == {"b"}
        assert all(one.words in planted for one in named)
        assert named[0].right == named[0].having <= named[0].of_label == 60


def _planted(text: str, planted: str, draw: random.Random) -> str:
    words = text.split()
    words.insert(draw.randrange(len(words) + 1), planted)
    return " ".join(words)


def test_a_run_is_named_only_where_no_word_in_it_decides_alone() -> None:
    draw = random.Random(0)
    rows = [(sentence(draw), "ab"[n % 2]) for n in range(200)]
    mixed = [(f"{text} {'how many' if label == 'a' else 'many how'}", label) for text, label in rows]
    assert [(one.words, one.label) for one in leaks(side(mixed), by_label)] == [("how many", "a"), ("many how", "b")]


def test_words_of_one_side_in_ten_or_of_the_common_label_are_no_leak() -> None:
    draw = random.Random(3)
    rare = [(sentence(draw) + (" zqx" if n % 20 == 0 else ""), "ab"[n % 2]) for n in range(400)]
    assert leaks(side(rare), by_label) == []
    common = [(sentence(draw) + (" the" if n % 10 else ""), "b" if n % 20 == 7 else "a") for n in range(400)]
    assert leaks(side(common), by_label) == []


def test_the_audit_names_the_field_of_a_leak_and_how_far_it_goes() -> None:
    draw = random.Random(4)
    rows = [(sentence(draw) + (" zqx" if n % 2 else ""), "ab"[n % 2]) for n in range(100)]
    train = side(rows)
    [note] = audit(Splits(train, train.take([]), train.take([])), stratify=by_label)
    assert note == (
        "words that tell a label alone: all 50 with 'zqx' are 'b', which 50 are. What is no part of the matter should not stand "
        "in the texts."
    )


def test_random_halves_are_not_unlike() -> None:
    for seed in range(8):
        draw = random.Random(seed)
        whole = side([(sentence(draw, draw.randrange(4, 30)), draw.choice("abc")) for n in range(300)])
        parts = split(whole, dev=0, test=0.3, seed=seed)
        assert shifts(parts.train, parts.test, by_label) == []


def test_shift_is_told_by_labels_lengths_and_words() -> None:
    draw = random.Random(5)
    train = side([(sentence(draw, 10), "a" if n % 5 else "b") for n in range(400)])
    test = side([(sentence(draw, 30) + " indeed", "ab"[n % 2]) for n in range(200)], "test.csv")
    label, length, words = shifts(train, test, by_label)
    assert isinstance(label, LabelShift)
    assert (label.first, label.second) in {(0.8, 0.5), (0.2, 0.5)}
    assert isinstance(length, LengthShift)
    assert length.second > 2 * length.first
    assert isinstance(words, WordShift)
    assert words.second[0] == "indeed"
    [note] = [note for note in audit(Splits(train, train.take([]), test), stratify=by_label) if "unlike" in note]
    assert note.startswith("test is unlike train: 'a' is 80% of train and 50% of test; its inputs have ")
    assert shifts(train.take(range(20)), test, by_label) == []

"""Which examples are kept on one side of a split: copies, and what is nearly one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydantic import BaseModel

from functory.data import Examples, split
from functory.data import kin as module
from functory.data.kin import kin
from functory.data.splits import folds_of

LONG = "we waited for an hour in the rain before anybody came to open the door of the hall"


class Row(BaseModel):
    text: str
    label: str = "a"


def examples(texts: Sequence[str], labels: Sequence[str] = ()) -> Examples:
    rows = [Row(text=text, label=label) for text, label in zip(texts, labels or ["a"] * len(texts), strict=True)]
    return Examples(tuple(rows), tuple(f"rows[{n}]" for n in range(len(rows))), "rows", ("text",))


def by_label(row: Row) -> str:
    return row.label


def test_what_is_nearly_the_same_and_has_the_same_answer_is_of_one_kin() -> None:
    texts = ["a short one", LONG, LONG.upper() + "!", "another", LONG.replace("hour", "hours"), LONG]
    assert kin(examples(texts), by_label) == [[0], [1, 2, 4, 5], [3]]


def test_what_is_nearly_the_same_and_has_another_answer_is_no_copy() -> None:
    found = examples([LONG, LONG + ".", LONG + "!", LONG], ["a", "b", "b", "b"])
    assert kin(found, by_label) == [[0, 3], [1, 2]]  # the same words are of one kin whatever the answer
    assert kin(found) == [[0, 1, 2, 3]]


def test_no_chain_of_small_changes_brings_together_what_is_unlike() -> None:
    words = LONG.split()
    texts = [" ".join(words[start : start + 12]) for start in range(6)]
    found = kin(examples(texts), by_label)
    assert len(found) > 1
    assert sorted(n for group in found for n in group) == list(range(6))


def test_of_a_large_table_some_are_compared_and_all_are_grouped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    found = kin(examples([LONG, LONG + ".", "two", "three", LONG + "!", "four", LONG]), by_label)
    assert found == [[0, 4, 6], [1], [2], [3], [5]]  # of six different ones the first, the third and the fifth are compared


def test_neither_a_split_nor_folds_part_what_is_nearly_the_same() -> None:
    texts = [f"{word} {LONG} {mark}" for word in ("first", "second", "third") for mark in ".!?"]
    texts = [text.replace("hour", text.split()[0] * 9) for text in texts] + [f"{n} and {n * n}" for n in range(11, 41)]
    whole = examples(texts)
    kins = [group for group in kin(whole, by_label) if len(group) > 1]
    assert len(kins) == 3
    place = {f"rows[{n}]": n for n in range(len(texts))}
    parts = split(whole, 0.3, 0.3, seed=1, stratify=by_label)
    for side in ([place[one] for one in side.places] for side in parts.sides().values()):
        assert all(not set(group) & set(side) or set(group) <= set(side) for group in kins)
    for fold in folds_of(whole, 4, seed=1, stratify=by_label):
        assert all(not set(group) & set(fold) or set(group) <= set(fold) for group in kins)


def test_a_class_that_is_written_in_a_few_moulds_is_parted_all_the_same() -> None:
    texts = [f"please turn {way} the lamp of the hall in house {n}" for way in ("on", "off") for n in range(100, 140)]
    whole = examples([*texts, texts[0]], [way for way in ("on", "off") for _ in range(40)] + ["on"])
    parts = split(whole, 0.1, 0.1, seed=1, stratify=by_label)
    assert {name: len(side) for name, side in parts.sides().items()} == {"train": 65, "dev": 8, "test": 8}
    assert {row.label for row in parts.dev} == {row.label for row in parts.test} == {"on", "off"}
    assert sorted(len(fold) for fold in folds_of(whole, 4, seed=1, stratify=by_label)) == [20, 20, 20, 21]
    assert all((0 in fold) == (80 in fold) for fold in folds_of(whole, 4, seed=1, stratify=by_label))  # copies stay together

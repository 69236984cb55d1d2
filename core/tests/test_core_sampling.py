"""A limit: each label by its share, in one pass, in memory for the limit, and an end where the rows have none."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from functory.data import Examples, Limit, examples, stream
from functory.data.sampling import PER_LIMIT, SLACK, Reservoir, quotas_of


class Text(BaseModel):
    text: str


class Review(Text):
    label: str | list[str] | None = None


def strata(example: Review) -> Any:
    return example.label


def limited(source: Any, count: int, seed: int = 0) -> Examples:
    return examples(stream(source), Review, {}, limit=Limit(count, seed, strata))


def rows(labels: Any) -> list[dict[str, Any]]:
    return [{"text": f"t{n}", "label": label} for n, label in enumerate(labels)]


def counted(found: Examples) -> Counter[Any]:
    return Counter(example.label for example in found)


@pytest.mark.parametrize(
    "labels", ["abcd" * 100, "a" * 100 + "b" * 100 + "c" * 100 + "d" * 100], ids=["in turn", "one after the other"]
)
def test_labels_in_any_order_keep_their_even_shares(tmp_path: Path, labels: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text("text,label\n" + "".join(f"t{n},{label}\n" for n, label in enumerate(labels)))
    found = limited(path, 200)
    assert counted(found) == {"a": 50, "b": 50, "c": 50, "d": 50}
    assert [int(text.text[1:]) for text in found] == sorted(int(text.text[1:]) for text in found)
    assert found.places[0] == f"r.csv, line {int(found[0].text[1:]) + 2}"
    assert limited(path, 200) == found
    assert limited(path, 200, seed=1).places != found.places


def test_unequal_shares_stay_and_a_rare_label_keeps_one() -> None:
    labels = ["a"] * 9000 + ["b"] * 990 + ["c"] * 10
    for order in (labels, labels[::-1]):
        assert counted(limited(rows(order), 100)) == {"a": 89, "b": 10, "c": 1}


def test_fewer_rows_than_the_limit_are_all_there_and_more_labels_than_it_are_told() -> None:
    assert len(limited(rows("abc" * 10), 30)) == 30
    many = limited(rows(f"l{n % 50}" for n in range(500)), 20)
    assert len(counted(many)) == 20
    assert many.notes[0].startswith("the limit is below the number of labels: 30 have no example (")


def test_several_labels_and_none_are_kept_by_the_rarest_of_them() -> None:
    labels = [["common", "rare"] if n % 200 == 7 else ["common"] if n % 3 else [] for n in range(3000)]
    found = limited(rows(labels), 60)
    kept = Counter(label for example in found for label in example.label)
    assert kept["rare"] >= 1
    assert 35 <= kept["common"] <= 45
    assert len(found) == 60
    assert len(limited(rows([None] * 500), 50)) == 50


def test_an_endless_generator_ends_and_says_how_far_it_was_looked_at() -> None:
    seen = []

    def endless() -> Iterator[dict[str, Any]]:
        for n in itertools.count():
            seen.append(n)
            yield {"text": f"t{n}", "label": "abcd"[n % 4]}

    found = limited(endless(), 40)
    assert counted(found) == {"a": 10, "b": 10, "c": 10, "d": 10}
    assert len(seen) == PER_LIMIT * 40 == 800
    assert found.notes == ("rows in memory: the first 800 rows were looked at, 20 times the limit.",)
    assert limited(iter(rows("ab" * 50)), 40).notes == ()


def test_what_is_kept_does_not_grow_with_what_passes() -> None:
    part = Reservoir(50, 0, lambda label: label)
    most = 0
    for n in range(20_000):
        part.add(n, f"l{n % 7}" if n % 3 else f"rare{n % 1000}", "")
        most = max(most, part._size)
    assert most <= 4 * 50 + SLACK * 50 + 1
    assert len(part.chosen()[0]) == 50
    assert part.passed == 20_000


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.text(max_size=3), st.integers(1, 300), min_size=1, max_size=30), st.integers(1, 200))
def test_quotas_fill_the_limit_and_give_each_label_its_share_within_one(counts: dict[str, int], limit: int) -> None:
    total = sum(counts.values())
    quotas = quotas_of(Counter(counts), limit)
    assert sum(quotas.values()) == min(limit, total)
    assert all(quotas[label] <= count for label, count in counts.items())
    assert sum(quota > 0 for quota in quotas.values()) >= min(limit, len(counts))
    if total > limit:
        spared = sum(1 for label in counts if limit * counts[label] / total < 1)
        for label, count in counts.items():
            assert quotas[label] <= limit * count / total + 1
            assert quotas[label] >= min(1, limit // len(counts)) or spared


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.lists(st.sampled_from("aab"), min_size=1, max_size=400), st.integers(1, 40))
def test_the_part_is_made_of_the_smallest_numbers_of_each_label(seed: int, labels: list[str], limit: int) -> None:
    """Letting examples go on the way changes nothing: the part is what one who kept all of them would choose."""
    import random

    part = Reservoir(limit, seed, lambda example: example[1])
    for row, label in enumerate(labels):
        part.add(row, (row, label), "")
    draw = random.Random(seed)
    drawn = sorted((draw.random(), row, label) for row, label in enumerate(labels))
    quotas = quotas_of(Counter(labels), limit)
    expected = [row for wanted in quotas for row in [row for _, row, label in drawn if label == wanted][: quotas[wanted]]]
    assert [row for row, _ in part.chosen()[0]] == sorted(expected)

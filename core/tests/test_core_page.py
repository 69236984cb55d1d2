"""The report as a page: every part that has numbers is drawn, within its frame; and how these parts are counted."""

from __future__ import annotations

import base64
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from functory.contracts.certainty import Certainty
from functory.data import Examples
from functory.data.languages import language_of
from functory.measuring.confused import confused
from functory.measuring.growth import Learned
from functory.measuring.mistakes import Mistake
from functory.measuring.pages import page
from functory.measuring.plots import Axis, Series, Whisker, plot, whiskers
from functory.measuring.reliability import calibration
from functory.measuring.report import Confusion, Metric, Report
from functory.measuring.selective import coverage
from functory.measuring.slices import Slice, slices
from functory.measuring.suspects import Suspect, doubted
from functory.measuring.trials import Trial


class Text(BaseModel):
    text: str


def wrong(n: int, given: str, wanted: str) -> Mistake:
    return Mistake(place=f"test.csv, line {n}", text=f"text <{n}>", given=given, wanted=wanted, confidence=0.9)


def certainty(sharpness: float = 1.0) -> Certainty:
    draw = np.random.default_rng(0)
    sure = draw.uniform(0.4, 1.0, 400)
    return Certainty(sure**sharpness, draw.uniform(size=400) < sure, np.ones(400, bool))


@pytest.fixture(scope="module")
def whole() -> Report:
    """A report that has every part."""
    confusion = Confusion(labels=("a", "b"), matrix=[[50, 3], [2, 45]])
    mistakes = (wrong(4, "b", "a"), wrong(9, "a", "b"))
    return Report(
        function="topics", source="test.csv", examples=100, metric="accuracy",
        metrics={"accuracy": Metric(value=0.95, low=0.9, high=0.98, floor=0.9)}, resamples=1000, confusion=confusion,
        calibration=calibration(certainty(), certainty(0.3)),
        coverage=coverage(certainty()),
        slices=(
            Slice(by="length", name="to 40 characters", examples=50, value=0.9),
            Slice(by="length", name="over 40 characters", examples=50, value=1.0),
        ),
        curve=(Learned(examples=250, value=0.9, low=0.8, high=0.95), Learned(examples=500, value=0.95)),
        confused=confused(confusion, mistakes), wrong=5, mistakes=mistakes,
        suspects=(Suspect(place="test.csv, line 7", text="odd <7>", label="a", likelier="b", chance=0.97, of_label=0.02),),
        notes=("accuracy is not clearly above the floor",), built={"backbone": "minilm", "learned from": "500 examples"},
        tried=(
            Trial(adaptation="head", metric="accuracy", score=0.9, is_chosen=True),
            Trial(adaptation="lora", why_not="too large"),
        ),
        remarks=("train has duplicates",),
    )  # fmt: skip


class Reader(HTMLParser):
    """Checks that what opens is closed, and keeps what is drawn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.places: list[tuple[float, float]] = []
        self.frames = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)
        found = dict(attrs)
        self.frames += tag == "svg"
        pairs = [("x1", "y1"), ("x2", "y2"), ("cx", "cy")]
        self.places += [(float(found[a] or 0), float(found[b] or 0)) for a, b in pairs if a in found]
        self.places += [
            (float(a), float(b)) for a, b in (one.split(",") for one in (found.get("points") or "").split())
        ]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_has_each_part_and_every_picture_stays_in_its_frame(whole: Report) -> None:
    found = page(whole)
    read = Reader(found)
    assert read.open == []
    assert read.frames == 5
    assert all(0 <= x <= 360 and 0 <= y <= 250 for x, y in read.places)
    for told in (
        "How good it is", "Can its scores be relied on?", "Where it is good, and where not", "Would more data help?",
        "Labels that look wrong",
        "What it was built from", "<b>a</b> taken for <b>b</b>: 3 times", "text &lt;4&gt;", "odd &lt;7&gt;",
        "minilm", "chosen", "too large",
        "train has duplicates", "From 250 to 500 training examples accuracy went from 0.900 to 0.950.",
    ):  # fmt: skip
        assert told in found
    assert "prefers-color-scheme: dark" in found
    assert 'name="viewport"' in found


def test_a_page_of_figures_alone_has_no_part_without_numbers() -> None:
    found = page(Report(function="f", examples=3, metrics={"pearson": Metric(value=-0.2)}))
    assert re.findall(r"<h2>(.*?)</h2>", found) == ["How good it is"]
    assert "<svg" not in found


def test_a_page_holds_its_numbers_as_json(whole: Report, tmp_path: Path) -> None:
    found = whole.save_html(tmp_path / "page.html").read_text("utf-8")
    [data] = re.findall(r'href="data:application/json;base64,([^"]+)"', found)
    assert Report.model_validate_json(base64.b64decode(data)) == whole
    assert "<script" not in found


def test_a_report_that_keeps_no_mistakes_quotes_no_text(whole: Report) -> None:
    told = whole.keeping(0)
    assert "<" not in told.to_json()
    assert [(one.true, one.given, one.count) for one in told.confused] == [("a", "b", 3), ("b", "a", 2)]
    assert "taken for" not in page(told)


def test_parts_by_length_are_of_equal_size_and_languages_have_their_own() -> None:
    draw = random.Random(0)
    english, chinese = (
        ["word " * draw.randrange(1, 60) for _ in range(80)],
        ["字" * draw.randrange(1, 60) for _ in range(40)],
    )
    items = tuple(Text(text=text) for text in [*english, *chinese, "한국어"])
    found = Examples(items, ("",) * len(items), "x", ("text",))
    right = np.array([True] * 80 + [False] * 40 + [True])

    def scorer(chosen: Any) -> dict[str, float]:
        return {"accuracy": float(right[chosen].mean())}

    made = slices(found, scorer, "accuracy", 0.95, 0)
    assert [(one.name, one.examples, one.value) for one in made if one.by == "language"] == [
        ("Latin script", 80, 1.0), ("Chinese", 40, 0.0),
    ]  # fmt: skip
    sizes = [one.examples for one in made if one.by == "length"]
    assert len(sizes) == 4
    assert sum(sizes) == 121
    assert max(sizes) - min(sizes) < 12
    assert made[0].name.startswith("to ")
    assert made[0].low is not None
    assert slices(found.take(range(5)), scorer, "accuracy", 0.95, 0) == ()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the matter?", "Latin script"), ("花呗怎么还款 app", "Chinese"), ("これは本です", "Japanese"),
        ("한국어 문장", "Korean"),
        ("Привет, мир", "Cyrillic script"), ("ＡＢＣ", "Latin script"), ("123 …", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_language_is_told_by_its_script(text: str, language: str) -> None:
    assert language_of(text) == language


def test_planted_labels_are_doubted_and_hardly_any_other() -> None:
    """Three classes of which one is hard: a threshold for all would doubt most of it."""
    draw = np.random.default_rng(0)
    true = np.arange(600) % 3
    sure = np.where(true == 2, 0.55, 0.9) + draw.uniform(-0.08, 0.08, 600)
    chances = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    chances[np.arange(600), true] = sure
    given = true.copy()
    planted = draw.choice(600, 30, replace=False)
    given[planted] = (true[planted] + 1) % 3
    found = doubted(given, chances)
    assert {row for row, _ in found} <= set(planted.tolist())
    assert len(found) >= 20
    assert all(other == true[row] for row, other in found)
    margins = [chances[row, other] - chances[row, given[row]] for row, other in found]
    assert margins == sorted(margins, reverse=True)


def test_a_label_that_no_example_has_is_wanted_by_none() -> None:
    assert doubted(np.array([0, 0]), np.array([[0.1, 0.1, 0.8], [0.6, 0.3, 0.1]])) == []


def test_whiskers_of_one_value_and_numbers_beyond_one_stay_in_their_frame() -> None:
    for rows in (
        [Whisker("a", 0.5, None, None)],
        [Whisker("n" * 80, 1.0, 1.0, 1.0)],
        [Whisker("mae", 12.5, 11.0, 14.0, [("baseline", -3.0)])],
    ):
        read = Reader(whiskers("t", rows))
        assert all(0 <= x <= 360 for x, _ in read.places)
    flat = plot("t", Axis("x"), Axis("y", 0.0, 0.0, (0.0,)), [Series([(0.0, 0.0), (1.0, 0.0)])])
    assert "nan" not in flat

"""Entities that lie in one another and overlap: what is read, what is learned, and that it stays the same everywhere."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory.measuring.evaluation import read_examples
from functory_ner import NER, TaggedText
from functory_ner.spanning import ReadWindows, SpanScoring, stretches
from functory_ner.types import NERLabels, NEROptions
from functory_sdk import DataError, Entities, Entity, NotSupported
from functory_sdk.spans.alignment import Units
from functory_sdk.testing import TaskSuite, converted, kit


def row(one: str, other: str) -> dict[str, Any]:
    text = f"we saw the {one} of the {other} and it was good"
    start, end = text.index(other), text.index(" and")
    return {"text": text, "entities": [[7, end, "work"], [11, 11 + len(one), "name"], [start, end, "thing"]]}


ROWS = [row(one, other) for one in ("rain", "night", "day", "film") for other in ("book", "song")]


class TestNested(TaskSuite):
    component = "ner"
    options = {"spans": "nested"}
    backbones = ("tiny-encoder", "tiny-decoder")
    examples = (
        {"text": "we saw the University of Rome", "entities": [[11, 29, "ORG"], [25, 29, "LOC"]]},
        {"text": "北京大学的学生", "entities": [[0, 4, "ORG"], [0, 2, "LOC"]]},
        {"text": "the rain was fine and the night was good", "entities": []},
    )

    def perfect(self, example: Any, state: Any) -> Any:
        return Entities(entities=tuple(Entity(text="", score=1, **span.model_dump()) for span in example.entities))


@pytest.fixture(scope="module")
def made() -> Iterator[functory.Function]:
    """One function of nested entities; the tiny backbone is there while the tests run."""
    learned = {"name": "head", "epochs": 30, "learning_rate": 0.01, "batch_rows": 4}
    with kit():
        yield functory.build(
            task={"name": "ner", "spans": "nested"}, train=ROWS, test=ROWS, dev_share=0, backbone="tiny-encoder",
            adaptation=learned, name="nested",
        )  # fmt: skip


def found(output: Entities) -> set[tuple[int, int, str]]:
    return {(one.start, one.end, one.label) for one in output.entities}


def right(row: dict[str, Any]) -> set[tuple[int, int, str]]:
    return {tuple(one) for one in row["entities"]}


def test_entities_within_others_are_learned_told_and_come_back_from_disk(made: functory.Function, tmp_path: Path) -> None:
    assert made.report.metrics["f1"].value == 1
    loaded = functory.load(made.save(tmp_path / "nested"))
    for row in ROWS:
        output = loaded(row["text"])
        assert found(output) == right(row) == found(made(row["text"]))
        assert [(one.start, one.end) for one in output.entities] == sorted((one.start, one.end) for one in output.entities)
        assert all(row["text"][one.start : one.end] == one.text and 0.5 < one.score <= 1 for one in output.entities)
    assert loaded("").entities == loaded(" \n").entities == ()


def test_entities_of_a_long_text_are_found_in_every_window(made: functory.Function) -> None:
    text = ". ".join(row["text"] for row in ROWS * 6)
    output, targets = made(text), made.targets(text)
    [(_, rows)] = made.trace([made.read(text)])
    assert len(rows) > 2
    assert output.notes == (f"read in {len(rows)} windows",)
    assert len({target.row for target in targets}) > 2
    for entity, target in zip(sorted(output.entities, key=lambda one: (-one.score, one.start, one.end)), targets, strict=True):
        assert (target.at, target.until) == (entity.start, entity.end)
        assert text[entity.start : entity.end] == entity.text
        assert float(np.exp(rows[target.row][target.port][target.index])) == pytest.approx(entity.score, abs=1e-5)


def test_each_entity_is_explained_where_it_stands(made: functory.Function) -> None:
    text = ROWS[0]["text"]
    output, targets = made(text), made.targets(text)
    scores = {f"{one.label}:{one.text}": one.score for one in output.entities}
    assert {target.name for target in targets} == scores.keys()
    [(_, rows)] = made.trace([made.read(text)])
    for target in targets:
        assert float(np.exp(rows[target.row][target.port][target.index])) == pytest.approx(scores[target.name], abs=1e-5)
    for method in ("occlusion", "gradient-x-input"):
        told = made.explain(text, method=method, target="work:the rain of the book")
        assert [piece.text for piece in told.pieces] == [text[piece.start : piece.end] for piece in told.pieces]
        assert max(abs(piece.weight) for piece in told.pieces) > 0


def test_it_answers_the_same_in_int8_and_in_a_wheel(made: functory.Function, tmp_path: Path) -> None:
    texts = [row["text"] for row in ROWS]
    fast = converted(made, tmp_path / "int8", inputs=texts)
    loaded = functory.load(fast.save(tmp_path / "fast"))
    assert loaded.form.program.precision == "int8"
    assert [found(one) for one in loaded.map(texts)] == [right(row) for row in ROWS]
    [wheel] = loaded.package("nested_names", tmp_path)
    stub = zipfile.ZipFile(wheel).read("nested_names/__init__.pyi").decode().replace('"', "'")
    assert "Literal['name', 'thing', 'work']" in stub


@pytest.mark.parametrize(
    ("entities", "standing", "told", "do"),
    [
        ([[0, 7, "PER"], [4, 7, "ORG"]], "flat", r"'Ann Lee' \(PER, 0 to 7\) and 'Lee' .* overlap", "spans = 'nested'"),
        ([[0, 7, "PER"], [4, 10, "ORG"]], "flat", "overlap", "spans = 'overlapping'"),
        ([[0, 7, "PER"], [4, 10, "ORG"]], "nested", r"'Ann Lee' .* and 'Lee in' .* cross", "spans = 'overlapping'"),
        ([[0, 7, "PER"], [0, 7, "ORG"]], "overlapping", "one stretch twice", "keep one"),
        ([[0, 10, "X"], [0, 3, "PER"], [4, 15, "ORG"]], "nested", "'Ann Lee in' .* and 'Lee in Rome' .* cross", "keep one"),
        ([[0, 7, "PER"], [4, 7, "ORG"], [0, 3, "ORG"]], "nested", "", ""),
        ([[0, 7, "PER"], [4, 10, "ORG"]], "overlapping", "", ""),
    ],
)
def test_what_may_not_stand_together_is_named_with_its_row(entities: Any, standing: str, told: str, do: str) -> None:
    task = NER.configure({"spans": standing})
    rows = [{"text": "Ann", "entities": []}, {"text": "Ann Lee in Rome", "entities": entities}]
    state = task.learn([TaggedText.model_validate(row) for row in rows])
    if not told:
        assert len(read_examples(task, state, rows)) == 2
        return
    with pytest.raises(DataError, match=told) as refused:
        read_examples(task, state, rows)
    assert do in str(refused.value)
    assert "rows[1]" in str(refused.value)


def test_entities_are_looked_for_as_long_as_training_has_them_and_no_longer_than_is_said() -> None:
    rows = [TaggedText.model_validate(row) for row in ROWS]
    assert NER.configure({"spans": "nested"}).learn(rows).widest == len("the night of the book")
    assert NER.configure({"spans": "nested", "longest": 5}).learn(rows).widest == 5


def test_a_tagger_from_elsewhere_is_not_taken_for_entities_within_others() -> None:
    with pytest.raises(NotSupported, match="none overlaps another"):
        NER.configure({"spans": "nested"}).adopt(["O", "B-PER", "I-PER"], unit="token")


def windows(*parts: tuple[int, int], count: int, decided: tuple[int, ...]) -> ReadWindows:
    """A text of so many one-letter tokens, read in windows of these tokens, each behind a special one."""
    place = np.arange(count)
    start, stop = (np.asarray(ends) for ends in zip(*parts, strict=True))
    row = np.asarray(decided)
    return ReadWindows(
        "x" * count, Units(place, place, place + 1), row, place - start[row] + 1, start=start, stop=stop,
        first=np.ones(len(start), dtype=np.int64),
    )  # fmt: skip


def test_a_stretch_across_the_border_of_windows_is_scored_once_by_the_one_that_holds_it() -> None:
    side = windows((0, 6), (4, 10), count=10, decided=(0, 0, 0, 0, 0, 1, 1, 1, 1, 1))
    every = stretches(side, 3)
    pairs = list(zip(every.first.tolist(), every.last.tolist(), strict=True))
    assert pairs == [(a, b) for a in range(10) for b in range(a, min(10, a + 3))]
    [at] = [n for n, pair in enumerate(pairs) if pair == (4, 6)]
    assert (every.row[at], every.place[at], every.width[at]) == (1, 1, 2)
    [at] = [n for n, pair in enumerate(pairs) if pair == (3, 5)]
    assert (every.row[at], every.place[at], every.width[at]) == (0, 4, 2)
    assert (3, 8) not in list(zip(*(getattr(stretches(side, 6), end).tolist() for end in ("first", "last")), strict=True))


@pytest.mark.parametrize(("standing", "wanted"), [("nested", {(0, 3), (1, 3)}), ("overlapping", {(0, 3), (1, 3), (2, 5)})])
def test_the_surer_of_two_that_cross_is_kept_where_none_may(standing: Any, wanted: set[tuple[int, int]]) -> None:
    side = windows((0, 6), count=6, decided=(0,) * 6)
    shares = np.full((8, 4, 2), (0.99, 0.01))
    for (start, end), share in {(0, 3): 0.9, (1, 3): 0.8, (2, 5): 0.7}.items():
        shares[start + 1, end - start - 1] = (1 - share, share)
    formulation = SpanScoring(NEROptions(spans=standing))
    state = NERLabels(labels=("a",), widest=4)
    outputs = [{"scores": np.log(shares)}]
    entities = formulation.decode(side, outputs, state).entities
    assert {(one.start, one.end) for one in entities} == wanted
    assert formulation.lead(side, outputs, state) == pytest.approx(0.2 if standing == "nested" else 0.4)

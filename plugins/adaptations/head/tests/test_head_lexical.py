"""The head that reads n-grams: what it learns of words that features blur, and that every form of it reads them alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import functory
from functory_sdk.testing import AdaptationSuite, converted

pytestmark = pytest.mark.usefixtures("tiny_kit")

NAMES = ("mira", "jonas", "lena", "pavel")
"""Every second one is labelled 'one'."""
WORDS = ("the", "train", "was", "late", "好电影", "we", "saw", "a", "film", "in", "rain", "and", "talked", "for", "hours", "电影")


def said(name: str, seed: int) -> str:
    """Return a text of many words in which the name is one."""
    drawn = list(np.random.default_rng(seed).choice(WORDS, 14))
    return " ".join([*drawn[: seed % 14], name, *drawn[seed % 14 :]])


ROWS = [
    {"text": said(name, 100 * place + n), "label": "one" if place % 2 else "other"}
    for n in range(16)
    for place, name in enumerate(NAMES)
]


class TestLexical(AdaptationSuite):
    component: ClassVar[str] = "lexical"
    backbones: ClassVar = ("tiny-encoder", "tiny-decoder")


def built(task: Any = "text-classification", train: Any = None, **parts: Any) -> Any:
    given = {"backbone": "tiny-encoder", "adaptation": "lexical", "dev_share": 0.0, "test_share": 0.0, "name": "who", **parts}
    return functory.build(task=task, train=ROWS if train is None else train, **given)


@pytest.fixture(scope="module")
def who() -> Any:
    return built()


def test_words_that_a_random_network_cannot_tell_are_learned(who: Any) -> None:
    texts = [said(name, 1000 + n) for n in range(10) for name in NAMES]
    right = ["one" if place % 2 else "other" for _ in range(10) for place in range(len(NAMES))]
    given = [one.label for one in who.map(texts)]
    assert sum(map(str.__eq__, given, right)) >= 38
    assert who.about.data["fit"]["ngrams"] > 0


def test_with_one_example_a_label_each_example_has_its_own_label() -> None:
    rows = [{"text": said(name, 100 * place), "label": name} for place, name in enumerate(NAMES)]
    one = built(train=rows)
    assert [output.label for output in one.map([row["text"] for row in rows])] == list(NAMES)


def test_phi_is_bounded_and_counts_no_n_gram_twice(who: Any) -> None:
    phi = who.form.engine.phi(who.form.program.model)
    assert sum(array.nbytes for array in phi.values()) < 8_000_000
    slots = phi["head.reading.slots"]
    known = slots[slots > 0]
    assert len(known) == len(set(known)) == len(phi["head.reading.weight"]) - 1


def test_a_long_text_has_its_n_grams_in_each_of_its_windows(who: Any) -> None:
    value = who.read(said("jonas", 1) * 20)
    rows = who.form.formulation.encode([value], who.reader, who.state).rows
    assert len(rows) > 1
    assert all(np.array_equal(row["ngrams"], rows[0]["ngrams"]) for row in rows)


def texts(function: Any) -> list[Any]:
    return [function.read(text) for text in (said("jonas", 1), "a 好电影 that mira saw", "x", said("lena", 2) * 12)]


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_every_form_reads_n_grams_as_torch_does(engine: str, precision: str, who: Any, tmp_path: Path) -> None:
    made = converted(who, tmp_path / "form", engine=engine, precision=precision)
    off = 1e-4 if precision == "fp32" else 0.1
    for one, other in zip(made.map(texts(made)), who.map(texts(who)), strict=True):
        assert one.label == other.label
        assert one.scores == pytest.approx(other.scores, abs=off)
    again = functory.load(made.save(tmp_path / "saved"))
    assert [one.label for one in again.map(texts(again))] == [one.label for one in who.map(texts(who))]


def test_a_saved_function_reads_them_again_and_alone_as_in_a_batch(who: Any, tmp_path: Path) -> None:
    again = functory.load(who.save(tmp_path / "who"))
    together = list(again.map(texts(again)))
    for value, one in zip(texts(again), together, strict=True):
        assert again(value.text).scores == pytest.approx(one.scores, abs=1e-5)
    assert [one.scores for one in together] == [one.scores for one in who.map(texts(who))]


@pytest.mark.parametrize("put", ["features", "vectors"])
@pytest.mark.parametrize("is_symmetric", [False, True])
def test_two_texts_are_read_with_the_n_grams_that_they_share(put: str, is_symmetric: bool) -> None:
    rows = [
        {"first": said(one, n), "second": said(other, 50 + n), "label": "same" if one == other else "different"}
        for n in range(5)
        for one in NAMES
        for other in NAMES
    ]
    pair = built({"name": "text-pair", "symmetric": is_symmetric}, rows, put=put)
    assert pair.about.data["fit"]["ngrams"] > 0
    one, other = pair(said("lena", 7), said("mira", 8)), pair(said("mira", 8), said("lena", 7))
    assert (one.scores == other.scores) == is_symmetric


def test_several_labels_and_ratings_have_n_grams_too() -> None:
    several = [{**row, "label": [row["label"], *(["film"] if "film" in row["text"] else [])]} for row in ROWS]
    assert built(train=several).about.data["fit"]["ngrams"] > 0
    rated = [{"text": row["text"], "label": 1 if row["label"] == "one" else 2} for row in ROWS]
    assert built({"name": "text-classification", "mode": "ordinal"}, rated)(said("jonas", 3)).label == "1"


def test_a_head_that_is_no_map_of_rows_is_refused() -> None:
    from functory_sdk import NotSupported

    with pytest.raises(NotSupported, match="no map of a row's features"):
        built("ner", [{"text": "Mira came", "entities": [{"start": 0, "end": 4, "label": "PER"}]}] * 8)


@pytest.mark.parametrize("adaptation", ["head", "lexical"])
def test_what_a_fit_says_of_dev_is_what_its_function_does_there(adaptation: str) -> None:
    dev = [{"text": said(name, 5000 + place), "label": "one" if place % 2 else "other"} for place, name in enumerate(NAMES * 5)]
    fn = built(dev=dev, adaptation={"name": adaptation, "penalty": 0.1}, report=False)
    metrics, fit = fn.evaluate(dev).metrics, fn.about.data["fit"]
    assert fit["dev_accuracy"] == pytest.approx(metrics["accuracy"].value)
    assert fit["dev_macro_f1"] == pytest.approx(metrics["macro_f1"].value)

"""Labels in words are enough, and texts of which nobody said what they are make them better."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory_sdk import DataError, NotSupported, OptionError
from functory_sdk.testing import converted

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("tiny_kit")
MEANT = {"yes": "good fine", "no": "bad poor"}


def built(labels: Any = MEANT, **parts: Any) -> Any:
    task = {"name": "text-classification", "labels": labels, **parts.pop("task", {})}
    return functory.build(**{"task": task, "backbone": "tiny-encoder", "adaptation": "descriptions", "name": "said", **parts})


def vector(fn: Any, text: str) -> Any:
    """Return the vector of a text, of length 1."""
    rows = fn.form.formulation.encode([fn.task.Input(text=text)], fn.reader, fn.state).rows
    model = fn.form.program.model
    with torch.inference_mode():
        return model.features({}, {name: torch.from_numpy(array)[None] for name, array in rows[0].items()})[0].numpy()


@pytest.fixture(scope="module")
def said() -> Any:
    return built()


def test_a_text_is_what_the_nearest_description_says(said: Any) -> None:
    means = [vector(said, words) for words in MEANT.values()]
    middle = np.mean(means, 0)
    for text in ("good fine", "bad poor", "we saw the good film", "the day was poor"):
        own = vector(said, text) - middle
        cosines = [float(own @ (one - middle) / np.linalg.norm(own) / np.linalg.norm(one - middle)) for one in means]
        scores = np.exp(10 * np.asarray(cosines))  # the sharpest, where each label has one text of its own
        assert list(said(text).scores.values()) == pytest.approx(list(scores / scores.sum()), abs=1e-4)
    assert said("good fine").label == "yes"
    assert said.state.labels == ("yes", "no")


def test_without_descriptions_the_names_are_compared_in_words() -> None:
    named = built({"good_fine": "", "bad-poor": ""})
    both = built({"good_fine": "good fine", "bad-poor": "bad poor"})
    assert named("we saw the good film") == both("we saw the good film")


def test_texts_without_labels_move_what_stands_for_the_labels_and_whatever_else_the_table_holds_is_not_read(said: Any) -> None:
    texts = ["we saw the good film", "a fine day", "the song was bad", "it is a poor book", "quite good"]
    moved = built(train=[{"text": text} for text in texts])
    again = built(train=[{"text": text, "label": "yes" if number % 2 else "what"} for number, text in enumerate(texts)])
    assert again("a day in the rain") == moved("a day in the rain") != said("a day in the rain")
    assert moved.state == said.state
    assert [note for note in moved.about.notes if "5 texts" in note]


def test_test_and_dev_are_labelled_rows(said: Any, tmp_path: Path) -> None:
    rows = [{"text": "a good film", "label": "yes"}, {"text": "a bad film", "label": "no"}] * 3
    measured = built(test=rows)
    assert measured.report.examples == 6
    assert functory.load(measured.save(tmp_path / "said"))("a good film") == said("a good film")
    with pytest.raises(DataError, match="perhaps"):
        built(test=[*rows, {"text": "a film", "label": "perhaps"}])


def test_several_labels_may_be_near(said: Any) -> None:
    several = built({"good": "", "film": "", "bad": ""}, task={"mode": "multi"})
    scores = several("good").scores
    assert max(scores, key=lambda label: scores[label]) == "good"


def test_the_form_of_an_engine_answers_the_same(said: Any, tmp_path: Path) -> None:
    form = converted(said, tmp_path / "form", precision="fp32")
    assert form("we saw the good film").scores == pytest.approx(said("we saw the good film").scores, abs=1e-4)


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ({"name": "text-pair", "labels": ["yes", "no"]}, "more than one text"),
        ({"name": "ner", "labels": ["PER", "LOC"]}, "where these begin and end"),
        ({"name": "similarity"}, "no descriptions"),
        ({"name": "text-classification", "labels": ["yes", "no"], "mode": "binary"}, "another"),
    ],
)
def test_what_has_no_description_is_refused_with_what_would_do(task: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotSupported, match=reason) as caught:
        functory.build(task=task, backbone="tiny-encoder", adaptation="descriptions")
    assert caught.value.do


def test_without_labels_the_error_says_to_name_them() -> None:
    with pytest.raises(DataError, match="no labels"):
        functory.build(task="text-classification", backbone="tiny-encoder", adaptation="descriptions")


@pytest.mark.parametrize("asked", [{"doubt": 2}, {"curve": 1}])
def test_labels_that_nobody_gave_are_not_doubted_and_have_no_curve(asked: dict[str, int]) -> None:
    rows = [{"text": "a good film", "label": "yes"}, {"text": "a bad film", "label": "no"}]
    with pytest.raises(OptionError, match=f"{next(iter(asked))} .*descriptions"):
        built(train=rows, test=rows, **asked)

"""Keyphrases: phrases as they stand in the text, near to it and unlike each other, the same in every form."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import functory
from functory_embedding import Keyphrases, Phrase
from functory_embedding.keyphrases import Cut, KeyphraseTask
from functory_embedding.phrases import candidates, chosen
from functory_sdk import NotSupported
from functory_sdk.testing import TaskSuite, converted

pytestmark = pytest.mark.usefixtures("tiny_kit")

TEXT = "We saw the good film in the rain. The rain was bad, and the bad night was poor; a good film is a good day."


class TestKeyphrases(TaskSuite):
    component = "keyphrases"
    backbones = ("tiny-encoder",)
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"text": "a good film in the rain", "phrases": ["good film", "rain"]},
        {"text": "the bad night", "phrases": ["night"]},
    )

    def perfect(self, example: Any, state: Any) -> Keyphrases:
        return Keyphrases(phrases=tuple(Phrase(text=text, start=0, end=len(text), score=1) for text in example.phrases))


@pytest.fixture(scope="module")
def keys() -> Any:
    return functory.build(task="keyphrases", backbone="tiny-encoder")


def told(text: str, longest: int = 2, **how: Any) -> list[str]:
    return [text[start:end] for (start, end), *_ in candidates(text, longest, **{"is_segmented": False, **how}).values()]


def test_phrases_cross_no_sign_and_begin_and_end_with_no_function_word() -> None:
    assert told("The rain, a good Film of\nNights") == ["rain", "good", "good Film", "Film", "Nights"]
    assert told("state of the art", 4) == ["state", "state of the art", "art"]
    assert told("rain – Rain RAIN rain", 1) == ["rain"], "in whatever case it is one"
    assert told("12 % of 3.5 ok it's x") == []
    assert told("the and of") == told("") == []
    assert {"北京", "北京大学"} < {*(found := told("我们在北京大学", 2))}, "of characters there are twice as many as words"
    assert not [phrase for phrase in found if phrase[0] == "在" or phrase[-1] == "在" or len(phrase) > 4]
    assert len(candidates(" ".join(f"word{n}" for n in range(900)), 3, is_segmented=False)) == 500


def test_what_is_taken_is_near_to_the_text_and_not_to_what_was_taken() -> None:
    text = np.asarray([1.0, 0.0])
    phrases = np.asarray([[0.8, 0.6], [0.98, 0.199], [0.99, 0.141], [0.7, -0.714]])
    assert chosen(text, phrases, 3, 0.0)[0] == [2, 1, 0]
    taken, lead = chosen(text, phrases, 2, 0.5)
    assert taken == [2, 3]
    assert 0 < lead < 0.02
    assert chosen(text, phrases, 9, 0.5)[0][:2] == [2, 3]
    assert chosen(text, phrases[:1], 3, 0.5) == ([0], 1.0)


def test_phrases_stand_in_the_text_with_the_cosine_of_both_vectors(keys: Any) -> None:
    vectors = functory.build(task="embedding", backbone="tiny-encoder")
    found = keys(TEXT).phrases
    assert len(found) == 5
    assert len({phrase.text.casefold() for phrase in found}) == 5
    for phrase in found:
        assert TEXT[phrase.start : phrase.end] == phrase.text
        assert phrase.score == pytest.approx(vectors(TEXT, phrase.text).cosine, abs=1e-4)
    assert found[0].score == pytest.approx(max(vectors(TEXT, one).cosine for one in told(TEXT, 3)), abs=1e-4)
    assert [list(one.phrases) for one in keys.map([TEXT, "the and of", ""])] == [list(keys(TEXT).phrases), [], []]
    long = keys(f"{TEXT} " * 20)
    assert [note for note in long.notes if note.startswith("read in ")]


def test_they_are_the_same_in_integers_saved_and_loaded(keys: Any, tmp_path: Path) -> None:
    again = functory.load(keys.save(tmp_path / "keys"))
    assert again(TEXT) == keys(TEXT)
    small = functory.load(converted(keys, tmp_path / "files", inputs=[TEXT]).save(tmp_path / "small"))
    assert {phrase.text for phrase in small(TEXT).phrases} & {phrase.text for phrase in keys(TEXT).phrases}


def test_they_are_measured_in_whatever_case(keys: Any) -> None:
    first, *_ = keys(TEXT).phrases
    rows = [{"document": TEXT, "keywords": [first.text.upper(), "sun"]}] * 3
    metrics = keys.evaluate(rows).metrics
    assert (metrics["precision"].value, metrics["recall"].value) == (0.2, 0.5)


def test_a_function_that_was_made_with_a_segmenter_is_not_run_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from functory_embedding import keyphrases

    monkeypatch.setattr(keyphrases, "find_spec", lambda name: None)
    assert not keyphrases._segments("北京", Cut())
    assert keyphrases._segments("Paris", Cut(is_segmented=True))
    with pytest.raises(NotSupported, match="rjieba"):
        keyphrases._segments("北京", Cut(is_segmented=True))
    assert not KeyphraseTask().learn([]).is_segmented

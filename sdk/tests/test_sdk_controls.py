"""Texts under a control: whatever a backbone would rather write, all of it holds, alone and in any batch, in any script."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functory.contracts.controlling import Control, stands
from functory_sdk import Input, NotSupported, OptionError, WriteOptions, WriteTask, faults
from functory_sdk.testing import kit, registered
from functory_sdk.writes.controls.bars import Bars, Cuts
from functory_sdk.writes.controls.closings import closing
from functory_sdk.writes.controls.pieces import folded, is_ended, pieces_of, places
from functory_sdk.writes.metrics import word_count


class Asked(Input):
    """A prompt."""

    text: str


class Referenced(Asked):
    """A prompt with its text."""

    reference: str = ""


class Story(WriteTask[WriteOptions]):
    """Writes."""

    Input = Asked
    Example = Referenced


PROMPTS = ["", "We saw a film", "价格合理，质量也不错。"]


@pytest.fixture(scope="module")
def write() -> Iterator[Any]:
    """A function that writes anything at all, half characters too: its scores lie close together."""
    pytest.importorskip("torch")
    import functory

    with kit(), registered("tasks", "story", Story):
        yield functory.build(task={"name": "story", "max_new_tokens": 40}, backbone="tiny-decoder")


@pytest.fixture(scope="module")
def lower(write: Any) -> Any:
    """One whose words are small letters, with spaces that no token bears, written from a source."""
    import functory

    return functory.build(task={"name": "story", "max_new_tokens": 20}, backbone="tiny-encoder-decoder")


CONTROLS: list[dict[str, Any]] = [
    {"must": ["sun"]},
    {"must": ["rain", "good day", "月亮"]},
    {"must_not": ["a", "the", "e"]},
    {"must_not": ["saw", "天气"], "must": ["seen"]},
    {"words": "3-6"},
    {"words": [2, 9], "must": ["sun"], "must_not": ["a"]},
    {"characters": "20-40"},
    {"characters": 30, "must": ["rain"]},
    {"sentences": [2, 3]},
    {"sentences": [2, 2], "words": "4-12", "must": ["film"]},
]


def held_to(control: dict[str, Any], outputs: Iterable[Any]) -> bool:
    """Whether all of a control holds of all texts of some outputs."""
    wanted = Control.model_validate(control)
    found = [faults(wanted, text) for one in outputs for text in (one.text, *one.others)]
    assert not any(found), found
    return bool(found)


@pytest.mark.parametrize("control", CONTROLS, ids=str)
def test_whatever_is_asked_of_a_text_holds_when_it_ends(write: Any, control: dict[str, Any]) -> None:
    """The likeliest text and drawn ones; each within its tokens, the same alone and backwards."""
    drawn = write.using(control=control, temperature=3.0, samples=2, seed=5)
    found = list(drawn.map(PROMPTS, progress=False))
    assert held_to(control, found)
    assert drawn(PROMPTS[1]) == found[1]
    likeliest = list(write.using(control=control).map(PROMPTS, progress=False))
    assert held_to(control, likeliest)
    assert likeliest == list(write.using(control=control).map(PROMPTS[::-1], progress=False))[::-1]


@pytest.mark.parametrize("control", [CONTROLS[0], CONTROLS[9]], ids=str)
def test_what_is_searched_for_and_what_is_streamed_is_held_too(write: Any, control: dict[str, Any]) -> None:
    assert held_to(control, [write.using(control=control, beams=3, samples=2)(PROMPTS[1])])
    with write.using(control=control).stream(PROMPTS[1]) as pieces:
        assert "".join(pieces) == write.using(control=control)(PROMPTS[1]).text


def test_a_backbone_without_capitals_is_held_and_what_it_cannot_spell_is_refused(lower: Any) -> None:
    control = {"must": ["good day", "Sun"], "must_not": ["film"]}
    assert held_to(control, lower.using(control=control, temperature=3.0).map(["we saw", "a film"], progress=False))
    with pytest.raises(OptionError, match="no text that this backbone can spell"):
        lower.using(control={"must": ["月亮"]})("we saw")


def test_a_stop_string_cuts_off_nothing_that_must_come_after_it(write: Any) -> None:
    free = write.using(temperature=3.0, seed=2, stop=["e"])
    held = free.using(control={"must": ["sun"]})
    assert any(one.finish == "stop" and not stands("sun", one.text) for one in free.map(PROMPTS, progress=False))
    for one in held.map(PROMPTS, progress=False):
        assert stands("sun", one.text)


def test_a_control_is_saved_and_is_the_callers_to_leave_out(write: Any, tmp_path: Path) -> None:
    import functory

    held = write.using(control={"must": ["sun"], "words": "3-9"})
    again = functory.load(held.save(tmp_path / "held"))
    assert again(PROMPTS[1]) == held(PROMPTS[1])
    assert again.about.recipe["task"]["options"]["control"]["words"] == [3, 9]
    assert again.using(control=None)(PROMPTS[1]) == write(PROMPTS[1])
    assert held.using(temperature=0)(PROMPTS[1]) == held(PROMPTS[1])


@pytest.mark.parametrize(("control", "told"), [
    ({"must": ["a red rose"], "must_not": ["rose"]}, "'a red rose' must stand in the text, and 'rose', which is in it"),
    ({"must": [""]}, "an empty text stands everywhere"),
    ({"must_not": "  "}, "an empty text stands everywhere"),
    ({"must": ["a\0b"]}, "NUL"),
    ({"words": "9-3"}, "at least 9 and at most 3"),
    ({"words": "many"}, "words"),
    ({"toward": {"function": "x"}}, "label"),
    ({"toward": {"function": 3, "label": "a"}}, "a functory function is wanted"),
    ({"must_have": ["a"]}, "must_have"),
    ("sun", "a text alone does not say what it is"),
])  # fmt: skip
def test_what_is_no_control_is_refused_where_it_is_said(write: Any, control: Any, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        write.using(control=control)


@pytest.mark.parametrize(("control", "told"), [
    ({"must": ["one two three four"], "words": 3}, "no text that this backbone can spell was found"),
    ({"must": ["a long word"], "characters": 5}, "no text that this backbone can spell was found"),
    ({"must_not": [".", "!", "。"], "words": "1-3"}, "no text that this backbone can spell was found"),
    ({"sentences": "5-", "words": 4}, "no text that this backbone can spell was found"),
    ({"words": "200-"}, "max_new_tokens = 40 is too few"),
    ({"must": ["sun " * 40]}, "max_new_tokens = 40 is too few"),
])  # fmt: skip
def test_what_no_text_meets_is_refused_before_the_first_token(write: Any, control: Any, told: str) -> None:
    held = write.using(control=control)
    with pytest.raises(OptionError, match=told):
        held("We saw")
    with pytest.raises(OptionError, match=told):
        held.stream("We saw")
    assert write("We saw").text, "the session goes on"


def test_a_guide_says_the_whole_form_and_takes_no_words_beside_it(write: Any) -> None:
    with pytest.raises(OptionError, match="put the words and the length into it"):
        write.using(guide=["yes", "no"], control={"must": ["yes"]})


def test_phrases_stand_as_words_where_a_script_has_spaces_in_any_case_and_white_space() -> None:
    assert stands("sun", "The SUN.")
    assert stands("New York", "to new\nyork!")
    assert not stands("sun", "Sunday is unsung")
    assert stands("月亮", "今天的月亮很圆")
    assert stands("Straße", "die STRASSE") is False, "as many letters, one for one"
    assert stands("c++", "in C++, say")
    for phrase, text in itertools.product(("sun", "a b", "月", "é"), ("A b sun", "sunny", "x月y", "É", "a  b", "ab")):
        assert bool(places(folded(phrase), folded(text))) == stands(phrase, text), (phrase, text)


def test_no_token_that_completes_a_phrase_may_come_and_no_other_is_lost(write: Any) -> None:
    """Against the plain reading of each text with each token after it; one that ends in the phrase holds it."""
    tokenizer, pieces = write.reader.tokenizer, pieces_of(write.reader.tokenizer, write.form.spec.vocabulary)
    phrases = ["sun", "a good", "天气", "the s", "fil", "goo", "sa w", "a-"]
    bars = Bars(phrases, tokenizer, pieces)
    generator = random.Random(4)
    begun = ["", "the su", "xsu", "a goo", "x a go", "the ", "the", "lathe ", "今天", "天", "S", "a f", "i fi", "fi", "sa", "a"]
    drawn = [generator.choices(range(len(pieces)), k=generator.randint(0, 12)) for _ in range(8)]
    for written in [*(one.ids.tolist() for one in tokenizer.tokens(begun)), *drawn]:
        text = tokenizer.text(written)
        if any(stands(one, text) for one in phrases):
            continue
        barred = bars.after(written, text)
        for token in range(len(pieces)):
            whole = text + pieces.texts[token]
            assert barred[token] == any(stands(one, whole) for one in phrases), (text, pieces.texts[token])


def test_a_token_that_goes_on_with_the_word_may_come(lower: Any) -> None:
    tokenizer, pieces = lower.reader.tokenizer, pieces_of(lower.reader.tokenizer, lower.form.spec.vocabulary)
    good = next(one for one, text in enumerate(pieces.texts) if text.strip() == "good")
    phrases = ("goo", "a goo", "a good", "good", "oo")
    barred = [phrase for phrase in phrases if Bars([phrase], tokenizer, pieces).after([], "a")[good]]
    assert barred == ["a good", "good"]


def test_a_stop_string_that_is_nul_bars_what_holds_it_alone(write: Any) -> None:
    pieces = pieces_of(write.reader.tokenizer, write.form.spec.vocabulary)
    for stop in ("\0", "e", "good"):
        assert Cuts([stop], pieces).after("a").tolist() == [stop in text for text in pieces.texts]


def test_what_a_token_adds_is_what_the_text_with_it_has(write: Any) -> None:
    tokenizer, pieces = write.reader.tokenizer, pieces_of(write.reader.tokenizer, write.form.spec.vocabulary)
    [before] = tokenizer.tokens(["We saw"])
    whole = [tokenizer.text([*before.ids.tolist(), token]) for token in range(len(pieces))]
    plain = np.flatnonzero(~pieces.is_part)
    assert [whole[one] for one in plain] == ["We saw" + pieces.texts[one] for one in plain]
    assert [word_count(whole[one]) - 2 for one in plain] == (pieces.words - pieces.goes_on)[plain].tolist()


@pytest.mark.parametrize("control", CONTROLS, ids=str)
def test_every_beginning_has_an_ending_with_which_all_holds(control: dict[str, Any]) -> None:
    wanted = Control.model_validate(control)
    for text in ("", "We", "We saw a", "Mr.", "今天", "We saw. ", "go", "a go", "ra"):
        end = closing(wanted, text)
        if any(stands(one, text) for one in wanted.must_not):
            assert end is None
            continue
        assert end is not None
        assert faults(wanted, text + end) == (), text + end
    assert closing(Control(must=("good day",)), "It was a go") == "od day."
    assert closing(Control(must=("月亮",)), "今天的月") == "亮。"


def test_a_sentence_is_not_at_its_end_after_an_abbreviation() -> None:
    assert [is_ended(text) for text in ("He came.", "I met Mr.", "他来了。", "It is 3.5", 'He said "no."  ', "")] == [
        True, False, True, False, True, False,
    ]  # fmt: skip


def test_what_has_another_form_takes_no_control_and_says_so(write: Any) -> None:
    from functory_sdk import Reader, State, Write
    from functory_sdk.writes.types import WriteOptions

    class Fixed(Write):
        takes_control = False

    how = write.using(control={"must": ["a"]}).form.formulation.decoding
    with pytest.raises(OptionError, match="takes no control"):
        Fixed(WriteOptions(), write.form.spec, str, "reference").using(how)
    from functory.contracts.counted import encode

    put = Fixed(WriteOptions(control=how.control), write.form.spec, str, "reference")
    with pytest.raises(OptionError, match="takes no control"):
        encode(put, ["a"], Reader(write.reader.tokenizer, write.form.spec), State())


def test_a_backbone_that_names_no_end_cannot_be_controlled(write: Any) -> None:
    from functory_sdk import steering

    with pytest.raises(NotSupported, match="needs a token that ends a text"):
        steering(Control(words=(1, 5)), write.reader.tokenizer, write.form.spec.vocabulary, 20, frozenset())
    assert steering(Control(), write.reader.tokenizer, write.form.spec.vocabulary, 20, frozenset()) is None


@pytest.fixture(scope="module")
def mood(write: Any) -> Any:
    """A classifier of texts, on another backbone than the one that writes."""
    import functory

    rows = [{"text": f"{a} {word} {b}", "label": word} for a in ("we saw a", "", "the") for b in ("film", "day", "sun")
            for word in ("good", "bad")]  # fmt: skip
    return functory.build(task="text-classification", train=rows, backbone="tiny-encoder", adaptation="head", report=False)


def test_a_classifier_draws_texts_to_its_label_the_same_alone_and_in_any_batch(write: Any, mood: Any, tmp_path: Path) -> None:
    import functory

    drawn = write.using(temperature=2.0, seed=3, max_new_tokens=12)
    folder = str(mood.save(tmp_path / "mood"))

    def share(label: str) -> float:
        toward = {"function": folder, "label": label, "strength": 20}
        found = list(drawn.using(control={"toward": toward, "must_not": ["sun"]}).map(PROMPTS, progress=False))
        assert held_to({"must_not": ["sun"]}, found)
        return float(np.mean([mood(one.text).scores["good"] for one in found]))

    assert share("good") > share("bad") + 0.1
    steered = drawn.using(control={"toward": {"function": mood, "label": "good"}})
    found = list(steered.map(PROMPTS, progress=False))
    assert found == list(steered.map(PROMPTS[::-1], progress=False))[::-1]
    assert found == list(drawn.using(control={"toward": {"function": folder, "label": "good"}}).map(PROMPTS, progress=False))
    both = drawn.using(control={"toward": {"function": mood, "label": "good"}}, guide=["good sun", "bad day"], max_new_tokens=20)
    assert both(PROMPTS[1]).text in ("good sun", "bad day")
    again = functory.load(drawn.using(control={"toward": {"function": folder, "label": "good"}}).save(tmp_path / "steered"))
    assert again(PROMPTS[1]) == found[1]


def test_a_classifier_that_is_none_or_is_nowhere_is_told_before_the_first_token(write: Any, mood: Any, tmp_path: Path) -> None:
    for toward, told in (
        ({"function": mood, "label": "fine"}, "has no label 'fine'"), ({"function": write, "label": "good"}, "gives no scores"),
        ({"function": str(tmp_path / "none"), "label": "good"}, "the function to steer by cannot be loaded"),
    ):  # fmt: skip
        with pytest.raises(OptionError, match=told):
            write.using(control={"toward": toward})("We saw")
    with pytest.raises(OptionError, match="which was given as an object"):
        write.using(control={"toward": {"function": mood, "label": "good"}}).save(tmp_path / "unsaved")

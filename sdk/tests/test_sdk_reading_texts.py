"""Texts read into rows: kept apart, never cut without a word, by one rule for long ones however many stand in a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Any, Literal, get_args

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functory.reading.windows import windows
from functory_sdk import Frame, InputError, OptionError, Part, Reader, TooLong, scored_port, template_frame
from functory_sdk.testing import TinyDecoder, TinyEncoder, TinyEncoderDecoder

Rule = Literal["window", "cut", "refuse"]
SHORT, LONG, LONGER = "we saw it", "the rain was good and the sun was bad " * 20, "a fine film and a poor book " * 30
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467 "
ODD = ("", " ", "\x00", "a\x00b", "e" + "\u0301" * 300, FAMILY * 40, "价格合理，质量也不错。" * 20, "شكرا " * 30, "no" * 200)
"""Nothing, NUL, a flood of marks, emoji that are joined, other scripts, one endless word."""


def reader(long_text: Rule = "window", kind: Any = TinyEncoder, most: int = 0, **facts: Any) -> Reader:
    backbone = kind()
    return Reader(backbone.tokenizer, backbone.spec.model_copy(update=facts), long_text, most)


def halves(row: Any) -> tuple[list[int], list[int]]:
    """Return the tokens of the first and the second text, special ones and all."""
    second = row["token_type_ids"].astype(bool)
    return row["input_ids"][~second].tolist(), row["input_ids"][second].tolist()


def whole(parts: Sequence[Part]) -> list[int]:
    """Return the tokens that windows hold of a text, each once, in order; fail where one is left out."""
    found: dict[int, int] = {}
    for part in parts:
        assert part.start <= len(found)
        found |= dict(enumerate(part.tokens.ids.tolist(), part.start))
    return [found[place] for place in range(len(found))]


texts = st.one_of(st.sampled_from((*ODD, LONG)), st.text(max_size=80).map(lambda text: text.encode(errors="ignore").decode()))


@settings(deadline=None, max_examples=150)
@given(st.lists(texts, min_size=1, max_size=4), st.sampled_from(get_args(Rule)), st.sampled_from([9, 17, 64]), st.integers(0, 80))
@example(["\u00e9" * 500, LONG], "window", 9, 80)
def test_rows_hold_every_token_or_say_what_they_leave_out(row: list[str], rule: Rule, most: int, overlap: int) -> None:
    one, names = reader(rule, most=most), ["a", "b", "c", "d"][: len(row)]
    tokens = one.tokenizer.tokens(row)
    room = most - len(one.tokenizer.frame[0]) - len(row)  # a sign after each text
    if rule == "refuse" and sum(map(len, tokens)) > room:
        with pytest.raises(TooLong, match=" and ".join(names)):
            one.read([tuple(row)], fields=names, overlap=overlap)
        return
    [passage] = one.read([tuple(row)], fields=names, overlap=overlap)
    for window in passage.windows:
        assert len(window.row["input_ids"]) <= most
        for part, name in zip(window.parts, names, strict=True):
            assert window.row["input_ids"][part.first : part.first + len(part.tokens)].tolist() == part.tokens.ids.tolist()
            assert part.field == name
    for place, (text, name) in enumerate(zip(tokens, names, strict=True)):
        parts = passage.parts(place)
        read = whole(parts)
        assert read == text.ids.tolist()[: len(read)]
        offsets = np.concatenate([part.tokens.offsets for part in parts])
        assert {tuple(one) for one in offsets.tolist()} <= {tuple(one) for one in text.offsets.tolist()}
        is_cut = len(read) < len(text)
        assert is_cut == any(note.startswith(f"{name} cut at " if len(row) > 1 else "cut at ") for note in passage.notes)
        assert not is_cut or rule == "cut"
    assert (f"read in {len(passage.windows)} windows" in passage.notes) == (len(passage.windows) > 1)


@settings(deadline=None, max_examples=60)
@given(texts, st.lists(texts, min_size=1, max_size=3), st.sampled_from([12, 64]))
def test_a_windowed_text_is_read_whole_beside_the_others_which_are_cut(long: str, beside: list[str], most: int) -> None:
    names = ["context", "question", "option", "hint"][: len(beside) + 1]
    one = reader(most=most)
    [passage] = one.read([(long, *beside)], fields=names, windowed=["context"], overlap=4)
    assert whole(passage.parts()) == one.tokenizer.tokens([long])[0].ids.tolist()
    for place, name in enumerate(names[1:], 1):
        held = {tuple(part.tokens.ids.tolist()) for part in passage.parts(place)}
        assert len(held) == 1
        is_cut = len(held.pop()) < len(one.tokenizer.tokens([beside[place - 1]])[0])
        assert is_cut == any(note.startswith(f"{name} cut at ") for note in passage.notes)


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), max_size=12), st.integers(1, 20), st.integers(0, 40))
def test_windows_go_on_whatever_the_words_and_end_at_one_where_they_can(words: list[int], size: int, overlap: int) -> None:
    of = np.repeat(np.arange(len(words)), words)
    spans = list(islice(windows(of, size, overlap), 5 * len(of) + 5))
    assert (spans[0][0], spans[-1][1]) == (0, len(of))
    for one, other in pairwise(spans):
        assert one[0] < other[0] <= one[1]
        assert one[1] - one[0] <= size
        shared = one[1] - other[0]
        assert shared == min(overlap, size // 2)
        is_border = of[one[1] - 1] != of[one[1]]
        earlier = range(one[0] + shared + (size - shared) // 2 + 1, one[0] + size + 1)
        assert is_border or all(of[place - 1] == of[place] for place in earlier)


@pytest.mark.parametrize("word", [0, np.arange(1_000_000) // 3, np.arange(1_000_000)], ids=["one", "threes", "each"])
@pytest.mark.parametrize("overlap", [0, 64, 4096])
def test_windows_of_a_million_tokens_hold_each_and_no_more_than_four_times_as_many(word: Any, overlap: int) -> None:
    words = np.zeros(1_000_000, dtype=np.int64) + word
    spans = list(windows(words, 509, overlap))
    assert all(one[0] < other[0] <= one[1] for one, other in pairwise(spans))
    assert (spans[0][0], spans[-1][1]) == (0, len(words))
    assert sum(stop - start for start, stop in spans) <= 4 * len(words)


def test_two_texts_without_end_make_no_more_rows_than_the_longer_alone() -> None:
    [passage] = reader().read([(LONG * 5, LONGER * 9)])
    assert len(passage.windows) == max(len({part.start for part in passage.parts(place)}) for place in (0, 1))


@pytest.mark.parametrize("place", [0, 1, 5])
def test_half_of_a_surrogate_pair_is_refused_with_its_field(place: int) -> None:
    given = ["good"] * 6
    given[place] = "bad \ud800"
    pairs = [tuple(given[at : at + 2]) for at in (0, 2, 4)]
    with pytest.raises(InputError, match=rf"cannot be tokenised[^$]*where: {('premise', 'hypothesis')[place % 2]}"):
        reader().read(pairs, fields=("premise", "hypothesis"))
    with pytest.raises(InputError, match="cannot be tokenised"):
        reader().read(pairs)


@pytest.mark.parametrize("most", [1, 2])
def test_a_row_without_room_for_a_text_is_refused_before_any_is_read(most: int) -> None:
    for rule in get_args(Rule):
        with pytest.raises(OptionError, match=rf"a row of {most} tokens leaves no room for a text: 2 stand around it"):
            reader(rule, most=most).read([""])
    with pytest.raises(OptionError, match="a row of 4 tokens leaves no room for 2 texts: 3 stand around them"):
        reader("cut", most=4).read([("a", "b")])


def test_two_texts_are_told_apart_by_the_tokenizers_own_signs() -> None:
    one = reader()
    [passage] = one.read([("we saw", "the film")])
    [window] = passage.windows
    before, between, after = one.tokenizer.frame
    first, second = (tokens.ids for tokens in one.tokenizer.tokens(["we saw", "the film"]))
    assert window.row["input_ids"].tolist() == [*before, *first, *between, *second, *after]
    assert halves(window.row)[1] == [*second, *after]
    assert not passage.notes


def test_all_texts_after_the_first_are_of_the_second_type() -> None:
    one = reader()
    [window] = one.read([("we", "saw", "the film")])[0].windows
    between, after = one.tokenizer.frame[1:]
    second, third = (tokens.ids for tokens in one.tokenizer.tokens(["saw", "the film"]))
    assert halves(window.row)[1] == [*second, *between, *third, *after]


def test_a_tokenizer_without_a_sign_between_puts_a_line_break_there() -> None:
    one = reader(kind=TinyDecoder)
    [passage] = one.read([("we", "saw", "it")])
    assert one.tokenizer.text(passage.windows[0].row["input_ids"].tolist()) == "we\nsaw\nit"


def test_a_prefix_stands_before_each_text_by_its_role() -> None:
    one = reader(kind=TinyDecoder, prefixes={"": "t: ", "query": "q: ", "passage": "p: "})
    told = {}
    for roles in ("", "query", ("query", "passage"), ("query", "answer")):
        [passage] = one.read([("we", "saw")], roles=roles)
        told[roles] = one.tokenizer.text(passage.windows[0].row["input_ids"].tolist())
    assert told == {
        "": "t:we\nt:saw", "query": "q:we\nq:saw", ("query", "passage"): "q:we\np:saw", ("query", "answer"): "q:we\nt:saw",
    }  # fmt: skip
    assert one.encode([("we", "saw")], roles=("query", "passage")).rows[0]["input_ids"].tolist() == (
        one.read([("we", "saw")], roles=("query", "passage"))[0].windows[0].row["input_ids"].tolist()
    )


@pytest.mark.parametrize(
    ("row", "notes"),
    [
        ((SHORT, LONG), ["text 2 cut at 58 tokens"]),
        ((LONG, SHORT), ["text 1 cut at 58 tokens"]),
        ((LONG, LONGER), ["text 1 cut at 30 tokens", "text 2 cut at 31 tokens"]),
        ((LONG, SHORT, LONGER), ["text 1 cut at 28 tokens", "text 3 cut at 29 tokens"]),
    ],
)
def test_what_is_cut_is_said_and_short_texts_leave_their_room_to_long_ones(row: tuple[str, ...], notes: list[str]) -> None:
    one = reader("cut")
    [passage] = one.read([row])
    [window] = passage.windows
    assert list(passage.notes) == notes
    assert len(window.row["input_ids"]) == one.spec.context == 64


def test_texts_too_long_are_refused_by_their_names_where_the_recipe_says_so() -> None:
    with pytest.raises(TooLong, match=r"text 1 and text 2 have 3 and 180 tokens; 61 fit"):
        reader("refuse").read([(SHORT, LONG)])
    with pytest.raises(TooLong, match=r"review has 180 tokens; 62 fit"):
        reader("refuse").read([LONG], fields=["review"])
    assert len(reader("refuse").read([(SHORT, SHORT)])[0].windows) == 1


def test_texts_and_pairs_are_read_into_rows_with_their_owners() -> None:
    one = reader()
    encoded = one.encode([SHORT, (SHORT, LONG), ("", "")])
    assert [encoded.owner.count(index) for index in range(3)] == [1, len(one.read([(SHORT, LONG)])[0].windows), 1]
    assert encoded.side[0] == ()
    assert np.array_equal(encoded.rows[0]["input_ids"], one.read([SHORT])[0].windows[0].row["input_ids"])


@pytest.mark.parametrize("kind", [TinyDecoder, TinyEncoderDecoder])
def test_what_is_written_after_a_prompt_is_marked_in_the_row_that_holds_it(kind: Any) -> None:
    one = reader(kind=kind)
    [prompt] = one.prompts([("we", "saw")], template_frame("{a} and {b}, so", ("a", "b")), spare=2)
    target = one.tokenizer.tokens(["it was"])[0].ids
    row = one.written(prompt.ids, target)
    has_source = one.spec.architecture == "encoder-decoder"
    ids = row["decoder_input_ids" if has_source else "input_ids"]
    assert ids[row["scored"].astype(bool)].tolist() == target.tolist()
    assert scored_port(one.spec).axes == (("target",) if has_source else ("tokens",))
    assert len(ids) == (1 if has_source else len(prompt.ids)) + len(target)
    assert "we and saw, so" in one.tokenizer.text(prompt.ids.tolist()).replace(" ,", ",")


def test_a_prompt_cuts_its_texts_says_so_and_keeps_its_own_words() -> None:
    one = reader(kind=TinyDecoder)
    frame = template_frame("{question} asks of {context}, and it is", ("context", "question"))
    assert frame.fields == ("question", "context")
    [prompt] = one.prompts([(SHORT, LONG)], frame, spare=5)
    assert len(prompt.ids) + 5 == one.max_tokens
    assert prompt.notes == (f"context cut at {one.max_tokens - 5 - len(one.prompts([(SHORT, '')], frame)[0].ids)} tokens",)
    assert one.tokenizer.text(prompt.ids.tolist()).rstrip().endswith("and it is")
    with pytest.raises(TooLong, match=r"question and context have 9 and 760 tokens"):
        reader("refuse", TinyDecoder).prompts([(SHORT, LONG)], frame)
    with pytest.raises(OptionError, match=f"{one.max_tokens} tokens to write and the frame of"):
        one.prompts([(SHORT, SHORT)], frame, spare=one.max_tokens)


def test_an_empty_prompt_goes_on_from_where_another_text_ended() -> None:
    one = reader(kind=TinyDecoder)
    bare = [prompt.ids.tolist() for prompt in one.prompts([""], Frame())]
    assert len(bare[0]) >= 1


@pytest.mark.parametrize(("template", "what"), [("It is", r"has no \{text\}"), ("{text} or {text}", r"has \{text\} twice")])
def test_a_template_without_a_place_for_each_text_is_refused(template: str, what: str) -> None:
    with pytest.raises(OptionError, match=what):
        template_frame(template, ("text",))


def test_braces_around_anything_else_are_text() -> None:
    assert template_frame("{a {text} {b} {}", ("text",)).pieces == ("{a ", " {b} {}")

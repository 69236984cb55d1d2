"""Two texts in one row: kept apart, never cut without a word, whatever the rule for long texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from functory_sdk import OptionError, Reader, TooLong
from functory_sdk.testing import TinyDecoder, TinyEncoder

SHORT, LONG, LONGER = "we saw it", "the rain was good and the sun was bad " * 20, "a fine film and a poor book " * 30


def reader(long_text: Any = "window", kind: Any = TinyEncoder, **facts: Any) -> Reader:
    backbone = kind()
    return Reader(backbone.tokenizer, backbone.spec.model_copy(update=facts), long_text)


def halves(row: Any) -> tuple[list[int], list[int]]:
    """Return the tokens of the first and the second text, special ones and all."""
    second = row["token_type_ids"].astype(bool)
    return row["input_ids"][~second].tolist(), row["input_ids"][second].tolist()


@pytest.mark.parametrize("most", [1, 2])
def test_a_row_without_room_for_a_text_is_refused_before_any_is_read(most: int) -> None:
    for rule in ("window", "cut", "refuse"):
        narrow = Reader(TinyEncoder().tokenizer, TinyEncoder().spec, rule, most)  # type: ignore[arg-type]
        with pytest.raises(OptionError, match=rf"a row of {most} tokens leaves no room for a text: 2 stand around each"):
            narrow.read([""])
    with pytest.raises(OptionError, match="a row of 4 tokens leaves no room for two texts: 3 stand around each"):
        Reader(TinyEncoder().tokenizer, TinyEncoder().spec, "cut", 4).read([("a", "b")])


def test_two_texts_are_told_apart_by_the_tokenizers_own_signs() -> None:
    one = reader()
    [passage] = one.read([("we saw", "the film")])
    [window] = passage.windows
    before, between, after = one.tokenizer.frame
    first, second = (tokens.ids for tokens in one.tokenizer.tokens(["we saw", "the film"]))
    assert window.row["input_ids"].tolist() == [*before, *first, *between, *second, *after]
    assert halves(window.row)[1] == [*second, *after]
    assert window.row["input_ids"][window.first : window.first + len(second)].tolist() == second.tolist()
    assert not passage.notes


def test_a_tokenizer_without_a_sign_between_puts_a_line_break_there() -> None:
    one = reader(kind=TinyDecoder)
    [passage] = one.read([("we", "saw")])
    assert one.tokenizer.text(passage.windows[0].row["input_ids"].tolist()) == "we\nsaw"


def test_a_prefix_stands_before_each_of_two_texts() -> None:
    [passage] = reader(kind=TinyDecoder, prefixes={"": "q: "}).read([("we", "saw")])
    text = reader(kind=TinyDecoder).tokenizer.text(passage.windows[0].row["input_ids"].tolist())
    assert text == "q:we\nq:saw"


def test_windows_of_two_texts_hold_every_token_of_the_longer_beside_the_whole_shorter_one() -> None:
    one = reader()
    for pair, longer in (((SHORT, LONG), 1), ((LONG, SHORT), 0)):
        [passage] = one.read([pair])
        assert passage.notes == (f"read in {len(passage.windows)} windows",)
        parts = [halves(window.row) for window in passage.windows]
        whole = one.tokenizer.tokens([pair[1 - longer]])[0].ids.tolist()
        assert all(set(whole) <= set(part[1 - longer]) for part in parts)
        frame = {int(id_) for part in one.tokenizer.frame for id_ in part}
        read = [id_ for part in parts for id_ in part[longer] if id_ not in frame]
        assert read == one.tokenizer.tokens([pair[longer]])[0].ids.tolist()


def test_of_two_long_texts_every_stretch_of_one_meets_every_stretch_of_the_other() -> None:
    one = reader()
    [passage] = one.read([tuple(" ".join(f"{word}{n}" for n in range(60)) for word in ("good", "bad"))])
    firsts, seconds = ({tuple(halves(window.row)[side]) for window in passage.windows} for side in (0, 1))
    assert len(passage.windows) == len(firsts) * len(seconds) > 10
    assert max(len(window.row["input_ids"]) for window in passage.windows) <= one.spec.context


@pytest.mark.parametrize(
    ("pair", "notes"),
    [
        ((SHORT, LONG), ["second text cut at 58 tokens"]),
        ((LONG, SHORT), ["first text cut at 58 tokens"]),
        ((LONG, LONGER), ["first text cut at 30 tokens", "second text cut at 31 tokens"]),
    ],
)
def test_what_is_cut_of_two_texts_is_said(pair: tuple[str, str], notes: list[str]) -> None:
    one = reader("cut")
    [passage] = one.read([pair])
    [window] = passage.windows
    assert list(passage.notes) == notes
    assert len(window.row["input_ids"]) == one.spec.context == 64


def test_two_texts_too_long_are_refused_where_the_recipe_says_so() -> None:
    with pytest.raises(TooLong, match=r"two texts have 3 and 180 tokens; 61 fit"):
        reader("refuse").read([(SHORT, LONG)])
    assert len(reader("refuse").read([(SHORT, SHORT)])[0].windows) == 1


def test_texts_and_pairs_are_read_into_rows_with_their_owners() -> None:
    one = reader()
    encoded = one.encode([SHORT, (SHORT, LONG), ("", "")])
    assert encoded.owner == sorted(encoded.owner)
    assert [encoded.owner.count(index) for index in range(3)] == [1, len(one.read([(SHORT, LONG)])[0].windows), 1]
    assert encoded.side[0] == ()
    assert np.array_equal(encoded.rows[0]["input_ids"], one.read([SHORT])[0].windows[0].row["input_ids"])

"""What data and callers may say, and which row and field is named where they say it wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functory.data import split
from functory.measuring.evaluation import read_examples
from functory_sdk import DataError, NotSupported
from functory_tagging import Line, TaggedLine, Tagging


def settled(*rows: dict[str, Any], **options: Any) -> Any:
    return read_examples(Tagging.configure(options), None, list(rows))


def words(example: TaggedLine) -> list[tuple[str, str]]:
    return [(example.text[span.start : span.end], span.label) for span in example.spans]


def test_words_come_as_a_list_in_place_of_the_text_or_beside_it() -> None:
    made = Line(text=["Ann", "left", "北京"])  # type: ignore[arg-type]
    assert made == Line(words=("Ann", "left", "北京")) == Line.model_validate({"tokens": ["Ann", "left", "北京"]})
    assert (made.text, made.offsets) == ("Ann left北京", ((0, 3), (4, 8), (8, 10)))
    assert Line(text="Ann  left.", words=("Ann", "left", ".")).offsets == ((0, 3), (5, 9), (9, 10))
    assert Line(text="Ann left", words=((0, 3), (4, 8))).tokens == ("Ann", "left")
    assert Line(words=(" Ann ", "left")).tokens == ("Ann", "left")
    assert Line.model_validate(made.model_dump(mode="json")) == made
    assert Line(words=np.asarray(["Ann"], dtype=object)).text == "Ann"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tokens": ["Ann", ""]}, "word 2 is empty"), ({"words": ["a", "b", "\u3000 "]}, "word 3 is white space"),
        ({"tokens": ["a", "b\ud800"]}, "word 2, .* holds half of a surrogate pair"),
        ({"text": "b\udfff"}, "the text holds half of a surrogate pair"),
        ({"text": "Ann", "tokens": ["Bob"]}, "token 1, 'Bob', is not at character 0"),
        ({"text": "Ann", "words": [[0, 4]]}, "word 1, from 0 to 4, is no part of a text of 3 characters"),
        ({"text": "Ann left", "words": [[4, 8], [0, 3]]}, "word 2 begins at 0, before"),
        ({"text": "Zoe\u0308", "words": [[0, 3]]}, r"cuts a character: U\+0308, a mark at 3"),
        ({"text": "a b", "words": [[1, 2]]}, "word 1, from 1 to 2, is white space"),
        ({"text": "Ann", "words": [[0, 3], 3]}, r"none of \[start, end\]"), ({"text": "Ann", "words": [0, 3]}, "words hold 0"),
        ({"words": "Ann left"}, "words are a str, not a list"), ({"tokens": ["a", 7]}, "words hold 7, which is no text"),
        ({}, "neither a text nor a list of words"),
    ],
)  # fmt: skip
def test_each_fault_of_an_input_is_named(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Line.model_validate(fields)
    if fields:
        with pytest.raises(DataError) as refused:
            settled({"tokens": ["a"], "tags": ["X"]}, {**fields, "tags": ["X"]})
        assert "rows[1]" in str(refused.value)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"tokens": ["a", "b"], "tags": ["X"]}, "there are 2 words and 1 tags"),
        ({"text": "Ann left.", "tags": ["X", "Y"]}, "there are 3 words in the text and 2 tags"),
        ({"tokens": ["a"]}, "there are words without tags"),
        ({"tokens": ["a"], "tags": [3]}, "tags hold 3, which is no text"),
    ],
)
def test_a_row_without_a_tag_for_each_word_is_named(row: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told) as refused:
        settled({"tokens": ["a"], "tags": ["X"]}, row)
    assert "rows[1]" in str(refused.value)


def test_words_that_hold_spaces_nul_or_a_flood_of_marks_stay_words() -> None:
    flood = "e" + "\u0301" * 2000
    made = Line(words=("Hà Nội", "a\x00b", flood, "👩\u200d🔬"))
    assert [made.text[a:b] for a, b in made.offsets] == ["Hà Nội", "a\x00b", flood, "👩\u200d🔬"]


SAME = [("我们", "word"), ("在", "word"), ("北京", "word")]


@pytest.mark.parametrize(
    ("row", "mode"),
    [
        ({"text": " 我们  在 北京\u3000"}, "words"), ({"tokens": ["我们", "在", "北京"]}, "words"),
        ({"tokens": list("我们在北京"), "tags": list("BESBE")}, "auto"),
        ({"tokens": list("我们在北京"), "tags": list("BIBBI")}, "auto"),
        ({"text": "我们在北京", "spans": [[0, 2, "word"], [2, 3, "word"], [3, 5, "word"]]}, "auto"),
    ],
)  # fmt: skip
def test_words_are_learned_from_whatever_says_them_and_the_text_shows_none(row: dict[str, Any], mode: str) -> None:
    [example] = found = settled(row, mode=mode)
    assert (example.text, words(example), example.words) == ("我们在北京", SAME, ())
    assert tuple(read_examples(Tagging.configure({"mode": mode}), None, found)) == (example,)
    assert Tagging.configure({"mode": mode}).learn(found).mode == "words"


def test_words_are_learned_with_their_tags() -> None:
    [one] = settled({"tokens": ["我们", "在", "北京"], "tags": ["PRON", "ADP", "PROPN"]}, mode="words")
    [two] = settled({"tokens": list("我们在北京"), "tags": ["B-PRON", "E-PRON", "S-ADP", "B-PROPN", "E-PROPN"]})
    assert words(one) == words(two) == [("我们", "PRON"), ("在", "ADP"), ("北京", "PROPN")]
    state = Tagging().learn([two])
    assert state.tags[:4] == ("B-ADP", "M-ADP", "E-ADP", "S-ADP")
    [chunks] = settled({"tokens": ["New", "York"], "tags": ["B-NP", "I-NP"]})
    assert Tagging().learn([chunks]).mode == "tags"


def test_plain_texts_need_a_mode_and_the_error_says_which() -> None:
    with pytest.raises(DataError) as refused:
        settled({"text": "We saw it, and left."})
    assert "no row has tags" in refused.value.what
    assert refused.value.where
    assert "mode = 'punctuation'" in refused.value.do
    with pytest.raises(DataError, match="none of 1 examples has a mark"):
        Tagging.configure({"mode": "punctuation"}).learn(settled({"text": "nothing here"}, mode="punctuation"))


def test_the_names_of_columns_are_those_of_data_sets(tmp_path: Path) -> None:
    for names in (("tokens", "upos"), ("words", "pos_tags"), ("form", "xpos")):
        row = dict(zip(names, (["Ann", "left"], ["PROPN", "VERB"]), strict=True))
        if names[0] == "form":
            row = {"forms": row["form"], "xpos": row["xpos"]}
        [example] = settled(row)
        assert (example.tokens, example.tags) == (("Ann", "left"), ("PROPN", "VERB"))
    file = tmp_path / "pos.conllu"
    lines = ["1\tAnn\tAnn\tPROPN\tNNP", "2\tleft\tleave\tVERB\tVBD", "", "1\tBob\tBob\tPROPN\tNNP", ""]
    file.write_text("\n".join(lines), encoding="utf-8")
    found = read_examples(Tagging(), None, file, format={"name": "conll", "tag": 4})
    assert [(one.tokens, one.tags) for one in found] == [(("Ann", "left"), ("PROPN", "VERB")), (("Bob",), ("PROPN",))]


def test_an_unknown_tag_is_named_with_its_word_and_row() -> None:
    state = Tagging().learn(settled({"tokens": ["Ann", "left"], "tags": ["PROPN", "VERB"]}))
    with pytest.raises(DataError) as refused:
        read_examples(Tagging(), state, [{"tokens": ["Bob"], "tags": ["PROPN"]}, {"tokens": ["it"], "tags": ["PRON"]}])
    assert "unknown tag 'PRON' of 'it' (from 0 to 2)" in refused.value.what
    assert "rows[1]" in str(refused.value)
    with pytest.raises(DataError, match="the row gives words as spans, and this function learned tags for its words"):
        read_examples(Tagging(), state, [{"text": "it", "spans": [[0, 2, "PROPN"]]}])


def test_heads_from_elsewhere_are_taken_by_what_their_outputs_are_called() -> None:
    state, order = Tagging().adopt(["NOUN", " VERB", "X"], unit="token")
    assert (state.mode, state.tags, list(order)) == ("tags", ("NOUN", "VERB", "X"), [0, 1, 2])
    state, order = Tagging().adopt(["S", "B", "E", "M"], unit="token")
    assert (state.mode, state.tags, list(order)) == ("words", ("B-word", "M-word", "E-word", "S-word"), [1, 3, 2, 0])
    state, order = Tagging().adopt(["I", "B"], unit="token")
    assert (state.tags, list(order)) == (("B-word", "I-word"), [1, 0])
    assert Tagging.configure({"mode": "tags"}).adopt(["I", "B"], unit="token")[0].mode == "tags"
    for names, options, unit in ((["A", "B"], {}, "text"), (["A", "A"], {}, "token"), (["A", "B"], {"mode": "words"}, "token")):
        with pytest.raises(NotSupported):
            Tagging.configure(options).adopt(names, unit=unit)  # type: ignore[arg-type]


def test_one_tag_alone_teaches_nothing() -> None:
    with pytest.raises(DataError, match="all 2 words have the tag 'X'"):
        Tagging().learn(settled({"tokens": ["a", "b"], "tags": ["X", "X"]}))


def test_words_that_no_text_shows_are_noted() -> None:
    task = Tagging()
    [note] = task.audit(settled({"tokens": ["我们", "在", "北京"], "tags": ["A", "B", "C"]}))
    assert "show 33% of the words:" in note
    assert task.learn(settled({"tokens": ["我们", "在", "北京"], "tags": ["A", "B", "C"]})).is_given
    assert not task.learn(settled({"tokens": ["Ann", "left"], "tags": ["A", "B"]})).is_given
    assert task.audit(settled({"tokens": ["Ann", "left"], "tags": ["A", "B"]})) == ()
    assert task.audit(settled({"tokens": list("我们"), "tags": ["A", "B"]})) == ()


@pytest.mark.parametrize("mode", ["tags", "words"])
def test_a_tag_that_one_row_has_is_learned_whichever_rows_are_drawn_apart(mode: str) -> None:
    rows = [{"tokens": ["我们", f"{place}"], "tags": ["PRON", "NUM"]} for place in range(20)]
    found = settled(*rows, {"tokens": ["啊", "好"], "tags": ["INTJ", "NUM"]}, mode=mode)
    for seed in range(8):
        kept = split(found, dev=0.3, test=0.3, seed=seed, stratify=Tagging().strata).train
        assert "INTJ" in {tag for example in kept for tag in Tagging().labels(example)}


def test_words_are_written_on_a_command_line_as_a_list() -> None:
    from functory.cli.written import fields

    line = Line.model_validate(fields(Tagging(), ['["Ann", "left", "."]']))
    assert line.tokens == ("Ann", "left", ".")
    for text in ("Ann left.", "[1] Ann left.", "[1]", "[]", "[sic]"):
        assert fields(Tagging(), [text]) == {"text": text}

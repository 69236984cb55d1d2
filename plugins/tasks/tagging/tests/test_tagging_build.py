"""The whole way from rows to a loaded function, in each mode, on a tiny backbone."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk import InputError
from functory_sdk.testing import converted, kit
from functory_tagging import Tagged

TAGS = {"we": "PRON", "saw": "VERB", "the": "DET", "film": "NOUN", "rain": "NOUN", "was": "VERB", "good": "ADJ", "it": "PRON"}
ROWS = {
    "tags": [
        {"tokens": words.split(), "tags": [TAGS[word] for word in words.split()]}
        for words in ("we saw the film", "the rain was good", "it was the film", "we saw the rain", "it was good")
    ],
    "words": [
        {"tokens": ["我们", "在", "北京"], "tags": ["PRON", "ADP", "PROPN"]},
        {"tokens": ["他", "在", "上海"], "tags": ["PRON", "ADP", "PROPN"]},
        {"tokens": ["我们", "在", "上海"], "tags": ["PRON", "ADP", "PROPN"]},
    ],
    "punctuation": [
        {"text": "we saw the film, it was good."}, {"text": "was it good? we saw it."}, {"text": "we saw it, the rain."},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Iterator[Any]:
    """Make each mode's function once; the tiny backbones are there while the tests run."""
    found: dict[str, functory.Function] = {}

    def of(mode: str, **options: Any) -> functory.Function:
        key = f"{mode}{options}"
        if key not in found:
            learned = {"name": "full", "epochs": 40, "learning_rate": 0.01} if mode == "punctuation" else "head"
            found[key] = functory.build(
                task={"name": "tagging", "mode": mode, **options}, train=ROWS[mode], test=ROWS[mode], dev_share=0,
                backbone="tiny-encoder", adaptation=learned, name=mode,
            )  # fmt: skip
        return found[key]

    with kit():
        yield of


def tagged(output: Tagged) -> list[tuple[str, str]]:
    return [(token.text, token.tag) for token in output.tokens]


def test_a_list_of_words_gives_one_tag_a_word(made: Any) -> None:
    function = made("tags")
    assert function.report.metrics["accuracy"].value == 1
    assert function.report.metrics["accuracy"].baseline == pytest.approx(5 / 19)
    words = ["we", "saw", "the", "rain"]
    output = function(words)
    assert tagged(output) == [(word, TAGS[word]) for word in words]
    assert function(words=words) == function("we saw the rain") == output
    assert next(function.map([words, "it was good", ("we saw",)])) == output
    assert all(output.tokens[n].text == "we saw the rain"[t.start : t.end] for n, t in enumerate(output.tokens))
    assert output.in_line() == "we/PRON saw/VERB the/DET rain/NOUN"
    assert function([]).tokens == function("").tokens == ()
    with pytest.raises(InputError, match="word 2 is empty"):
        function(["we", ""])
    with pytest.raises(InputError) as refused:
        list(function.map([["we"], ["we", " "]]))
    assert refused.value.where == "input 2"


def test_a_word_of_which_no_token_is_left_has_a_tag_all_the_same_and_a_note_says_so(made: Any) -> None:
    function = made("tags")
    output = function(["we", "\x00", "saw"])
    assert [token.text for token in output.tokens] == ["we", "\x00", "saw"]
    assert (output.tokens[1].tag, output.tokens[1].score) == (function.state.commonest, 0)
    assert output.notes == (f"1 of 3 words have no token of this backbone: each got the tag {function.state.commonest!r}",)
    assert tagged(function(["\x00"])) == [("\x00", function.state.commonest)]


@pytest.mark.parametrize("mode", ["tags", "words", "punctuation"])
def test_long_texts_lose_no_word_and_a_cut_says_so(made: Any, mode: str) -> None:
    function = made(mode)
    text = "我们在北京" * 150 if mode == "words" else " ".join(["we saw the film"] * 150)
    output = function(text)
    assert output.notes[0].startswith("read in ")
    assert "".join(token.text for token in output.tokens) == text.replace(" ", "")
    assert all(text[token.start : token.end] == token.text for token in output.tokens)
    if mode != "words":
        assert len(function(text.split()).tokens) == 600
    cut = function.replaced(about=replace(function.about, long_text="cut"))(text)
    assert cut.notes[0].startswith("cut at ")
    assert 0 < len(cut.tokens) < len(output.tokens)
    read = "".join(token.text for token in cut.tokens)
    assert text.replace(" ", "").startswith(read)
    assert cut.text.replace(",", "").replace(".", "").replace("?", "") in ("", text)


@pytest.mark.parametrize("mode", ["tags", "words"])
def test_no_word_cuts_a_flag_a_family_or_a_pile_of_marks(made: Any, mode: str) -> None:
    signs = ["\U0001f1e9\U0001f1ea", "\U0001f469\u200d\U0001f467", "e" + "\u0301" * 40]
    found = made(mode)(" ".join(signs)).tokens
    assert [token.text for token in found] == signs


def test_words_of_a_text_are_found_with_their_tags_and_given_ones_get_theirs(made: Any) -> None:
    function = made("words")
    assert function.report.metrics["f1"].value == function.report.metrics["tagged_f1"].value == 1
    assert tagged(function("他在北京")) == [("他", "PRON"), ("在", "ADP"), ("北京", "PROPN")]
    assert [token.text for token in function("我们 在\x00北京").tokens] == ["我们", "在\x00", "北京"]
    assert tagged(function(["我们", "在", "上海"])) == [("我们", "PRON"), ("在", "ADP"), ("上海", "PROPN")]
    assert [token.text for token in function(["我们在", "上海"]).tokens] == ["我们在", "上海"]


def test_words_never_go_across_white_space(made: Any) -> None:
    found = [token.text for token in made("words", scheme="BI")("我 们在 北 京 \u3000海").tokens]
    assert made("words", scheme="BI").state.tags[:2] == ("B-ADP", "I-ADP")
    assert "".join(found) == "我们在北京海"
    assert not any(map(str.isspace, "".join(found)))


def test_a_text_whose_words_were_given_in_training_is_tagged_with_a_note(made: Any) -> None:
    function = functory.build(
        task="tagging", train=ROWS["words"], dev_share=0, test_share=0, backbone="tiny-encoder", adaptation="head"
    )
    assert function(["我们", "在", "北京"]).notes == function("we saw").notes == ()
    [note] = function("我们在北京").notes
    assert note.startswith("characters were tagged one by one: give this function words")


def test_punctuation_is_restored_whatever_marks_the_text_has(made: Any) -> None:
    function = made("punctuation")
    assert function.report.metrics["f1"].value == 1
    output = function("we saw the film it was good")
    assert output.text == output.in_line() == "we saw the film, it was good."
    assert function("we saw, the film it. was good?").text == output.text
    assert tagged(function(["we", "saw", "the", "film", "it", "was", "good"])) == tagged(output)
    assert {target.name for target in function.targets("we saw the film it was good")} == {",:film", ".:good"}
    assert function("?!").text == "?!"


@pytest.mark.parametrize("mode", ["tags", "words", "punctuation"])
def test_a_saved_function_answers_the_same_and_explains_each_token(made: Any, tmp_path: Path, mode: str) -> None:
    function = made(mode)
    loaded = functory.load(function.save(tmp_path / mode))
    value = {"tags": ["we", "saw", "the", "rain"], "words": "我们在北京", "punctuation": "we saw the film it was good"}[mode]
    assert loaded(value) == function(value)
    targets = loaded.targets(value)
    assert len(targets) >= 2
    told = loaded.explain(value, target=targets[-1].name)
    text = value if isinstance(value, str) else "we saw the rain"
    assert told.target == targets[-1]
    assert [piece.text for piece in told.pieces] == [text[piece.start : piece.end] for piece in told.pieces]
    assert max(abs(piece.weight) for piece in told.pieces) > 0
    assert loaded.explain(value, method="gradient-x-input", target=targets[0].name).pieces


@pytest.mark.parametrize(
    ("mode", "tags"),
    [("tags", "'ADJ', 'DET', 'NOUN', 'PRON', 'VERB'"), ("words", "'ADP', 'PRON', 'PROPN'"), ("punctuation", "'', ',', '.', '?'")],
)
def test_it_answers_the_same_in_int8_and_its_wheel_names_its_tags_without_torch(
    made: Any, mode: str, tags: str, tmp_path: Path
) -> None:
    function = made(mode)
    asked = [row["tokens"] if mode == "tags" else row.get("text") or "".join(row["tokens"]) for row in ROWS[mode]]
    fast = converted(function, tmp_path / "int8", inputs=asked)
    loaded = functory.load(fast.save(tmp_path / mode))
    assert loaded.form.program.precision == "int8"
    assert [tagged(one) for one in loaded.map(asked)] == [tagged(one) for one in function.map(asked)]
    [wheel] = loaded.package("cuts", tmp_path)
    with zipfile.ZipFile(wheel) as packed:
        stub = packed.read("cuts/__init__.pyi").decode().replace('"', "'")
        [metadata] = [packed.read(name).decode() for name in packed.namelist() if name.endswith("METADATA")]
    assert f"Literal[{tags}]" in stub
    assert "words: " in stub
    assert "Requires-Dist: functory-tagging" in metadata
    assert "functory-torch" not in metadata


def test_unknown_words_are_measured_apart_and_none_can_be_read_off(made: Any) -> None:
    function = made("tags")
    report = function.evaluate([{"tokens": ["we", "saw", "good", "night"], "tags": ["PRON", "VERB", "ADJ", "NOUN"]}])
    [new] = [token for token in function(["we", "saw", "good", "night"]).tokens if token.text == "night"]
    assert report.metrics["unknown_accuracy"].value == float(new.tag == "NOUN")
    assert "unknown_accuracy" not in function.report.metrics
    assert "film" not in function.state.model_dump_json()

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functory_ner import NER, TaggedText
from functory_sdk import DataError

TAGS = st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"]), max_size=12)


def spans(example: TaggedText) -> list[tuple[str, str]]:
    return [(example.text[span.start : span.end], span.label) for span in example.entities]


def read(**fields: Any) -> TaggedText:
    return TaggedText.model_validate(fields)


def test_words_characters_and_spans_say_the_same() -> None:
    words = read(tokens=["Ann", "is", "in", "New", "York", "."], tags=["B-PER", "O", "O", "B-LOC", "I-LOC", "O"])
    assert (words.text, spans(words)) == ("Ann is in New York .", [("Ann", "PER"), ("New York", "LOC")])
    characters = read(tokens=list("王明在NBA。"), tags=["B-PER", "I-PER", "O", "B-ORG", "I-ORG", "I-ORG", "O"])
    assert (characters.text, spans(characters)) == ("王明在NBA。", [("王明", "PER"), ("NBA", "ORG")])
    mixed = read(tokens=["王明", "用", "Google"], tags=["B-PER", "O", "B-ORG"])
    assert (mixed.text, spans(mixed)) == ("王明用Google", [("王明", "PER"), ("Google", "ORG")])
    offsets = read(text="Ann is in New York.", entities=[[10, 18, "LOC"], {"start": 0, "end": 3, "label": "PER"}])
    assert spans(offsets) == [("Ann", "PER"), ("New York", "LOC")]


@pytest.mark.parametrize(
    "tags",
    [
        ["B-PER", "O", "O", "B-LOC", "I-LOC", "B-LOC"],
        ["I-PER", "O", "O", "I-LOC", "I-LOC", "B-LOC"],
        ["S-PER", "O", "O", "B-LOC", "E-LOC", "S-LOC"],
        ["U-PER", "O", "O", "B-LOC", "L-LOC", "U-LOC"],
    ],
)
def test_each_scheme_of_tags_gives_the_same_spans(tags: list[str]) -> None:
    example = read(tokens=["Ann", "is", "in", "New", "York", "Ohio"], tags=tags)
    assert spans(example) == [("Ann", "PER"), ("New York", "LOC"), ("Ohio", "LOC")]


def test_tags_without_letters_are_read_as_io() -> None:
    example = read(tokens=["Ann", "in", "New", "York"], tags=["PER", "O", "LOC", "LOC"])
    assert spans(example) == [("Ann", "PER"), ("New York", "LOC")]


def test_tokens_are_found_in_the_text_that_comes_with_them() -> None:
    example = read(text="N. Y.  City!", tokens=["N.", "Y.", "City", "!"], tags=["B-LOC", "I-LOC", "I-LOC", "O"])
    assert spans(example) == [("N. Y.  City", "LOC")]
    with pytest.raises(DataError, match=r"token 2, 'Z\.', is not at character 3"):
        read(text="N. Y.", tokens=["N.", "Z."], tags=["O", "O"])


@settings(deadline=None)
@given(TAGS)
def test_an_example_comes_back_from_json_as_it_was(tags: list[str]) -> None:
    example = read(tokens=[f"w{n}" for n in range(len(tags))], tags=tags)
    assert TaggedText.model_validate(json.loads(example.model_dump_json())) == example


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"text": "Ann", "entities": [[0, 4, "PER"]]}, "'PER' from 0 to 4 is no part of a text of 3 characters"),
        ({"text": "Ann", "entities": [[-1, 2, "PER"]]}, "from -1 to 2 is no part"),
        ({"text": "Ann", "entities": [[1, 1, "PER"]]}, "from 1 to 1 is no part"),
        ({"text": "a  b", "entities": [[1, 3, "PER"]]}, "all white space"),
        ({"text": "Zoe\u0308 x", "entities": [[0, 3, "PER"]]}, r"'Zoe' .* cuts a character: U\+0308, a mark at 3"),
        ({"text": "Ann", "entities": [{"start": 0, "end": 2, "label": "P", "text": "Ann"}]}, "'An' .* should be 'Ann'"),
        ({"tokens": ["a", "b"], "tags": ["O"]}, "2 tokens and 1 tags"),
        ({"tokens": ["a", ""], "tags": ["O", "O"]}, "token 2 is empty"),
        ({"tokens": ["a"], "tags": ["X-PER"]}, "tag 1 is 'X-PER', which no scheme knows"),
        ({"tokens": ["a", "b"], "tags": ["B-PER", "PER"]}, "tag 2 is 'PER', without the letter that 'B-PER' has"),
        ({"text": "a"}, "neither entities nor tags"),
        ({"entities": []}, "neither a text nor tokens"),
        ({"text": "a", "tags": ["O"]}, "tags without tokens"),
        ({"tokens": ["a"], "tags": ["B-X"], "entities": []}, "entities and tags differ"),
    ],
)
def test_each_fault_of_an_example_is_named(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        read(**fields)


@pytest.mark.parametrize(("begin", "inside"), [("B_PER", "I_PER"), ("PER-B", "PER-I"), ("B:PER", "I:PER")])
def test_tags_in_a_writing_that_no_scheme_has_are_noted(begin: str, inside: str) -> None:
    from functory.measuring.evaluation import read_examples

    def notes(*tags: str) -> str:
        return " ".join(NER().audit(read_examples(NER(), None, [{"tokens": ["a"] * len(tags), "tags": tags}])))

    assert f"{begin!r} was read as a type of its own, and looks like the tag 'B-PER'" in notes(begin, inside, "O")
    assert "looks like" not in notes(begin, "O")  # a type may be called so
    assert "looks like" not in notes("B-PER", "I-PER", "O")


def test_an_inside_tag_that_continues_nothing_is_repaired_or_refused_as_the_user_chose() -> None:
    example = read(tokens=["in", "New", "York"], tags=["O", "I-LOC", "I-LOC"])
    state = NER().learn([example])
    NER().check(example, state)
    assert spans(example) == [("New York", "LOC")]
    with pytest.raises(DataError, match="tag 2 is 'I-LOC', which does not fit: token 'New' follows O"):
        NER.configure({"tags": "refuse"}).check(example, state)


def test_an_unknown_label_is_named_with_its_place_and_file(tmp_path: Path) -> None:
    from functory.measuring.evaluation import read_examples

    file = tmp_path / "names.jsonl"
    rows = [{"text": "Ann", "entities": [[0, 3, "PER"]]}, {"text": "to Rome", "entities": [[3, 7, "LOC"]]}]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    state = NER().learn([read(**rows[0])])
    with pytest.raises(DataError) as refused:
        read_examples(NER(), state, file)
    assert "unknown label 'LOC' of 'Rome' (from 3 to 7)" in refused.value.what
    assert "line 2" in refused.value.where
    assert refused.value.do.startswith("the function knows PER.")


def test_data_without_any_entity_teach_nothing() -> None:
    with pytest.raises(DataError, match="none of 1 examples has an entity"):
        NER().learn([read(text="a", entities=[])])


def test_the_schema_names_the_types() -> None:
    state = NER().learn([read(text="Ann", entities=[[0, 3, "PER"]])])
    assert NER().output_schema(state)["$defs"]["Entity"]["properties"]["label"]["enum"] == ["PER"]


def settled(*rows: dict[str, Any], **options: Any) -> Any:
    from functory.measuring.evaluation import read_examples

    return read_examples(NER.configure(options), None, list(rows))


def test_types_that_are_alike_are_refused_or_merged_in_tags_and_in_entities() -> None:
    tags = {"tokens": ["New", "York", "is", "Rome"], "tags": ["B-LOC", "I-Loc", "O", "B-LOC"]}
    offsets = {"text": "Ann", "entities": [[0, 3, "loc"]]}
    with pytest.raises(DataError, match=r"'LOC' \(once, in rows\[0\]\) and 'Loc' \(once, .* 'loc' \(once, in rows\[1\]\)"):
        settled(tags, offsets)
    merged = settled(tags, offsets, alike="merge")
    assert [spans(example) for example in merged] == [[("New York", "LOC"), ("Rome", "LOC")], [("Ann", "LOC")]]
    assert merged[0].tags == ("B-LOC", "I-LOC", "O", "B-LOC")
    kept = settled(tags, alike="keep")
    assert spans(kept[0]) == [("New", "LOC"), ("York", "Loc"), ("Rome", "LOC")]


def test_white_space_numbers_and_missing_types() -> None:
    found = settled({"text": "Ann Lee", "entities": [[0, 3, " PER "], [4, 7, 7]]})
    assert spans(found[0]) == [("Ann", "PER"), ("Lee", "7")]
    with pytest.raises(DataError, match="labels that say there is none: 'None'"):
        settled({"text": "Ann", "entities": [[0, 3, "None"]]})
    with pytest.raises(DataError, match="labels that say there is none: 'nan'"):
        settled({"tokens": ["a"], "tags": ["B-nan"]})


@pytest.mark.parametrize("kind", [list, tuple, lambda values: np.asarray(values, dtype=object), str, json.dumps])
def test_tokens_and_tags_are_read_from_whatever_holds_a_list(kind: Any) -> None:
    example = read(tokens=kind(["Ann", "left"]), tags=kind(["B-PER", "O"]))
    assert spans(example) == [("Ann", "PER")]
    assert spans(read(text="Ann", entities=kind([[0, 3, "PER"]]))) == [("Ann", "PER")]


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ([1, 0], "tags hold 1, which is no text"), ("O O", "tags are a str, not a list"), (7, "tags are a int, not a list"),
        ({"O"}, "tags are a set, not a list"), ((tag for tag in "OO"), "tags are a generator, not a list"),
    ],
)  # fmt: skip
def test_tags_that_are_no_list_of_texts_are_refused_and_never_lost(tags: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read(tokens=["a", "b"], tags=tags)


def test_an_empty_cell_is_an_empty_text_beside_entities_and_nothing_beside_tokens(tmp_path: Path) -> None:
    from functory.measuring.evaluation import read_examples

    file = tmp_path / "names.csv"
    file.write_text('text,entities,tokens,tags\nAnn,"[(0, 3, \'PER\')]",,\n,[],,\n,,"[\'Bob\' \'ran\']","[\'B-PER\' \'O\']"\n')
    found = read_examples(NER(), None, file)
    assert [(example.text, spans(example)) for example in found] == [
        ("Ann", [("Ann", "PER")]), ("", []), ("Bob ran", [("Bob", "PER")]),
    ]  # fmt: skip


TEXTS = ("👍👍 Ann Lee, who was here", "In Zürich 😀 Bob met Eve there", "Anna 👩‍🔬 saw São Paulo today and then", "The Bob")
NAMES = (("Ann Lee",), ("Zürich", "Bob"), ("Anna", "São Paulo"), ("The",))


def counted(text: str, name: str, way: str) -> tuple[int, int]:
    start = text.index(name)
    before, through = text[:start], text[: start + len(name)]
    if way == "in UTF-16 units":
        return len(before.encode("utf-16-le")) // 2, len(through.encode("utf-16-le")) // 2
    if way == "in UTF-8 bytes":
        return len(before.encode()), len(through.encode())
    first, last = ("from 1" in way), ("inclusive" in way)
    return start + first, start + len(name) + first - last


WAYS = ["in UTF-16 units", "in UTF-8 bytes", "with inclusive ends", "from 1", "from 1, with inclusive ends"]


@pytest.mark.parametrize("way", WAYS)
def test_offsets_that_were_counted_otherwise_are_noticed_and_the_way_is_named(way: str) -> None:
    rows = [
        {"text": text, "entities": [[*counted(text, name, way), "X"] for name in names]}
        for text, names in zip(TEXTS, NAMES, strict=True)
    ]
    found = settled(*rows, {"tokens": ["a"], "tags": ["O"]}, {"text": "", "entities": []})
    [note] = NER().audit(found)
    assert "begin or end inside a word, the first " in note
    assert note.endswith(f"none would if their offsets were counted {way}: convert them to characters from 0.")


def test_entities_inside_words_are_noted_with_their_share_and_first_place_and_no_cause_is_made_up() -> None:
    rows = [{"text": "Ann saw Londoners", "entities": [[0, 3, "PER"], [8, 14, "LOC"]]}] * 3
    [note] = NER().audit(settled(*rows))
    assert note == "3 of 6 entities (50.0%) begin or end inside a word, the first London (LOC, 8 to 14) in rows[0]."


@pytest.mark.parametrize(
    "row",
    [
        {"text": "王明在北京，Ann-Marie's (New York)", "entities": [[0, 2, "P"], [3, 5, "L"], [6, 9, "P"], [19, 27, "L"]]},
        {"text": " Ann ", "entities": [[0, 5, "P"]]}, {"tokens": list("NBA好"), "tags": ["O", "B-X", "O", "O"]},
    ],
)  # fmt: skip
def test_whole_words_characters_and_tags_are_no_reason_for_a_note(row: dict[str, Any]) -> None:
    assert NER().audit(settled(row)) == ()


@pytest.mark.parametrize("way", WAYS)
def test_a_span_that_is_not_what_it_claims_to_be_says_how_it_was_counted(way: str) -> None:
    text, name = "👍👍 Ann Lee was here", "Ann Lee"
    start, end = counted(text, name, way)
    with pytest.raises(DataError) as refused:
        read(text=text, entities=[{"start": start, "end": end, "label": "PER", "text": name}])
    assert f"counted {way}: convert" in refused.value.do
    with pytest.raises(DataError) as refused:
        read(text="好好", entities=[[3, 6, "X"]])
    assert "it has 6 bytes in UTF-8 and 2 units in UTF-16" in refused.value.do


def test_the_scheme_of_tags_and_tags_that_were_repaired_are_noted() -> None:
    def noted(*rows: list[str]) -> Any:
        return NER().audit(settled(*({"tokens": [f"w{n}" for n in range(len(tags))], "tags": tags} for tags in rows)))

    assert noted(["B-a", "I-a", "O"], ["O"]) == ()
    assert noted(["B-a", "E-a", "O"], ["S-a"]) == ("the tags were read as BIOES.",)
    assert noted(["O", "I-a"], ["I-a", "B-a"]) == ("the tags were read as IOB1.",)
    [repaired] = noted(["O", "B-a"], ["O", "I-a"], ["O"])
    assert repaired.startswith("1 of 3 rows have tags that do not fit those before, the first 'I-a' in rows[1]")
    [_, closed] = noted(["S-a"], ["S-a", "B-a", "O"])
    assert "the first 'O' in rows[1]" in closed


@pytest.mark.parametrize(
    ("tags", "wanted"), [("B-a I-a", "IOB2"), ("I-a I-a", "IOB2"), ("B-a E-a", "BIOES"), ("B-a L-a", "BILOU")]
)
def test_the_head_is_taught_the_scheme_of_the_data_or_the_one_that_is_asked_for(tags: str, wanted: str) -> None:
    example = read(tokens=["New", "York"], tags=tags.split())
    assert NER().learn([example]).scheme == wanted
    assert NER().learn([read(text="Ann", entities=[[0, 3, "a"]])]).scheme == "IOB2"
    asked = NER.configure({"scheme": "BMEWO"}).learn([example])
    assert asked.tags == ("O", "B-a", "M-a", "E-a", "W-a")

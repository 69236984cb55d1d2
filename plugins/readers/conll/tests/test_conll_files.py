"""CoNLL files as they are found, each with the sentences that it means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functory_conll import CoNLL, Slashed, TokenRows
from functory_sdk import DataError, DataFile, Fault, Record, tag_runs


def rows(folder: Path, content: str, name: str = "a.conll", reader: Any = None, **options: Any) -> list[Any]:
    """Return what a file gives: tokens with tags, joined by a slash; and faults."""
    path = folder / name
    path.write_text(content, encoding="utf-8", newline="")
    found = []
    for row in (reader or CoNLL).configure(options).read(DataFile(path)):
        if isinstance(row, Record):
            found.append(" ".join(f"{t}/{g}" for t, g in zip(row.values["tokens"], row.values["tags"], strict=True)))
        else:
            found.append(row)
    return found


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("New B-LOC\nYork I-LOC\n\n\n\nin O\n", ["New/B-LOC York/I-LOC", "in/O"]),
        ("New\tI-LOC\nYork\tI-LOC\nAnn\tI-PER\nBo\tB-PER\n", ["New/I-LOC York/I-LOC Ann/I-PER Bo/B-PER"]),
        ("New B-LOC\nYork E-LOC\nRome S-LOC\nRome S-LOC\n", ["New/B-LOC York/E-LOC Rome/S-LOC Rome/S-LOC"]),
        ("New B-LOC\nYork L-LOC\nRome U-LOC\nin O\n", ["New/B-LOC York/L-LOC Rome/U-LOC in/O"]),
        ("王 B-PER\n小 M-PER\n明 E-PER\n\u3000 O\n来 O\n", ["王/B-PER 小/M-PER 明/E-PER 来/O"]),
        ("New LOC\nYork LOC\nin O\n", ["New/LOC York/LOC in/O"]),
        ("# id = 1\n# NN O\nNo NN B-X\n\n# text = a\na DT O\n", ["#/O No/B-X", "a/O"]),
        ("1\tAnn\tN\tB-PER\n2-3\tcannot\t_\t_\n2\tcan\tV\tO\n3\tnot\tA\tO\n", ["Ann/B-PER can/O not/O"]),
        ("en:Ann\tB-PER\nen:is\tO\n", ["Ann/B-PER is/O"]),
        ("-DOCSTART- O\nAnn B-PER\n-DOCSTART- O\nBo B-PER\n", ["Ann/B-PER", "Bo/B-PER"]),
        (
            ("#begin document (a); part 000\na 0 0 Ann N (TOP(NP* (PERSON* -\na 0 1 Lee N *) *) -\na 0 2 in P * * -\n"
            "a 0 3 May N *) (DATE) -\n#end document\n"),
            ["Ann/B-PERSON Lee/E-PERSON in/O May/S-DATE"],
        ),
    ],
    ids=["IOB2", "IOB1", "BIOES", "BILOU", "BMES", "IO", "comments", "CoNLL-U", "WikiANN", "documents", "CoNLL-2012"],
)
def test_files_as_they_are_found_give_their_sentences(tmp_path: Path, content: str, expected: list[str]) -> None:
    for text in (content, content.replace("\n", "\r\n"), content.rstrip("\n")):
        assert rows(tmp_path, text) == expected


def test_the_last_column_of_tags_is_read_and_another_on_demand(tmp_path: Path) -> None:
    content = "Ann NNP B-NP B-PER\nis VBZ B-VP O\n"
    path = tmp_path / "a.conll"
    path.write_text(content)
    file = DataFile(path)
    assert [row.values["tags"] for row in CoNLL().read(file)] == [["B-PER", "O"]]  # type: ignore[union-attr]
    assert file.notes == [
        "a.conll: tags stand in columns 3 too; the last column of them, 4, was read (--read tag=3 takes another)."
    ]
    assert rows(tmp_path, content, tag=3) == ["Ann/B-NP is/B-VP"]
    with pytest.raises(DataError, match="tokens in column 1 and tags in column 5 do not go with 4 columns"):
        rows(tmp_path, content, tag=5)


def test_a_line_that_does_not_fit_spoils_its_sentence_alone(tmp_path: Path) -> None:
    good, bad, last = rows(tmp_path, "Ann B-PER\n\nBo B-PER\nis\nhere O\n\nCy B-PER\n")
    assert (good, last) == ("Ann/B-PER", "Cy/B-PER")
    assert isinstance(bad, Fault)
    assert str(bad) == "a.conll, line 4: columns in the line: 1, in the file: 2"
    assert rows(tmp_path, "1\tAnn\tPROPN\tNNP\n2\tleft\tv\tVBD\n", tag=3) == ["Ann/PROPN left/v"]
    path = tmp_path / "b.conll"
    path.write_bytes("Ann B-PER\n\nZoë B-PER\n\n".encode("cp1252"))
    assert [str(row) for row in CoNLL().read(DataFile(path)) if isinstance(row, Fault)] == [
        "b.conll, line 3: invalid UTF-8 at byte 13"
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Sentence #,Word,POS,Tag\nSentence: 1,Ann,N,B-PER\n,is,V,O\nSentence: 2,Bo,N,B-PER\n", ["Ann/B-PER is/O", "Bo/B-PER"]),
        ("sentence_id;token;ner\n1;Ann;U-PER\n1;is;O\n2;Bo;U-PER\n", ["Ann/U-PER is/O", "Bo/U-PER"]),
        ('Sentence #,Word,Tag\n1,"""",O\n,Ann,I-per\n,Lee,I-per\n', ['"/O Ann/I-per Lee/I-per']),
    ],
)
def test_rows_of_tokens_are_put_together_by_their_sentence(tmp_path: Path, content: str, expected: list[str]) -> None:
    assert rows(tmp_path, content, "a.csv", TokenRows) == expected
    assert TokenRows().recognise(DataFile(tmp_path / "a.csv")) == "certain"


def test_a_bad_row_spoils_its_sentence_and_a_sentence_that_is_a_text_is_no_number(tmp_path: Path) -> None:
    found = rows(tmp_path, "Sentence #,Word,Tag\n1,Ann,B-PER\n,is\n,here,O\n2,Bo,B-PER\n3,Cy,\n", "a.csv", TokenRows)
    assert [str(row) for row in found] == [
        "a.csv, line 3: fields in the row: 2, in the header: 3",
        "Bo/B-PER",
        "a.csv, line 6: token 'Cy' has no tag",
    ]
    (tmp_path / "wic.csv").write_text("sentence,word,label\nThe bank of the river.,bank,1\n")
    assert TokenRows().recognise(DataFile(tmp_path / "wic.csv")) == "no"
    with pytest.raises(DataError, match="no column is clearly the tag"):
        rows(tmp_path, "sentence,word,x\n1,Ann,B-PER\n", "b.csv", TokenRows)


TOKENS = st.text(st.characters(categories=["L", "N", "P"], exclude_characters="#"), min_size=1, max_size=5)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sentences=st.lists(
        st.lists(st.tuples(TOKENS, st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"])), min_size=1, max_size=6),
        min_size=1, max_size=5,
    ),
    gap=st.sampled_from([" ", "\t", " _ ", "\t_\t"]),
)  # fmt: skip
def test_every_sentence_that_was_written_comes_back(tmp_path: Path, sentences: Any, gap: str) -> None:
    text = "\n\n".join("\n".join(f"{token}{gap}{tag}" for token, tag in sentence) for sentence in sentences)
    path = tmp_path / "a.conll"
    path.write_text(text, encoding="utf-8")
    found = list(CoNLL().read(DataFile(path)))
    assert [row.values["tokens"] for row in found] == [[token for token, _ in s] for s in sentences]  # type: ignore[union-attr]
    for row, sentence in zip(found, sentences, strict=True):
        assert list(tag_runs(row.values["tags"])) == list(tag_runs([tag for _, tag in sentence]))  # type: ignore[union-attr]


def test_a_parse_of_single_brackets_is_not_taken_for_names(tmp_path: Path) -> None:
    lines = ("a 0 0 John NNP (TOP* - - - - (PERSON) -", "a 0 1 left VBD * - - - - * -", "a 0 2 . . *) - - - - * -")
    content = "\n".join(["#begin document (a); part 000", *lines, "", "#end document", ""])
    assert rows(tmp_path, content) == ["John/S-PERSON left/O ./O"]


def test_a_table_of_whole_sentences_is_none_of_tokens(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for line, is_taken in (("0,Ann,B-PER", True), ("0,\"['Ann', 'is']\",\"['B-PER', 'O']\"", False)):
        for header in ("sentence_id,words,labels", "sentence_id,tokens,ner_tags"):
            path.write_text(f"{header}\n{line}\n")
            assert (TokenRows().recognise(DataFile(path)) == "certain") is is_taken


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("迈向/v  充满/v  希望/n\n\n——/w  新/a\n", ["迈向/v 充满/v 希望/n", "——/w 新/a"]),
        ("The_DT film_NN and_CC a_DT ._. '_'\n", ["The/DT film/NN and/CC a/DT ./. '/'"]),
        ("1/2/CD of/IN it/PRP in/IN and/or/CC\n", ["1/2/CD of/IN it/PRP in/IN and/or/CC"]),
    ],
)  # fmt: skip
def test_words_with_tags_in_a_line_are_read(tmp_path: Path, content: str, expected: list[str]) -> None:
    assert rows(tmp_path, content, "a.txt", Slashed) == expected
    assert Slashed().recognise(DataFile(tmp_path / "a.txt")) == "certain"


def test_a_word_without_a_tag_spoils_its_line_and_plain_text_is_not_taken_for_tagged_words(tmp_path: Path) -> None:
    good, bad = rows(tmp_path, "a/X b/Y\nc/X d e/\n", "a.txt", Slashed, sign="/")
    assert good == "a/X b/Y"
    assert str(bad) == "a.txt, line 2: 'd' is no word with a tag, '/' between them"
    for text in ("we saw and/or heard it\n", "http://a.org/b http://a.org/c /x/y /x/z\n", "snake_case a_name\n", "a,b\n1/2,3\n"):
        (tmp_path / "b.txt").write_text(text)
        assert Slashed().recognise(DataFile(tmp_path / "b.txt")) == "no"

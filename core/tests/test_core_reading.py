"""Files as people have them: encodings, packings, headers, patterns, formats; the right value, or an error that helps."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import shlex
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from functory.contracts.component import NoOptions
from functory.contracts.reader import DataReader, Recognition
from functory.data import DataFile, Examples, Fault, Record, examples, read, stream
from functory.data.encodings import likely
from functory.errors import BadRows, DataError, OptionError, PluginImportError, UnknownComponent
from functory.plugins.registry import registered
from functory.recipe import set_option

COLUMNS = {"text": ("text", "review"), "label": ("label", "category")}
FRENCH = "text,label\nTrès bon café,pos\nÇa va mal,neg\n"
TEXTS = {
    "gb18030": "这部电影非常好看，我很喜欢",
    "big5": "這部電影非常好看我很喜歡",
    "shift_jis": "この映画はとても面白かったです",
    "euc_jp": "この映画はとても面白かったです",
    "euc_kr": "이 영화는 정말 재미있었어요",
    "cp1251": "Очень хороший фильм",
    "koi8_r": "Очень хороший фильм",
    "cp1252": "Ein schöner Film über “Größe”",
}
relaxed = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Text(BaseModel):
    text: str


class Review(Text):
    label: str


def load(path: Any, mapping: dict[str, str] | None = None, *, on_bad_row: Any = "stop", **how: Any) -> Examples:
    return examples(stream(path, **how), Review, COLUMNS, mapping, on_bad_row=on_bad_row)


def pairs(path: Any, mapping: dict[str, str] | None = None, **how: Any) -> list[tuple[str, str]]:
    return [(example.text, example.label) for example in load(path, mapping, **how)]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def told(path: Any, mapping: dict[str, str] | None = None, **how: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(path, mapping, **how)
    return str(caught.value)


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["Très bon café", "这部电影非常好看，我很喜欢", "Очень хороший фильм", "plain"])
def test_unicode_is_read_by_its_mark_or_its_nul_bytes(tmp_path: Path, encoding: str, text: str) -> None:
    path = written(tmp_path, "r.csv", f"text,label\n{text},pos\nso so,neg\n".encode(encoding))
    assert pairs(path) == [(text, "pos"), ("so so", "neg")]
    lines = f'{{"text": "{text}", "label": "pos"}}\n'.encode(encoding)
    assert pairs(written(tmp_path, "r.jsonl", lines)) == [(text, "pos")]
    assert pairs(written(tmp_path, "r.json", f"[{lines.decode(encoding)}]".encode(encoding))) == [(text, "pos")]


@pytest.mark.parametrize("encoding", TEXTS)
def test_another_encoding_is_named_with_words_to_judge_by_and_read_when_it_is_given(tmp_path: Path, encoding: str) -> None:
    text = TEXTS[encoding]
    path = written(tmp_path, "r.csv", f"text,label\n{text},pos\n".encode(encoding))
    message = told(path)
    assert "r.csv, line 2, column 'text'" in message
    assert f"do:    as {encoding} it reads {text[:11]}"[:-4] in message.replace("'", "")
    assert f"--encoding {encoding} (encoding='{encoding}')" in message
    assert pairs(path, encoding=encoding) == [(text, "pos")]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Très bon café, déjà vu"),
        ("cp1252", "Das war größer als „erwartet“"),
        ("cp1252", "¿Qué tal? El niño está aquí"),
        ("cp1252", "it’s “fine” – I’d say"),
        ("cp1251", "плохо"),
        ("cp1251", "Фильм Matrix очень хорош"),
        ("koi8_r", "Совсем не понравилось"),
        ("gb18030", "价格便宜，质量也不错。"),
        ("shift_jis", "アニメが好きです"),
        ("big5", "價格便宜，品質也不錯。"),
        ("euc_kr", "배송이 빨라요. good!"),
    ],
)
def test_sentences_of_many_languages_are_told_from_one_another(encoding: str, text: str) -> None:
    assert likely(text.encode(encoding))[0] == encoding


def test_bytes_that_read_well_in_no_encoding_are_no_guess_and_one_bad_line_in_utf8_is_no_encoding(tmp_path: Path) -> None:
    assert likely(b"\xfe\x81\xff\x80 \xc1\x01") == ("", "")
    assert "--encoding NAME, such as" in told(written(tmp_path, "noise.csv", b"text,label\n\xfe\x81\xff\x81,x\n"))
    mixed = "text,label\nпривет мир,да\nещё раз,нет\n".encode() + b"b\xe4d,x\n"
    assert "the rest of the file is UTF-8" in told(written(tmp_path, "mixed.csv", mixed))


def test_an_encoding_that_is_none_or_does_not_fit_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "r.csv", FRENCH.encode("cp1252"))
    for name in ("nonsense", "base64"):
        with pytest.raises(OptionError, match=f"there is no encoding '{name}'"):
            load(path, encoding=name)
    assert "(now ascii)" in told(path, encoding="ascii")
    assert "--encoding cp1252" in told(written(tmp_path, "r.json", '[{"text": "Très bon café", "label": "b"}]'.encode("cp1252")))
    assert "the file is not valid utf-16" in told(written(tmp_path, "cut.csv", FRENCH.encode("utf-16")[:-1]))


# What a file is, whatever its name


def zstd(content: bytes) -> bytes:
    return bytes(pytest.importorskip("zstandard").ZstdCompressor().compress(content))


@pytest.mark.parametrize(
    ("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress), (".zst", zstd)]
)
def test_packed_files_are_known_by_their_first_bytes_and_told_when_damaged(
    tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(FRENCH.encode("utf-16"))
    for name in (f"r.csv{ending}", "r.csv"):
        assert pairs(written(tmp_path, name, packed))[0] == ("Très bon café", "pos")
    noise = pack(b"text,label\n" + b"".join(b"%d good,pos\n" % (n * 7919 % 99991) for n in range(3000)))
    assert "it cannot be unpacked" in told(written(tmp_path, "half.csv", noise[: len(noise) // 2]))
    assert pairs(written(tmp_path, f"plain.csv{ending}", FRENCH)) == pairs(written(tmp_path, "r.csv", FRENCH))


@pytest.mark.parametrize(
    ("content", "what", "do"),
    [
        (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml ... xl/workbook.xml", "an Excel workbook", "CSV UTF-8"),
        (b"PK\x03\x04" + bytes(26) + b"reviews.csv", "a zip archive", "unzip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel", "CSV UTF-8"),
        (b"SQLite format 3\0", "an SQLite database", "sqlite3 -header -csv"),
        (b"%PDF-1.7", "a PDF", "pdftotext"),
        (b"\x80\x04\x95\x00", "a pickle", "never read"),
        (gzip.compress(b"r.csv".ljust(257, b"\0") + b"ustar\x0000", mtime=0), "a tar archive", "tar xf"),
        (b"<?xml version='1.0'?><rows/>", "is XML"[3:], "write it as CSV"),
        (b"\n <!DOCTYPE html><html>", "a web page", "ask for a login"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS", "git lfs pull"),
    ],
)
def test_what_is_no_table_is_named_by_its_first_bytes_with_what_to_do(
    tmp_path: Path, content: bytes, what: str, do: str
) -> None:
    message = told(written(tmp_path, "my data.csv", content))
    assert f"the file is {what}" in message, message
    assert do in message
    assert "my data.csv'" in message or "FILE" not in message  # a name with a space is quoted for the shell


def test_a_file_without_a_telling_name_is_read_where_its_content_tells_and_asked_for_otherwise(tmp_path: Path) -> None:
    assert pairs(written(tmp_path, "data", '{"text": "a", "label": "b"}\n')) == [("a", "b")]
    assert pairs(written(tmp_path, "data.txt", ' [{"text": "a", "label": "b"}]')) == [("a", "b")]
    table = written(tmp_path, "table.txt", "text\tlabel\na\tb\n")
    assert "say which: --format NAME (" in told(table)
    assert pairs(table, format="csv") == [("a", "b")]
    with pytest.raises(UnknownComponent, match="did you mean 'csv'"):
        load(table, format="csw")
    with pytest.raises(OptionError, match="reader 'jsonl' has no option 'header'"):
        load(written(tmp_path, "r.jsonl", "{}\n"), format={"header": False})


@pytest.mark.parametrize(("told", "sign"), [(",", ","), ("tab", "\t"), ("\\t", "\t"), (";", ";"), ("|", "|"), ("^", "^")])
def test_any_delimiter_can_be_typed(tmp_path: Path, told: str, sign: str) -> None:
    fields: dict[str, Any] = {}
    set_option(fields, f"delimiter={told}")
    path = written(tmp_path, "odd.txt", f"text{sign}label\na b{sign}c\n")
    assert pairs(path, format={"name": "csv", **fields}) == [("a b", "c")]


def test_a_folder_a_pipe_and_a_name_with_a_space_are_met_as_they_are(tmp_path: Path) -> None:
    assert f"is a folder, not a file.\n  do:    give its files: '{tmp_path}/*.csv'" in told(tmp_path)
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(FRENCH))
    writer.start()
    assert pairs(pipe)[0] == ("Très bon café", "pos")
    writer.join()


# Several files


def test_patterns_and_lists_are_read_one_after_the_other_with_each_rows_own_file(tmp_path: Path) -> None:
    for n in range(2):
        written(tmp_path, f"{n}.csv", f"text,label\na{n},b\n")
    last = written(tmp_path, "last.jsonl", '{"text": "[1]", "label": "b"}\n')
    found = load([str(tmp_path / "*.csv"), last])
    assert [example.text for example in found] == ["a0", "a1", "[1]"]
    assert found.places == ("0.csv, line 2", "1.csv, line 2", "last.jsonl, line 1")
    assert found.source == "0.csv and 2 more"
    assert [record.row for record in read([tmp_path / "0.csv", last])] == [0, 1]
    assert "no file fits the pattern" in told(str(tmp_path / "*.tsv"))
    (tmp_path / "folder").mkdir()
    assert len(read(str(tmp_path / "*"))) == 3  # the folder is none of the files
    odd = written(tmp_path, "[x].csv", FRENCH)
    assert pairs(str(odd)) == pairs(odd)  # what is there by its very name is no pattern
    (tmp_path / "more").mkdir()
    written(tmp_path / "more", "0.csv", "text,label\n,b\n")
    assert f"where: {tmp_path}/more/0.csv, line 2" in told([tmp_path / "0.csv", tmp_path / "more/0.csv"])


def test_a_sample_may_stand_among_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Haiku:
        def rows(self) -> list[dict[str, str]]:
            return [{"text": "an old pond", "label": "spring"}]

    path = written(tmp_path, "r.jsonl", '{"text": "a", "label": "b"}\n')
    monkeypatch.setattr("functory.data.sources._sample", lambda name: stream(Haiku().rows()))
    found = load(["samples:haiku", path])
    assert [example.text for example in found] == ["an old pond", "a"]
    assert found.places == ("rows[0]", "r.jsonl, line 1")


# Headers


def test_a_header_that_stands_again_is_passed_over_and_noted(tmp_path: Path) -> None:
    twice = written(tmp_path, "r.csv", 'text,label\na,b\n text,label\nc,d\n\ufeff"text",label\n\ufefftext,label\ne,f\n')
    found = load(twice)
    assert [example.label for example in found] == ["b", "d", "f"]
    assert found.notes == ("r.csv: the header stands again in line 3, 5, 6, which is passed over.",)
    assert [record.values["text"] for record in read(written(tmp_path, "one.csv", "text\na\ntext\n"))] == ["a", "text"]


NO_HEADER = "good thing 0,pos\nbad thing 1,neg\ngood thing 2,pos\n"


def test_a_file_without_header_is_recognised_and_loses_no_row(tmp_path: Path) -> None:
    path = written(tmp_path, "r.csv", NO_HEADER)
    for message in (told(path), told(path, {"text": "good thing 0", "label": "pos"})):
        assert "he first line looks like an example, not like column names" in message
        assert "--no-header, and name the columns by their numbers, which are 1 (good thing 0), 2 (pos)" in message
    by_number = pairs(path, {"text": "1", "label": "2"}, format={"header": False})
    assert by_number == [("good thing 0", "pos"), ("bad thing 1", "neg"), ("good thing 2", "pos")]
    assert by_number == pairs(path, format={"names": ["text", "label"]})
    kept = pairs(path, {"text": "good thing 0", "label": "pos"}, format={"header": True})
    assert kept == by_number[1:]  # the user insists


def test_a_header_that_is_one_is_not_doubted(tmp_path: Path) -> None:
    spam = written(tmp_path, "r.csv", "review_body,spam\nhello there,spam\nhow are you,ham\n")
    assert pairs(spam, {"text": "review_body", "label": "spam"})[0] == ("hello there", "spam")
    long = written(tmp_path, "s.csv", "What is your opinion?,Your grade\nhello,good\nbye,bad\n")
    assert pairs(long, {"text": "What is your opinion?", "label": "Your grade"})[1] == ("bye", "bad")


def test_every_column_in_a_remedy_is_quoted_for_the_shell(tmp_path: Path) -> None:
    message = told(written(tmp_path, "r.csv", "the review,it's $label,x\na,b,c\n"))
    option = message.partition("--column ")[2].partition(" (columns")[0]
    assert shlex.split(option) == ["text=the review"]


def test_names_that_differ_only_in_case_or_space_are_asked_for(tmp_path: Path) -> None:
    assert "'label' may be any of the columns Label, label" in told(written(tmp_path, "r.csv", "text,Label,label\na,b,c\n"))
    assert "two columns are named 'label'" in told(written(tmp_path, "s.csv", "text,label, label \na,b,c\n"))
    late = "".join('{"text": "a", "label": "b"}\n' for _ in range(1200)) + '{"text": "a", "label": "b", "Label": "c"}\n'
    assert "'label' may be any of" in told(written(tmp_path, "late.jsonl", late))


# Delimiters, quotes, line ends


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("text,label\rgood,pos\rbad,neg\r", [("good", "pos"), ("bad", "neg")]),
        ("text,label\ngood,pos\rbad,neg\nso,so\n", [("good", "pos"), ("bad", "neg"), ("so", "so")]),
        ("text,label\r\ngood,pos\nbad,neg\r\r\n", [("good", "pos"), ("bad", "neg")]),
        ('"text", "label"\n"a, b", "pos"\n', [("a, b", "pos")]),
        ("text,label\n" + f"{'a' * 90},b\n" * 1000 + '"y, z", "neg"\n', [("y, z", "neg")]),
        ('text,"label; or; not"\nx,pos\n', [("x", "pos")]),
        ("text,label; or; not\nx,pos\ny;z,neg\n", [("x", "pos"), ("y;z", "neg")]),
        ("text|label\na, b|pos\n", [("a, b", "pos")]),
        ("text,label\na,b,\nc,d,,\n", [("a", "b"), ("c", "d")]),
        ("\n\ntext,label\n\na,b\n\n", [("a", "b")]),
        ('text,label\n"a\rb",c\n', [("a\rb", "c")]),
        ("sep=^\r\ntext^label^x\r\na,b^c^d\r\n", [("a,b", "c")]),
    ],
    ids=["Macs", "mixed", "twice", "space", "late", "quoted", "name", "bars", "trailing", "blank", "inside", "Excel"],
)
def test_rows_are_cut_as_they_were_meant(tmp_path: Path, content: str, expected: list[tuple[str, str]]) -> None:
    path = written(tmp_path, "r.csv", content)
    mapping = {"label": next(column for column in read(path).columns if column.startswith("label"))}
    assert pairs(path, mapping)[-len(expected) :] == expected


@pytest.mark.parametrize(
    ("content", "what", "do"),
    [
        ("text,label\ngo\rod,pos\nbad,neg\n", "a carriage return stands in the row without a line feed", "tr '\\r' '\\n'"),
        ("text,label\na\0b,c\nd,e\n", "the row holds NUL bytes", "write the file anew"),
        ('text,label\n"never\nclosed,x\n', "a quote is opened here and never closed", "written twice"),
        ("text,label\na,b,c\n", "fields in the row: 3, in the header: 2", "put quotes around"),
    ],
)
def test_a_row_that_cannot_be_cut_is_diagnosed_as_what_it_is(tmp_path: Path, content: str, what: str, do: str) -> None:
    message = told(written(tmp_path, "r.csv", content))
    assert what in message
    assert do in message
    assert "r.csv, line 2" in message


def test_a_field_of_ten_million_characters_and_a_row_of_many_lines_are_read(tmp_path: Path) -> None:
    huge = "x" * 10_000_000
    path = written(tmp_path, "r.csv", f'text,label\n{huge},a\n"{"line" + chr(10) * 20_000}",b\n')
    assert [(len(text), label) for text, label in pairs(path)] == [(10_000_000, "a"), (20_004, "b")]


# JSON


def test_json_lists_are_read_item_by_item_wherever_they_stand(tmp_path: Path) -> None:
    listed = written(tmp_path, "r.json", '[{"text": "a", "label": "b"},\n 5,\n {"text": "c", "label": "d"}]')
    found = load(listed, on_bad_row="skip")
    assert found.places == ("r.json, item 1 (line 1)", "r.json, item 3 (line 3)")
    assert str(found.skipped[0]) == "r.json, item 2 (line 2): the item is a JSON number, not an object"
    inside = written(tmp_path, "o.json", '{"version": 1,\n "data": {"rows": [{"text": "a", "label": "b"}]}}')
    assert "one JSON object, not a list; its keys: 'version', 'data'" in told(inside)
    assert pairs(inside, format={"at": "data.rows"}) == [("a", "b")]
    assert "--read at=rows" in told(written(tmp_path, "p.json", '{"version": 1,\n "rows": [{"text": "a"}]}'))
    for rest in ("", " " * 70_000):  # on one line, also where that is longer than what is looked at
        lone = written(tmp_path, "lone.json", f'{{"v": 1,{rest} "rows": [{{"text": "a", "label": "b"}}]}}')
        assert "--read at=rows" in told(lone)
        assert pairs(lone, format={"at": "rows"}) == [("a", "b")]
    assert pairs(written(tmp_path, "line.json", '{"text": "a", "label": "b"}\n')) == [("a", "b")]
    columns = written(tmp_path, "c.json", '{"text": ["a"],\n "label": ["b"]}')
    assert 'orient="records"' in told(columns)
    broken = told(written(tmp_path, "b.json", '[{"text": "a", "label": "b"},\n {"text": "a" "label"}]'))
    assert "where: b.json, line 2, character 15" in broken


@relaxed
@given(
    rows=st.lists(
        st.dictionaries(st.sampled_from("abc"), st.text(max_size=40) | st.integers() | st.none() | st.lists(st.text(max_size=3))),
        min_size=1, max_size=20,
    ),
    indent=st.sampled_from([None, 1]),
    size=st.integers(1, 9),
)  # fmt: skip
def test_a_json_list_gives_back_its_objects_however_few_characters_are_at_hand(
    tmp_path: Path, rows: list[dict[str, Any]], indent: int | None, size: int
) -> None:
    from functory.data import jsonlists

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonlists, "_CHUNK", size)
        path = written(tmp_path, "r.json", json.dumps(rows, indent=indent, ensure_ascii=False).encode("utf-8", "replace"))
        assert [record.values for record in read(path)] == json.loads(path.read_text("utf-8"))


def test_a_field_is_found_by_its_path(tmp_path: Path) -> None:
    lines = '{"doc": {"text": "a", "tags": ["p", "q"]}, "label": "b"}\n{"doc": {}, "label": "b"}\n'
    path = written(tmp_path, "r.jsonl", lines)
    assert pairs(path, {"text": "doc.text", "label": "doc.tags.1"}, on_bad_row="skip") == [("a", "q")]
    assert "r.jsonl, line 2, column 'doc.text': 'text' is missing" in str(
        load(path, {"text": "doc.text"}, on_bad_row="skip").skipped[0]
    )
    dotted = written(tmp_path, "d.csv", 'doc.text,doc,label\na,"{""text"": ""other""}",b\n')
    assert pairs(dotted, {"text": "doc.text"}) == [("a", "b")]  # a column of that name goes before
    in_cell = written(tmp_path, "c.csv", 'doc,label\n"{""text"": ""a""}",b\n')
    assert pairs(in_cell, {"text": "doc.text"}) == [("a", "b")]
    assert "did you mean 'doc'" in told(path, {"text": "dok.text"})


# Bad rows, and anything at all

PIECES = [b"text", b",", b'"', b"\n", b"\r", b"\t", b";", b"\xef\xbb\xbf", b"a", b"\xff", b"\0", b"{", b"[", b" "]


def test_many_bad_rows_show_the_first_ten_and_their_number_in_text_and_json(tmp_path: Path) -> None:
    path = written(tmp_path, "r.csv", "text,label\n" + "x\n" * 25 + "a,b\n")
    with pytest.raises(BadRows) as caught:
        load(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "25 rows are faulty; the first: fields in the row: 1, in the header: 2."
    assert [line.strip().partition(" (")[0] for line in lines[1:11]][9].startswith("r.csv, line 11, column 'label'")
    assert lines[11].strip() == "… and 15 more"
    parts = caught.value.as_json()
    assert (parts["error"], parts["count"], len(parts["rows"])) == ("BadRows", 25, 10)
    assert parts["rows"][9]["where"] == "r.csv, line 11, column 'label'"
    assert len(json.loads(json.dumps(parts))["rows"]) == 10


@relaxed
@given(
    name=st.sampled_from(["r.csv", "r.tsv", "r.jsonl", "r.json", "r.txt", "r.csv.gz", "r"]),
    content=st.binary(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join),
)
def test_any_bytes_give_rows_or_faults_or_one_error_that_says_what_to_do(tmp_path: Path, name: str, content: bytes) -> None:
    path = written(tmp_path, name, content)
    try:
        found = list(stream(path))
    except DataError as error:
        assert error.do, error.what  # noqa: PT017 - it may as well be read
    else:
        assert [row.row for row in found] == list(range(len(found)))
        assert all(isinstance(row, Record) or (isinstance(row, Fault) and row.what) for row in found)


def test_reading_is_one_pass_and_the_file_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "r.csv", "text,label\n" + "good,pos\n" * 50_000)
    opened: list[io.IOBase] = []
    plain_open = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *args, **kw: opened.append(plain_open(self, *args, **kw)) or opened[-1])
    rows = iter(stream(path))
    assert isinstance(next(rows), Record)
    assert opened[0].tell() < path.stat().st_size  # the first row came before the file was read
    assert sum(1 for _ in rows) == 49_999
    assert len(opened) == 1
    assert opened[0].closed


# Readers that plugins bring


class Bars(DataReader[NoOptions]):
    """Lines with a label, a bar and a text."""

    endings = (".bars",)

    def recognise(self, file: DataFile) -> Recognition:
        return "certain" if file.head.startswith(b"pos|") else super().recognise(file)

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        for number, line in enumerate(file.lines(), 1):
            label, _, text = line.strip().partition("|")
            yield Record({"label": label, "text": text}, file.place(number))


class Rival(Bars):
    """Takes the same files."""


def test_a_reader_takes_its_files_without_being_named_anywhere_and_goes_before_the_name(tmp_path: Path) -> None:
    path = written(tmp_path, "r.csv", "pos|good, old\nneg|bad\n")
    with registered("readers", "bars", Bars):
        assert pairs(path) == [("good, old", "pos"), ("bad", "neg")]
        assert pairs(path, format={"name": "csv", "names": ["label", "text"], "delimiter": "|"}) == pairs(path)
        with registered("readers", "rival", Rival):
            message = told(path)
            assert "the file may be read as bars or as rival" in message
            assert "say which: --format bars or --format rival" in message
            assert pairs(path, format="rival") == [("good, old", "pos"), ("bad", "neg")]
    assert "no column is clearly" in told(path)  # the csv reader's, once more


def test_a_broken_reader_keeps_no_other_from_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from functory.data import recognition

    plain_load = recognition.load

    def load_or_break(kind: str, name: str) -> Any:
        if name.endswith("jsonl"):
            raise PluginImportError("functory-x 1 (reader 'jsonl') raised ValueError while it was imported.")
        return plain_load(kind, name)

    monkeypatch.setattr(recognition, "load", load_or_break)
    assert len(pairs(written(tmp_path, "r.csv", FRENCH))) == 2
    message = told(written(tmp_path, "r.jsonl", '{"text": "a", "label": "b"}\n'))
    assert "A plugin is broken that may read it: functory-x 1 (reader 'jsonl') raised ValueError" in message


def test_a_reader_in_a_file_reads_where_it_is_named(tmp_path: Path) -> None:
    code = (
        "from functory.contracts.reader import DataReader\nfrom functory.contracts.component import NoOptions\n"
        "from functory.data import Record\n\n\nclass Lines(DataReader[NoOptions]):\n"
        "    def read(self, file):\n        for n, line in enumerate(file.lines(), 1):\n"
        "            yield Record({'text': line.strip(), 'label': 'x'}, file.place(n))\n"
    )
    plugin = written(tmp_path, "lines.py", code)
    assert pairs(written(tmp_path, "a.txt", "one\ntwo\n"), format=f"{plugin}:Lines") == [("one", "x"), ("two", "x")]


def test_a_format_whose_reader_is_not_installed_is_answered_with_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functory.data import recognition

    cores = [entry for entry in recognition.entries("readers") if entry.distribution == "functory"]
    monkeypatch.setattr(recognition, "entries", lambda kind: cores)
    for content, what in ((b"PAR1" + bytes(20), "a Parquet file"), (b"ARROW1\0\0" + bytes(20), "an Arrow file")):
        message = told(written(tmp_path, "r.csv", content))
        assert f"the file is {what}, and no reader for it is installed" in message
        assert "do:    pip install functory-arrow" in message

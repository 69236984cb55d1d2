from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from functory.contracts.component import NoOptions
from functory.contracts.sample import Sample
from functory.data import Examples, audit, examples, guess, read, split
from functory.data.splits import Splits, labels_of
from functory.errors import DataError, OptionError
from functory.plugins import registry as plugins

COLUMNS = {"text": ("text", "sentence", "review", "评论"), "label": ("label", "category", "sentiment")}
relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Text(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    text: str


class Review(Text):
    label: str | list[str]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def load(path: Path, **options: Any) -> Examples:
    return examples(read(path), Review, COLUMNS, **options)


def message(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(path, **options)
    return str(caught.value)


# Reading

# No half surrogates and no NUL: they are no text. No lone carriage return: it ends a line in CSV.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1).filter(
    str.strip
)
tables = st.lists(st.tuples(texts, st.sampled_from(["fresh", "rotten"])), min_size=1, max_size=8)


@relaxed
@given(
    table=tables,
    delimiter=st.sampled_from([",", ";", "\t"]),
    mark=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
)
@example(table=[("0\n\t", "fresh")], delimiter="\t", mark=False, newline="\n")
@example(table=[("0\n\t\n", "fresh"), ("a", "rotten")], delimiter="\t", mark=False, newline="\r\n")
def test_csv_gives_back_every_text_that_was_written(
    tmp_path: Path, table: list[tuple[str, str]], delimiter: str, mark: bool, newline: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=newline).writerows([("text", "label"), *table])
    # Where every line of TSV is a row of two fields as it stands, nobody can tell a quote of CSV from one of the text.
    lines = out.getvalue().split(newline)[:-1]
    assume(delimiter != "\t" or len(lines) == len(table) + 1 or any(line.count("\t") != 1 for line in lines if line))
    path = write(tmp_path, "reviews.csv", ("\ufeff" if mark else "") + out.getvalue())
    assert [(r.values["text"], r.values["label"]) for r in read(path)] == table


def test_blank_lines_say_nothing_about_the_quotes_of_tsv(tmp_path: Path) -> None:
    path = write(tmp_path, "reviews.tsv", 'text\tlabel\n\n\n"0\n\t"\tfresh\n\n\n\n"a b"\trotten\n')
    assert [(r.values["text"], r.values["label"]) for r in read(path)] == [("0\n\t", "fresh"), ("a b", "rotten")]


@relaxed
@given(table=tables, ascii_only=st.booleans(), mark=st.booleans())
def test_json_lines_give_back_every_text_and_hash_like_the_same_rows_in_csv_and_in_memory(
    tmp_path: Path, table: list[tuple[str, str]], ascii_only: bool, mark: bool
) -> None:
    rows = [{"text": text, "label": label} for text, label in table]
    lines = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows)
    from_json = read(write(tmp_path, "reviews.jsonl", ("\ufeff" if mark else "") + lines))
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("label", "text"), *((label, text) for text, label in table)])
    from_csv = read(write(tmp_path, "reviews.csv", out.getvalue()))
    assert [record.values for record in from_json] == rows
    assert from_json.sha256 == from_csv.sha256 == read(rows).sha256


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_packed_files_are_unpacked_and_damaged_ones_named(tmp_path: Path, ending: str, pack: Any) -> None:
    packed = pack(b"text,label\ngood,fresh\n")
    assert load(write(tmp_path, f"r.csv{ending}", packed))[0] == Review(text="good", label="fresh")
    assert "it cannot be unpacked" in message(
        write(tmp_path, f"half.csv{ending}", packed[: len(packed) // 2])
    )


def test_the_place_of_a_row_is_the_line_where_it_starts(tmp_path: Path) -> None:
    found = load(
        write(tmp_path, "r.csv", 'text,label\n"two\nlines",fresh\n\n"three\n\nlines",rotten\nlast,fresh\n')
    )
    assert found.places == ("r.csv, line 2", "r.csv, line 5", "r.csv, line 8")
    assert found[1].text == "three\n\nlines"


def test_a_tsv_file_without_quoting_keeps_its_quotes_and_its_rows(tmp_path: Path) -> None:
    table = 'sentence\tlabel\n"Bravo!\tfresh\nfine\trotten\nhe said "no"\trotten\nwell done"\tfresh\n'
    assert [r.text for r in load(write(tmp_path, "sst.tsv", table))] == [
        '"Bravo!',
        "fine",
        'he said "no"',
        'well done"',
    ]
    pair = 'text\tlabel\n"one\tfresh\ntwo"\tfresh\n'
    assert [record.values["text"] for record in read(write(tmp_path, "pair.tsv", pair))] == ['"one', 'two"']
    quoted = 'text\tlabel\n"two\nlines with ""quotes"""\tfresh\n'
    assert load(write(tmp_path, "excel.tsv", quoted))[0].text == 'two\nlines with "quotes"'


def test_columns_are_named_by_the_caller_where_the_file_has_no_header(tmp_path: Path) -> None:
    path = write(tmp_path, "r.csv", "good,fresh\nbad,rotten\n")
    found = examples(read(path, columns=["text", "label"]), Review, COLUMNS)
    assert [example.label for example in found] == ["fresh", "rotten"]
    assert found.places[0] == "r.csv, line 1"


def test_a_csv_cell_holds_a_list_only_where_the_field_may(tmp_path: Path) -> None:
    found = load(write(tmp_path, "r.csv", 'text,label\n[1],"[""a"", ""b""]"\nplain,[odd\n'))
    assert found.items == (Review(text="[1]", label=["a", "b"]), Review(text="plain", label="[odd"))


@pytest.mark.peer(name="datasets")
def test_a_data_set_gives_the_names_of_its_classes() -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])}
    )
    table = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=features)
    found = examples(read(table), Review, COLUMNS, on_bad_row="skip")
    assert [example.label for example in found] == ["pos", "neg"]
    assert str(found.skipped[0]) == "dataset[2], column 'label': 'label' is missing"
    several = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.Sequence(features["label"])}
    )
    table = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [[1, 0], []]}, features=several)
    assert [example.label for example in examples(read(table), Review, COLUMNS)] == [["pos", "neg"], []]
    with pytest.raises(DataError, match="give one split"):
        read(datasets.DatasetDict(train=table))


class Haiku(Sample[NoOptions]):
    """Two lines of a poem."""

    licence = "CC0-1.0"
    columns = {"text": "the line", "label": "its season"}

    def locate(self) -> Path:
        return Path(__file__)

    def rows(self) -> Iterator[dict[str, Any]]:
        yield {"text": "an old pond", "label": "spring"}
        yield {"text": "first snow", "label": "winter"}


def test_a_sample_stands_wherever_a_path_does(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(plugins, "load", lambda kind, name: asked.append((kind, name)) or Haiku)
    found = examples(read("samples:poems:haiku"), Review, COLUMNS)
    assert asked == [("samples", "poems:haiku")]
    assert [example.label for example in found] == ["spring", "winter"]
    assert found.places[1] == "samples:poems:haiku[1]"


# Whole files that cannot be read


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("r.csv", b"", "the file is empty"),
        ("r.csv", b"text,text\na,b\n", "two columns are named 'text'"),
        ("r.csv", b"1,0.5\n2,0.7\n", "the header is missing"),
        ("r.csv", b"t\xe4xt,label\na,b\n", "invalid UTF-8 at byte 1."),
        ("r.csv", b"text,label\n", "there is no row"),
        ("r.txt", b"good\nbad\n", "the name 'r.txt' does not tell a format"),
    ],
)
def test_a_file_that_is_no_table_says_why(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    text = message(write(tmp_path, name, content))
    assert told in text
    assert name in text
    assert "do:" in text


def test_a_missing_file_is_answered_with_its_neighbour(tmp_path: Path) -> None:
    write(tmp_path, "reviews.csv", "text,label\na,b\n")
    assert f"did you mean {tmp_path / 'reviews.csv'}?" in message(tmp_path / "review.csv")


# Columns


@pytest.mark.parametrize(
    ("available", "chosen"),
    [
        (["id", "Text", "LABEL"], {"text": "Text", "label": "LABEL"}),
        (["评论", "category"], {"text": "评论", "label": "category"}),
        (["text", "review", "label", "sentiment"], {"text": "text", "label": "label"}),
    ],
)
def test_clear_columns_are_guessed(available: list[str], chosen: dict[str, str]) -> None:
    assert guess(available, Review, COLUMNS) == chosen


def test_numbered_columns_make_one_field_where_the_task_says_so() -> None:
    class Quiz(BaseModel):
        question: str
        options: tuple[str, ...]

    known = {"options": ("options", "ending*", "*")}

    def found(*columns: str) -> object:
        return guess(columns, Quiz, known)["options"]

    assert found("question", "ending1", "ending0", "ending2", "ending4") == ("ending0", "ending1", "ending2")
    assert found("question", "Ending_1", "Ending_2") == ("Ending_1", "Ending_2")
    assert found("question", "B", "A", "C", "id") == ("A", "B", "C")
    assert found("question", "ending0", "ending1", "options") == "options"
    for columns in (("question", "ending0"), ("question", "ending1", "ending3"), ("question", "B", "C")):
        with pytest.raises(DataError, match="no column is clearly 'options'"):
            found(*columns)


def test_an_unclear_column_is_asked_for_with_the_option_to_type(tmp_path: Path) -> None:
    path = write(tmp_path, "r.csv", "review,sentence,label\na,b,c\n")
    told = message(path)
    assert "'text' may be any of the columns review, sentence" in told
    assert "--column text=review" in told
    assert "The columns: 'review', 'sentence', 'label'." in told
    assert load(path, mapping={"text": "sentence"})[0].text == "b"
    assert "no column is clearly 'label'" in message(write(tmp_path, "s.csv", "text,grade\na,b\n"))
    assert "did you mean 'review'?" in message(path, mapping={"text": "reviw"})
    assert "an example has no field 'txt'" in message(path, mapping={"txt": "review"})


# Bad rows

BAD_ROWS = [
    ("r.jsonl", b'{"text": "good", "label": "x"}\n{"text": "a"\n', "no valid JSON", "line 2, character 13"),
    ("r.csv", b"text,label\ngood,fresh\n  ,rotten\n", "'text' is empty", "r.csv, line 3, column 'text'"),
    ("r.csv", b"text,label\ngood,fresh\nbad,\n", "'label' is empty", "r.csv, line 3, column 'label'"),
    (
        "r.csv",
        b"text,label\ngood,fresh\nbad\n",
        "row: 1, in the header: 2",
        "r.csv, line 3, column 'label'",
    ),
    ("r.csv", b"text,label\ngood,fresh\nso, so,rotten\n", "row: 3, in the header: 2", "r.csv, line 3"),
    ("r.csv", b'text,label\n"never\nclosed,fresh\ngood,fresh\n', "a quote is opened here", "r.csv, line 2"),
    ("r.csv", b'text,label\ngood,fresh\n"a "b" c",rotten\n', "quotes of this row", "r.csv, line 3"),
    ("r.csv", b"text,label\ngood,fresh\nb\xe4d,rotten\n", "UTF-8 at byte 23", "r.csv, line 3, column 'text'"),
    (
        "r.jsonl",
        b'{"text": "good", "label": "x"}\n{"text": "bad"}\n',
        "'label' is missing",
        "line 2, column 'label'",
    ),
    (
        "r.jsonl",
        b'{"text": "good", "label": "x"}\n{"text": 5, "label": "x"}\n',
        "'text' is 5: input",
        "line 2, column",
    ),
    (
        "r.jsonl",
        b'{"text": "good", "label": "x"}\n{"text": "a" "label"\n',
        "no valid JSON",
        "line 2, character 14",
    ),
    ("r.jsonl", b'{"text": "good", "label": "x"}\n[1]\n', "a JSON list, not an object", "r.jsonl, line 2"),
    (
        "r.jsonl",
        b'{"text": "good", "label": "x"}\n{"text": "\xff"}\n',
        "invalid UTF-8 at byte 41",
        "r.jsonl, line 2",
    ),
    (
        "r.jsonl",
        b'{"text": "good", "label": "x"}\n{"text": "\\ud800", "label": "x"}\n',
        "half of a surrogate",
        "line 2",
    ),
]


@pytest.mark.parametrize(("name", "content", "what", "where"), BAD_ROWS)
def test_a_bad_row_stops_with_its_place_or_is_skipped_and_counted(
    tmp_path: Path, name: str, content: bytes, what: str, where: str
) -> None:
    path = write(tmp_path, name, content)
    told = message(path)
    assert what in told
    assert where in told
    assert "on_bad_row='skip'" in told
    found = load(path, on_bad_row="skip")
    assert [example.text for example in found][-1] == "good"
    assert len(found.skipped) == 1
    assert where in found.skipped[0].place


def test_the_first_fault_is_told_and_the_others_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "r.csv", b"text,label\n,fresh\na,b\nc\n\xff,d\n")
    told = message(path)
    assert told.startswith("3 rows are faulty; the first: 'text' is empty.\n  where: r.csv, line 2, column 'text'\n")
    assert "\n         r.csv, line 4, column 'label': fields in the row: 1, in the header: 2\n" in told
    assert [fault.where for fault in load(path, on_bad_row="skip").skipped] == [
        f"r.csv, line {n}" for n in (2, 4, 5)
    ]
    assert "'text' is empty" in message(write(tmp_path, "all.csv", "text,label\n,a\n,b\n"), on_bad_row="skip")


def test_the_caller_may_refuse_an_example_that_is_sound_by_its_types(tmp_path: Path) -> None:
    def check(example: Review) -> None:
        if example.label not in ("fresh", "rotten"):
            raise DataError(f"unknown label {example.label!r}.", where="label", do="known: fresh, rotten.")

    path = write(tmp_path, "r.csv", "text,label\na,fresh\nb,stale\n")
    told = message(path, check=check)
    assert "unknown label 'stale'." in told
    assert "r.csv, line 3, column 'label'" in told
    assert len(load(path, check=check, on_bad_row="skip").skipped) == 1


def test_rows_in_memory_that_are_no_dicts_are_named() -> None:
    with pytest.raises(DataError, match=r"a row is a str, not a dict") as caught:
        examples(read([{"text": "a", "label": "b"}, "c"]), Review, COLUMNS)  # type: ignore[list-item]
    assert caught.value.where == "rows[1]"


# Splits

labelled = st.lists(st.tuples(st.integers(0, 60), st.sampled_from("aaaabbc")), min_size=1, max_size=120)


def made(table: list[tuple[int, Any]]) -> Examples:
    return examples(read([{"text": f"text {n}", "label": label} for n, label in table]), Review, COLUMNS)


def by_label(example: Review) -> str | list[str]:
    return example.label


def counts(side: Examples) -> Counter[Any]:
    return Counter(label for example in side for label in labels_of(example.label))


@relaxed
@given(
    table=labelled,
    dev=st.sampled_from([0, 0.1, 0.3]),
    test=st.sampled_from([0, 0.1, 0.4]),
    seed=st.integers(0, 2**32),
)
def test_a_split_is_a_partition_that_keeps_duplicates_together_and_every_class_in_train(
    table: list[tuple[int, str]], dev: float, test: float, seed: int
) -> None:
    whole = made(table)
    parts = split(whole, dev, test, seed=seed, stratify=by_label)
    assert sorted(place for side in parts.sides().values() for place in side.places) == sorted(whole.places)
    inputs = [set(side.identities) for side in (parts.train, parts.dev, parts.test)]
    assert sum(map(len, inputs)) == len(set().union(*inputs))
    assert set(counts(parts.train)) == set(counts(whole))
    assert len(parts.dev) <= dev * len(whole) + 1
    assert parts == split(whole, dev, test, seed=seed, stratify=by_label)


@pytest.mark.parametrize("classes", [2, 40, 77])
def test_each_class_has_its_share_on_every_side(classes: int) -> None:
    whole = made([(n, f"class {n % classes}") for n in range(10 * classes)])
    parts = split(whole, 0.1, 0.2, seed=7, stratify=by_label)
    assert set(counts(parts.dev).values()) == {1}
    assert set(counts(parts.test).values()) == {2}
    assert len(counts(parts.test)) == classes
    other = split(whole, 0.1, 0.2, seed=8, stratify=by_label)
    assert other.test.places != parts.test.places


def test_classes_too_small_for_a_share_still_fill_dev_and_test() -> None:
    parts = split(made([(n, f"class {n % 50}") for n in range(100)]), 0.1, 0.1, seed=0, stratify=by_label)
    assert {name: len(side) for name, side in parts.sides().items()} == {"train": 80, "dev": 10, "test": 10}


def test_what_a_lonely_example_cannot_give_comes_from_a_larger_class() -> None:
    whole = made([(0, "lonely"), *((n, "ab"[n % 2]) for n in range(1, 21))])
    for seed in range(5):
        parts = split(whole, 0.41, 0, seed=seed, stratify=by_label)
        assert len(parts.dev) == 9  # 8.61 of 21
        assert "lonely" in counts(parts.train)


def test_rare_sets_of_labels_are_pooled_and_every_label_stays_in_train() -> None:
    labels = [[f"l{i}" for i in range(10) if n >> i & 1] for n in range(1024)]
    parts = split(made(list(enumerate(labels))), 0.1, 0.1, seed=3, stratify=by_label)
    assert [len(side) for side in parts.sides().values()] == pytest.approx([820, 102, 102], abs=2)
    for side in parts.sides().values():
        assert all(count / len(side) == pytest.approx(0.5, abs=0.15) for count in counts(side).values())
    lonely = split(
        made([(n, ["common", f"only {n}"]) for n in range(30)]), 0.2, 0.2, seed=0, stratify=by_label
    )
    assert len(counts(lonely.train)) == 31


def test_a_rare_label_keeps_its_share_whatever_labels_stand_beside_it() -> None:
    """Each set of labels occurs once: what keeps a share can only be the label."""
    for seed in range(5):
        labels = [[f"l{i}" for i in range(11) if n >> i & 1] + (["rare"] if n % 50 == 3 else []) for n in range(1, 2000)]
        parts = split(made(list(enumerate(labels))), 0.1, 0.1, seed=seed, stratify=by_label)
        assert [counts(side)["rare"] for side in (parts.train, parts.dev, parts.test)] == [32, 4, 4]


def test_the_audit_counts_each_label_of_an_example() -> None:
    several = made([(n, ["all", "even" if n % 2 == 0 else "odd", *(["tenth"] if n % 30 == 0 else [])]) for n in range(300)])
    notes = audit(Splits(several, several.take([]), several.take([])), stratify=by_label)
    assert notes == ["the labels are unequal: 300 of 'all', 10 of 'tenth' in train."]
    one = made([(n, ["only"] if n % 2 else []) for n in range(60)])
    assert audit(Splits(one, one.take([]), one.take([])), stratify=by_label) == ["every label in train is 'only'."]


def test_shares_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError, match=r"dev \+ test = 1.1 is not allowed"):
        split(made([(0, "a")]), 0.5, 0.6, seed=0)


def test_the_audit_says_what_is_suspicious_and_is_silent_otherwise() -> None:
    sound = made([(n, "ab"[n % 2]) for n in range(400)])
    parts = split(sound, seed=0, stratify=by_label)
    assert audit(parts, stratify=by_label) == []
    leaky = Splits(parts.train, parts.train.take(range(40)), parts.test.take(range(5)))
    notes = audit(leaky, stratify=by_label)
    assert notes[0].startswith("40 examples of dev also in train, word for word: rows[")
    assert "test has only 5 examples: its figures say little." in notes
    skewed = split(made([(n, "b" if n % 50 == 0 else "a") for n in range(1000)]), seed=0, stratify=by_label)
    assert "the labels are unequal: 784 of 'a', 16 of 'b' in train." in audit(skewed, stratify=by_label)
    single = Splits(
        made([(n, "a") for n in range(50)]), made([(n, "b") for n in range(60, 99)]), sound.take([])
    )
    notes = audit(single, stratify=by_label)
    assert "every label in train is 'a'." in notes
    assert "dev has labels that train has not: 'b'." in notes


def test_a_header_that_stands_again_in_another_case_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("text,label\na,pos\nText, LABEL\nb,neg\n")
    rows = read(path)
    assert [row.values["label"] for row in rows] == ["pos", "neg"]
    assert "line 3" in rows.notes[0]


def test_options_choose_among_formats_with_one_ending(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text('{"version": 1, "data": {"rows": [{"text": "a"}, {"text": "b"}]}}')
    assert [row.values for row in read(path, format={"at": "data.rows"})] == [{"text": "a"}, {"text": "b"}]
    path.write_text('{"version": 1, "data": {"rows": []}}\n{"version": 2, "data": {"rows": []}}\n')
    assert [row.values["version"] for row in read(path)] == [1, 2]
    with pytest.raises(OptionError, match="no option 'att'"):
        read(path, format={"att": "data.rows"})


def test_what_an_inner_object_lacks_is_named_with_what_it_has() -> None:
    class Span(BaseModel):
        start: int
        label: str

    class Marked(BaseModel):
        text: str
        spans: list[Span]

    rows = [{"text": "a", "spans": [{"start": 0, "label": "x"}, {"start": 0, "type": "x"}]}]
    with pytest.raises(DataError, match=r"spans\.1 has no 'label', but 'start', 'type'"):
        examples(read(rows), Marked, {})


def test_json_in_a_file_named_csv_is_called_json(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text('{"text": "a", "label": "x"}\n')
    with pytest.raises(DataError, match="it is JSON") as refused:
        read(path)
    assert "--format jsonl" in refused.value.do
    assert len(read(path, format="jsonl")) == 1


def test_what_python_is_to_read_is_quoted_as_python_quotes(tmp_path: Path) -> None:
    path = tmp_path / "a b.csv"
    path.write_bytes(b"PK\x03\x04\x14\0\6\0\0\0[Content_Types].xml   xl/workbook")
    with pytest.raises(DataError) as refused:
        read(path)
    assert f"pandas.read_excel({str(path)!r})" in refused.value.do


def test_a_first_line_that_may_be_an_example_is_told_even_where_its_words_are_taken_for_names(tmp_path: Path) -> None:
    class Verdict(BaseModel):
        text: str
        label: str

    path = tmp_path / "r.csv"
    path.write_text("great film,good\nbad film,poor\n")
    with pytest.raises(DataError, match="may be an example") as refused:
        examples(read(path), Verdict, {})
    assert "--no-header" in refused.value.do
    found = examples(read(path), Verdict, {}, {"text": "great film", "label": "good"})
    assert "may be an example" in found.notes[0]
    assert "--no-header" in found.notes[0]
    path.write_text("body,mood\nbad film,poor\n")
    assert not examples(read(path), Verdict, {}, {"text": "body", "label": "mood"}).notes


def test_data_show_themselves_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + "good,pos\nbad,neg\n" * 600, encoding="utf-8")
    assert repr(read(tmp_path / "a.csv")) == "<1,200 records of a.csv: text, label>"
    assert repr(load(tmp_path / "a.csv")) == "<1,200 examples of a.csv>"

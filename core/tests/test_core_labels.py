"""Labels that may be mistakes are refused, merged, kept or dropped as the options say, whatever task has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functory.contracts.cells import broken, structure
from functory.contracts.labels import MISSING, Label, LabelOrList, LabelRules, folded, known_labels, label_text
from functory.contracts.plain import plain_type
from functory.contracts.task import Input, Task
from functory.data import Examples, Splits, audit
from functory.errors import DataError, NotSupported, OptionError
from functory.measuring.evaluation import read_examples

unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


class Text(Input):
    text: str


class Verdict(Text):
    label: Label


class Toy(Task[LabelRules]):
    Input: ClassVar = Text
    Example: ClassVar = Verdict
    Options: ClassVar = LabelRules
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def strata(self, example: Verdict) -> tuple[str, ...]:
        return (example.label,)

    def relabelled(self, example: Verdict, names: Mapping[str, str]) -> Verdict:
        return example.model_copy(update={"label": names.get(example.label, example.label)})


def found(*labels: Any, known: tuple[str, ...] = (), **options: Any) -> Examples:
    rows = [{"text": f"text {n}", "label": label} for n, label in enumerate(labels)]
    return read_examples(Toy.configure(options), None, rows, known=known)


def read(*labels: Any, known: tuple[str, ...] = (), **options: Any) -> list[str]:
    return [example.label for example in found(*labels, known=known, **options)]


def refusal(*labels: Any, **options: Any) -> DataError:
    with pytest.raises(DataError) as refused:
        read(*labels, **options)
    return refused.value


def test_a_label_that_is_not_known_is_told_with_the_near_one() -> None:
    assert known_labels("catt", ("cat", "dog")) == "did you mean 'cat'? The function knows cat, dog."
    assert known_labels("bird", ("cat", "dog")) == "the function knows cat, dog."


def test_whole_numbers_are_alike_however_a_table_writes_them() -> None:
    assert "'1' (once, in rows[0])" in refusal("1", "1.0", "0").what
    assert "'1.0'" in refusal("1.0", "0.0", known=("0", "1")).what
    assert read("1", 1, "1.00", "-2.0", -2.0, alike="merge") == ["1", "1", "1", "-2", "-2"]
    assert read("0.0", "1.0", known=("0", "1"), alike="merge") == ["0", "1"]
    assert read("1", "1.0", alike="keep") == ["1", "1.0"]
    assert read("1", "01", "1.5", "1.0.0", "v1.0", "v1") == ["1", "01", "1.5", "1.0.0", "v1.0", "v1"]


SAME = ("Pos", "POS", "ｐｏｓ", "p\u200bos", "\ufeffpos", "pos\u200e", "poſ", "p\u00ados", "pos\ufe0e")
"""Labels that look like 'pos', or are it to everyone but a computer."""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@unhurried
@given(texts)
def test_what_labels_have_in_common_is_found_at_once(label: str) -> None:
    assert folded(folded(label)) == folded(label)
    assert folded(label.upper()) == folded(folded(label).upper())
    assert label_text(label_text(label)) == label_text(label)


@pytest.mark.parametrize("label", SAME)
def test_labels_that_differ_in_what_nobody_sees_are_refused_in_either_order(label: str) -> None:
    for labels in (["pos", "neg", label], [label, "neg", "pos"]):
        error = refusal(*labels)
        assert "differ in nothing but case, Unicode form, invisible characters or '.0'" in error.what
        assert repr(label) in error.what
        assert repr("pos") in error.what
        assert "alike = 'merge'" in error.do
        assert "alike = 'keep'" in error.do
    with pytest.raises(OptionError, match="differ in nothing but case"):
        Toy.configure({"labels": ["pos", label]})


CHANGES = (str.upper, str.title, lambda text: f"{text}\u200b", lambda text: f"{text}s", lambda text: text[::-1], str)


@unhurried
@given(texts.filter(lambda text: text.strip() and text.strip() not in MISSING), st.sampled_from(CHANGES))
def test_labels_are_refused_exactly_where_they_are_alike(label: str, change: Any) -> None:
    one, other = label.strip(), change(label).strip()
    for pair in ([one, other], [other, one]):
        if one != other and folded(one) == folded(other):
            refusal(*pair)
        elif not MISSING & set(pair):
            assert read(*pair) == pair


def test_different_labels_are_left_alone() -> None:
    assert read("pos", "pose", "p os", "p-os", "né", "ne", "好", "差") == ["pos", "pose", "p os", "p-os", "né", "ne", "好", "差"]


def test_a_refusal_counts_each_spelling_and_names_its_first_row() -> None:
    error = refusal("neg", "Pos", "pos", "pos", "neg", "Neg")
    assert "'Neg' (once, in rows[5]) and 'neg' (2 times, first in rows[0])" in error.what
    assert "'Pos' (once, in rows[1]) and 'pos' (2 times, first in rows[2])" in error.what


def test_labels_that_are_alike_are_merged_into_the_commonest_or_the_one_that_is_known() -> None:
    assert read("neg", "Pos", "pos", "pos", "POS", alike="merge") == ["neg", "pos", "pos", "pos", "pos"]
    assert read("neg", "Pos", "pos", "pos", alike="merge", labels=["neg", "Pos"]) == ["neg", "Pos", "Pos", "Pos"]
    assert read("POS", "neg", alike="merge", known=("pos", "neg")) == ["pos", "neg"]
    assert read("pos", "Pos", alike="keep") == ["pos", "Pos"]
    assert found("Pos", "pos", "pos", alike="merge").notes == ("labels that are alike were merged: 'Pos' as 'pos' (1 row).",)


def test_a_label_that_is_a_known_one_but_for_its_case_is_told_beside_it() -> None:
    error = refusal("Pos", "neg", known=("pos", "neg"))
    assert "'Pos' (once, in rows[0]) and 'pos' (known)" in error.what
    assert read("Pos", "pos", known=("pos", "Pos")) == ["Pos", "pos"]  # a function that was built to keep both


def test_white_space_around_a_label_says_nothing() -> None:
    assert read("pos", "pos ", "\tpos\n", "\u00a0pos\u3000") == ["pos"] * 4

    class Plain(Text):
        label: str  # of a task that does not use Label

    class PlainToy(Toy):
        Example = Plain

    rows = [{"text": "a", "label": " pos"}, {"text": "b", "label": "pos"}]
    assert [example.label for example in read_examples(PlainToy(), None, rows)] == ["pos", "pos"]


@pytest.mark.parametrize("label", ["nan", "None", "NA", "NULL", "#N/A"])
def test_labels_that_say_there_is_none_are_refused_kept_or_dropped(label: str) -> None:
    error = refusal("pos", label, "neg", label)
    assert f"labels that say there is none: {label!r} (2 times, first in rows[1])" in error.what
    assert "missing = 'keep'" in error.do
    assert "missing = 'drop'" in error.do
    assert read("pos", label, "neg", missing="keep") == ["pos", label, "neg"]
    kept = found("pos", label, "neg", missing="drop")
    assert ([example.label for example in kept], kept.places) == (["pos", "neg"], ("rows[0]", "rows[2]"))
    assert kept.passed_over == f"1 bad row was skipped, the first: rows[1]: its label is {label!r}"
    assert read("pos", label, labels=["pos", label]) == ["pos", label]
    assert "'Pos' as 'pos'" in found("pos", "pos", "Pos", label, missing="drop", alike="merge").notes[0]


def test_words_are_labels_though_they_are_near_to_nothing() -> None:
    assert read("none", "no", "na", "nothing", "nil") == ["none", "no", "na", "nothing", "nil"]


def test_numbers_and_truth_values_are_labels_as_text(tmp_path: Path) -> None:
    assert read(0, 1, True, 2.0, "3") == ["0", "1", "True", "2", "3"]
    lines = "\n".join(json.dumps({"text": f"text {n}", "label": label}) for n, label in enumerate((0, True, 1.0)))
    (tmp_path / "v.jsonl").write_text(lines)
    assert [example.label for example in read_examples(Toy(), None, tmp_path / "v.jsonl")] == ["0", "True", "1"]
    with pytest.raises(DataError, match="label"):
        read(0.5)


def test_a_label_named_twice_is_refused() -> None:
    for labels in (["a", "b", "a"], ["a", "a "]):
        with pytest.raises(OptionError, match="'a' is named 2 times"):
            Toy.configure({"labels": labels})


def test_a_task_that_cannot_rename_its_labels_says_so() -> None:
    class Stiff(Toy):
        relabelled = Task.relabelled

    with pytest.raises(NotSupported, match=r"does not rename labels, and 'Pos' should be 'pos'"):
        read_examples(
            Stiff.configure({"alike": "merge"}), None,
            [{"text": text, "label": label} for text, label in zip("abc", ("pos", "pos", "Pos"), strict=True)],
        )  # fmt: skip


def test_an_input_with_several_answers_is_noted_with_its_rows() -> None:
    rows = [("same", "pos"), ("other", "neg"), ("same", "neg"), ("same", "pos")]
    some = read_examples(Toy(), None, [{"text": text, "label": label} for text, label in rows])
    nothing = Examples((), (), "")
    notes = audit(Splits(some, nothing, nothing), stratify=Toy().strata)
    assert "1 input has several answers: 'pos' in rows[0], 'neg' in rows[2]." in notes
    clean = audit(Splits(some.take([0, 1, 3]), nothing, nothing), stratify=Toy().strata)
    assert not [note for note in clean if "several answers" in note]


def test_a_type_is_told_without_what_validates_it() -> None:
    assert plain_type(LabelOrList) == (str | tuple[str, ...])
    assert plain_type(dict[str, list[Label]] | None) == (dict[str, list[str]] | None)
    assert plain_type(Literal["a", 1]) == Literal["a", 1]
    assert plain_type(tuple[int, ...]) == tuple[int, ...]


# What a cell holds


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=6,
).filter(lambda value: isinstance(value, (list, dict)))


@unhurried
@given(values)
def test_a_list_or_an_object_is_read_as_json_and_python_write_it(value: Any) -> None:
    assert structure(json.dumps(value)) == structure(json.dumps(value, ensure_ascii=False)) == value
    assert structure(repr(value)) == structure(f"  {value!r}\n") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("['red' 'car']", ["red", "car"]), ("['B-PER' 'O'\n 'O']", ["B-PER", "O", "O"]), ("('a', 'b')", ["a", "b"]),
        ("{'b', 'a'}", ["a", "b"]),
    ],
)  # fmt: skip
def test_an_array_a_tuple_and_a_set_are_lists(text: str, value: list[str]) -> None:
    assert structure(text) == value


@pytest.mark.parametrize(
    "text",
    ["[sic]", "(a, b)",
     "red", "", "[", "['a' ... 'b']", "[1 .. 2]", "'a'", "[__import__('os')]", "[f'x']", "(" * 500 + ")" * 500],
)
def test_what_is_no_literal_stays_a_text_and_is_never_run(text: str) -> None:
    assert structure(text) == text


def test_rows_that_are_dropped_have_labels_like_none_that_stay() -> None:
    for alike in ("refuse", "merge"):
        assert read("None", "none", "None", "pos", missing="drop", alike=alike) == ["none", "pos"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [("[1 2 10]", [1, 2, 10]), ("[1. 2.5]", [1.0, 2.5]), ("[ True False]", [True, False]), ("['a' 'b']", ["a", "b"])],
)
def test_arrays_are_read_as_numpy_writes_them(text: str, meant: list[Any]) -> None:
    assert structure(text) == meant


@pytest.mark.parametrize("text", ["[red car]", "[a]", "[1 red]", "(not sure)"])
def test_words_in_brackets_are_no_list(text: str) -> None:
    assert structure(text) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('["a", "b"', "expecting ',' delimiter, at character 10"), ('["a", b]', "expecting value, at character 7"),
        ('{"a": 1', "expecting ',' delimiter, at character 8"), ("['a' ... 'b']", "begins like one"),
        ('["a"]', ""), ("['a']", ""), ("[sic]", ""), ("[1] Smith", ""), ("a", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_list_that_is_broken_is_told_with_the_character(text: str, says: str) -> None:
    assert says in broken(text) if says else not broken(text)

"""What is extracted has the model's form always, is null where nothing is said, and has its places in the text."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import BaseModel, Field

import functory
from functory.cli import main
from functory_extract import Evidence, extract
from functory_extract.evidence import evidence
from functory_extract.measuring import is_right, scorer
from functory_extract.schemas import nullable, read
from functory_extract.verbatim import held_to, marked, without_repeats
from functory_sdk import Guide, InputError, NotSupported, OptionError, bounded
from functory_sdk.testing import kit


class Line(BaseModel):
    title: str
    pieces: int | None = None


class Bill(BaseModel):
    buyer: str
    due: date | None
    state: Literal["paid", "open"] = Field(description="is it paid?")
    lines: list[Line]


SHORT = {"prompt": "{text}\n", "max_new_tokens": 40}
ROWS = [
    {"text": f"{first} {second}", "what": first if second != "night" else None} for first in ("film", "rain", "day")
    for second in ("good", "bad", "saw", "the", "we", "night")
]  # fmt: skip


@pytest.fixture(scope="module")
def thing() -> Iterator[Any]:
    """A function on a tiny decoder with random weights: what it extracts is noise, and of the right form."""
    with kit():
        yield functory.build(task={"name": "extract", "model": {"what": "text", "n": "whole"}, **SHORT}, backbone="tiny-decoder")


def test_whatever_is_written_has_the_models_form_in_any_decoding(thing: Any, tmp_path: Path) -> None:
    texts = ["we saw 3 films", "", "价格合理，质量也不错。", "a\x00b <end>", "word " * 60]
    for how in ({}, {"temperature": 3.0, "seed": 5}, {"beams": 2}):
        for output in thing.using(**how).map(texts, progress=False):
            assert output.what is None or isinstance(output.what, str)
            assert output.n is None or isinstance(output.n, int)
    assert any("cut" in note for note in thing(texts[-1]).notes)
    assert thing("a").notes == ("bounds of the guide: n: at most 15 digits",)
    again = functory.load(thing.save(tmp_path / "thing"))
    for one, other in zip(again.map(texts, progress=False), thing.map(texts, progress=False), strict=True):
        assert one.model_dump() == other.model_dump()


def test_nested_models_lists_choices_and_dates_are_fields_like_others() -> None:
    with kit():
        bill = functory.build(
            task={"name": "extract", "model": Bill, "prompt": "{text}\n", "max_new_tokens": 90},
            backbone="tiny-decoder", golden=["a"],
        )  # fmt: skip
        found = list(bill.using(temperature=2.0).map(["a", "我们", "paid"], progress=False))
    for output in found:
        assert [*output.fields] == ["buyer", "due", "state", "lines"]
        assert output.state in ("paid", "open", None)
        assert output.due is None or date.fromisoformat(output.due)
        assert all(line.keys() == {"title", "pieces"} for line in output.lines)
        assert json.loads(output.model_dump_json())["lines"] == output.lines


def test_free_texts_are_words_of_the_text_as_they_stand_there_and_have_their_place(thing: Any) -> None:
    """Whatever a random walk would rather write."""
    texts = ['we "saw" 3\nfilms', "李明买了两本书。", r"a \1 b\u0041 {c}", "Zoë's naïve – 3.2%", "one"]
    for how in ({}, {"temperature": 3.0, "seed": 5}, {"beams": 2}):
        for text, output in zip(texts, thing.using(**how).map(texts, progress=False), strict=True):
            if output.what is not None:
                place = output.evidence["what"]
                assert text[place.start : place.end] == place.text == output.what
    drawn = [thing.using(temperature=3.0, seed=seed)("one two").what for seed in range(16)]
    assert {*drawn} <= {"one", "two", "one two", None}
    assert len({*drawn}) > 2
    assert thing("").what in (None, "")


def test_in_its_own_words_a_model_may_write_what_the_text_does_not_hold_and_no_longer_than_it() -> None:
    with kit():
        free = functory.build(
            task={"name": "extract", "model": {"what": "text", "code": {"type": "string", "maxLength": 2}}, **SHORT},
            verbatim=False,
            backbone="tiny-decoder", golden=["a"],
        )  # fmt: skip
        found = [free.using(temperature=3.0, seed=seed)("a book") for seed in range(12)]
    assert any(one.what and "what" not in one.evidence for one in found)
    assert all(len(one.code or "") <= 2 for one in found)
    assert found[0].notes == ("bounds of the guide: what: at most 32 characters",)


def test_bounds_of_a_models_own_hold_beside_the_words_of_the_text() -> None:
    schema = marked(nullable(read({"a": {"type": "string", "maxLength": 4}, "b": "text", "c": "date", "d": "red, blue"})))
    made = held_to(schema, "we saw it")
    a, b, c, d = (made["properties"][name]["anyOf"][0] for name in "abcd")
    assert a["maxLength"] == 4
    for value in ("we", "saw it", "we saw it"):
        assert re.fullmatch(a["pattern"], value)
    for value in ("w", "we it", "wesaw", "we saw ", ""):
        assert not re.fullmatch(a["pattern"], value)
    assert made["$defs"][b["$ref"].rpartition("/")[2]]["pattern"] == a["pattern"]
    assert "pattern" not in c
    assert "pattern" not in d


def test_a_list_holds_no_text_more_often_than_the_text_does() -> None:
    fields = {"a": ["rain", "Rain", "rain", "sun"], "b": [{"c": ["x", "x"]}], "n": [2, 2]}
    assert without_repeats(fields, "rain and Rain, x") == {"a": ["rain", "Rain", "sun"], "b": [{"c": ["x"]}], "n": [2, 2]}


def test_a_packaged_function_tells_the_types_of_its_fields(tmp_path: Path) -> None:
    with kit():
        bill = functory.build(
            task={"name": "extract", "model": {"what": "text", "n": "whole", "kind": "red, blue", "tags": "list"}},
            prompt="{text}\n", max_new_tokens=64, backbone="tiny-decoder", golden=["a"],
        )  # fmt: skip
        [wheel] = bill.package("acme-bills", tmp_path)
    stub = zipfile.ZipFile(wheel).read("acme_bills/__init__.pyi").decode()
    for line in ("what: str | None", "n: int | None", 'Kind = Literal["red", "blue"]', "kind: Kind | None", "tags: Sequence"):
        assert line in stub


def test_fields_become_a_model_where_it_takes_them(thing: Any) -> None:
    class Thing(BaseModel):
        what: str
        n: int | None

    found = thing.task.Output(what="film", n=3)
    assert found.into(Thing) == Thing(what="film", n=3)
    with pytest.raises(InputError, match="Thing does not take what was extracted: .*what"):
        thing.task.Output(n=3).into(Thing)


def test_every_field_may_be_null_and_none_is_left_out() -> None:
    schema = nullable(Bill.model_json_schema())
    own, line = schema["properties"], schema["$defs"]["Line"]
    assert schema["required"] == ["buyer", "due", "state", "lines"]
    assert {"type": "null"} in own["buyer"]["anyOf"]
    assert own["due"]["anyOf"].count({"type": "null"}) == 1
    assert own["state"]["anyOf"] == [{"enum": ["paid", "open"], "type": "string"}, {"type": "null"}]
    assert own["lines"]["type"] == "array"
    assert line["required"] == ["title", "pieces"]
    assert bounded(Guide(json_schema=schema)).notes


@pytest.mark.parametrize(("given", "made"), [
    ({"a": "text: the first", "b": "red, blue"},
     {"a": {"type": "string", "description": "the first"}, "b": {"enum": ["red", "blue"]}}),
    ({"a": ["x", "y"], "b": "红，蓝", "c": "date"},
     {"a": {"enum": ["x", "y"]}, "b": {"enum": ["红", "蓝"]}, "c": {"type": "string", "format": "date"}}),
    ({"a": {"type": "integer", "minimum": 0}}, {"a": {"type": "integer", "minimum": 0}}),
])  # fmt: skip
def test_fields_are_spelled_in_a_word_each(given: Any, made: Any) -> None:
    assert read(given)["properties"] == made


@pytest.mark.parametrize(("model", "told"), [
    ({"a": "foo"}, "a is 'foo', and a field is one of text, number"), ({"notes": "text"}, "cannot be called 'notes'"),
    ({"unit price": "number"}, "no name of a field"), ({"type": "object", "properties": {}}, "this one has none"),
    ({"text": "text"}, "cannot be called 'text'"), ({}, "an extraction needs fields"), (7, "model = 7"),
])  # fmt: skip
def test_what_is_no_model_is_refused_where_it_is_said(model: Any, told: str) -> None:
    with kit(), pytest.raises(OptionError) as raised:
        functory.build(task="extract", model=model, backbone="tiny-decoder")
    assert told in str(raised.value)


def test_a_guide_or_samples_of_the_callers_and_too_few_tokens_are_refused(thing: Any) -> None:
    for how in ({"guide": ["a"]}, {"temperature": 1.0, "samples": 2}):
        with pytest.raises(OptionError, match="has a form of its own, and is one answer"):
            thing.using(**how)
    with pytest.raises(OptionError, match="max_new_tokens = 8 is too few"):
        thing.using(max_new_tokens=8)("a")
    assert thing("a").fields.keys() == {"what", "n"}
    with kit(), pytest.raises(NotSupported):
        functory.build(task={"name": "extract", "model": {"a": "text"}}, backbone="tiny-encoder")


def test_without_a_guide_what_is_no_such_json_is_null_and_told(thing: Any) -> None:
    with kit():
        free = functory.build(
            task={"name": "extract", "model": {"what": "text"}, "is_guided": False, **SHORT},
            backbone="tiny-decoder", golden=["a"],
        )  # fmt: skip
        assert free("we saw").fields == {"what": None}
        assert "no such JSON" in free("we saw").notes[-1]


@pytest.mark.parametrize(("fields", "text", "found"), [
    ({"a": "Bob Smith"}, "Mr bob  smith of Acme", {"a": "bob  smith"}),
    ({"a": "art"}, "party", {}),
    ({"a": "李明"}, "昨天李明买了", {"a": "李明"}),
    ({"a": 42.5, "b": 3, "c": 12000}, "3 of 12,000 cost 42.50.", {"a": "42.50", "b": "3", "c": "12,000"}),
    ({"a": 30}, "一共付了30元", {"a": "30"}),
    ({"a": 42.5}, "kostet 42,50 Euro", {"a": "42,50"}),
    ({"a": True, "b": None, "c": "", "d": "paid"}, "True: paid", {"d": "paid"}),
    ({"a": [{"n": 2}, {"n": 2}, {"n": 2}]}, "2 and 2", {"a.0.n": (0, 1), "a.1.n": (6, 7), "a.2.n": (6, 7)}),
    ({"a": "(x) [y"}, "see (x) [y ", {"a": "(x) [y"}),
])  # fmt: skip
def test_values_are_found_where_they_stand(fields: Any, text: str, found: Any) -> None:
    places = evidence(fields, text)
    assert places.keys() == found.keys()
    for path, wanted in found.items():
        place: Evidence = places[path]
        assert text[place.start : place.end] == place.text
        assert wanted in (place.text, (place.start, place.end))


def test_values_count_one_by_one_and_lists_as_bags() -> None:
    wanted = [{"a": "Bob", "b": 2, "c": ["x", "y"]}, {"a": None, "b": None, "c": []}]
    given = [{"a": " bob ", "b": 3, "c": ["y", "x"]}, {"a": None, "b": 1, "c": None}]
    score = scorer(given, wanted)
    both, first = score(np.asarray([0, 1])), score(np.asarray([0]))
    assert (both["precision"], both["recall"], both["accuracy"], both["all_right"]) == (3 / 5, 3 / 4, 4 / 6, 0.0)
    assert both["value_f1"] == pytest.approx(6 / 9)
    assert first["value_f1"] == 3 / 4
    assert is_right("", None)
    assert is_right(0, 0.0)
    assert not is_right(0, None)
    assert not is_right(False, None)


def test_it_learns_from_examples_what_stands_in_the_fields_and_where_nothing_does(tmp_path: Path) -> None:
    adaptation = {"name": "full", "epochs": 16, "learning_rate": 4e-3, "batch_rows": 9}
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    with kit():
        taught = functory.build(
            task={"name": "extract", "model": {"what": "text"}, **SHORT}, train=tmp_path / "rows.jsonl", dev=ROWS[::4],
            backbone="tiny-decoder", adaptation=adaptation, report=False,
        )  # fmt: skip
        report = taught.evaluate(ROWS)
    assert report.metrics["accuracy"].value > 0.6
    assert report.metrics["value_f1"].value > 0.5
    right = next(row for row in ROWS if row["what"] and taught(row["text"]).what == row["what"])
    assert taught(right["text"]).evidence["what"].text == right["what"]


def test_examples_are_shown_before_the_text_and_what_they_spell_stays_text() -> None:
    with kit():
        shown = functory.build(
            task={"name": "extract", "model": {"what": "text"}, **SHORT}, train=[{"text": "a <end> b", "what": "b"}],
            adaptation={"name": "prompt", "demonstrations": 1}, golden=["a"], backbone="tiny-decoder", report=False,
        )  # fmt: skip
        form = shown.form
        [request] = form.formulation.encode([shown.read("day")], shown.reader, shown.state).requests
    assert form.tokenizer.text(request.ids, keep_special=True) == 'a <end> b\n{"what": "b"}\n\nday\n'
    assert form.tokenizer.id("<end>") not in request.ids


def test_a_verb_and_a_command_extract_in_one_line(capsys: Any, tmp_path: Path) -> None:
    with kit():
        found = extract("we saw 3", {"n": "whole"}, backbone="tiny-decoder", **SHORT)
        assert [*found.fields] == ["n"]
        both = extract(["we saw 3", "a"], {"n": "whole"}, backbone="tiny-decoder", **SHORT)
        assert both[0] == found
        assert main(["extract", "a", "n=whole", "--json", "--backbone", "tiny-decoder"]) == 2  # no room for our own prompt
        assert "prompt" in capsys.readouterr().err
    for fields in (["n"], ["=text"], [str(tmp_path / "none.json")]):
        assert main(["extract", "a", *fields]) == 2
        assert "do:" in capsys.readouterr().err

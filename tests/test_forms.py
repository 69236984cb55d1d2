"""A form of a stranger's: another kind is one class, and its record where it can be saved; nothing of core is edited for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

import functory
from functory import errors
from functory.artefact.checking import read_manifest
from functory.artefact.finding import find
from functory.artefact.narrowing import narrow
from functory.artefact.summary import summarise
from functory.plugins.registry import registered
from functory.using.packaging import needs
from functory_sdk import Form, FormRecord, Function, Opening, Saving, entries, reformed
from functory_sdk.testing import kit
from functory_sdk.testing.toy import rows
from functory_sdk.testing.toybox import toy_function

TEXT = "we saw the good film"


class FarForm(Form):
    """A function that is asked elsewhere, in JSON, as over a wire; nothing of how it computes is known here."""

    kind = "far"
    tolerance = 1e-4

    def __init__(self, there: Function) -> None:
        self.there, self.asked = there, 0

    @property
    def name(self) -> str:
        return "far away"

    def outputs(self, function: Function, values: Sequence[Any], told: Any = None) -> list[Any]:
        self.asked += 1
        wire = [value.model_dump_json() for value in values]
        answers = [one.model_dump_json() for one in self.there.map(map(json.loads, wire), progress=False)]
        return list(map(function.task.Output.model_validate_json, answers))


class WordRecord(FormRecord):
    """How many words make a text a long one."""

    kind: Literal["words"] = "words"
    words: int
    tolerance: float

    def read(self, place: Opening) -> WordForm:
        with place.within("limit.txt"):
            assert int((place.folder / "limit.txt").read_text()) == self.words, "the limit is another"
        return WordForm(self.words)

    def members(self) -> tuple[str, ...]:
        return ("limit.txt",)

    def summary(self) -> dict[str, Any]:
        return {"words": self.words}


class WordForm(Form):
    """Long texts are one label and short ones the other: a program without a model."""

    kind = "words"
    Record: ClassVar[type[FormRecord] | None] = WordRecord
    tolerance = 0.5

    def __init__(self, words: int) -> None:
        self.words = words

    @property
    def name(self) -> str:
        return f"words from {self.words}"

    def outputs(self, function: Function, values: Sequence[Any], told: Any = None) -> list[Any]:
        labels = function.state.labels
        chosen = [labels[len(value.text.split()) >= self.words] for value in values]
        return [function.task.Output(label=one, scores={label: float(label == one) for label in labels}) for one in chosen]

    def write(self, place: Saving) -> WordRecord:
        (place.folder / "limit.txt").write_text(str(self.words))
        return WordRecord(words=self.words, tolerance=self.tolerance)


@pytest.fixture(scope="module", autouse=True)
def toys() -> Iterator[None]:
    with kit():
        yield


@pytest.fixture(scope="module")
def near(toys: None, cache: Path) -> Function:
    return toy_function()


@pytest.fixture(scope="module")
def far(near: Function) -> Function:
    return reformed(near, FarForm(near))


@pytest.fixture
def words(near: Function) -> Iterator[Function]:
    with registered("forms", "words", WordForm):
        yield reformed(near, WordForm(4)).replaced(report=None)


def test_a_strangers_form_is_called_mapped_and_measured_as_the_function_that_it_asks(far: Function, near: Function) -> None:
    texts = [row["text"] for row in rows(20, seed=5)]
    asked = far.form.asked
    assert list(far.map(texts)) == list(near.map(texts))
    assert far.form.asked == asked + 1, "many are asked for at once"
    assert far(TEXT) == asyncio.run(far.acall(TEXT)) == near(TEXT)
    mine, theirs = (fn.evaluate(rows(40, seed=3)) for fn in (far, near))
    assert (mine.form, mine.metrics) == ("far away", theirs.metrics)
    assert [one.output for one in far.golden] == [one.output for one in near.golden]
    assert all(one.numeric == [] for one in far.golden)


def test_a_strangers_form_is_explained_by_what_it_says_of_changed_texts(far: Function) -> None:
    target = far.targets(TEXT)[0]
    found = far.explain(TEXT)
    assert found.target.name == target.name == far(TEXT).label
    assert [piece.text for piece in found.pieces] == TEXT.split()
    weights = {piece.text: piece.weight for piece in found.pieces}
    assert max(weights, key=weights.__getitem__) == "good"
    with pytest.raises(errors.NotSupported, match="occlusion"):
        far.explain(TEXT, method="gradient-x-input")


def test_a_strangers_form_is_described_by_what_it_says_of_itself(far: Function) -> None:
    assert far.info()["form"] == "far away"
    assert "backbone" not in far.info()
    assert "far away" in repr(far)
    assert "Form: far away." in (type(far).__doc__ or "")


def test_what_a_strangers_form_does_not_have_is_refused_by_its_name(far: Function, tmp_path: Path) -> None:
    value = far.read(TEXT)
    for ask in (
        lambda: far.trace([value]), lambda: far.rounds([value]), lambda: far.stream(TEXT), lambda: far.using(seed=1),
        lambda: far.reader, lambda: far.session, lambda: far.under([TEXT], [far.state]),
    ):  # fmt: skip
        with pytest.raises(errors.NotSupported, match="toy has no program of its own: it is far away"):
            ask()
    with pytest.raises(errors.NotSupported, match="far away cannot be saved") as caught:
        far.save(tmp_path / "far")
    assert caught.value.do == "save what it was made from."
    assert not (tmp_path / "far").exists()


def test_a_strangers_form_with_a_record_is_saved_found_told_narrowed_and_loaded(words: Function, tmp_path: Path) -> None:
    folder = words.save(tmp_path / "words")
    [record] = read_manifest(folder).forms
    assert record == WordRecord(words=4, tolerance=words.form.tolerance)
    assert json.loads((folder / "function.json").read_text())["forms"] == [record.model_dump()]
    assert functory.verify(folder).forms == (record,)
    again = functory.load(folder)
    assert again.form.name == "words from 4"
    assert again.map(["good", TEXT]).__next__() == words("good")
    assert summarise(folder)["forms"] == [{"name": "words", "words": 4}]
    assert [one.forms for one in find(tmp_path)] == [("words",)]
    assert "A function for toy, as words." in (folder / "README.md").read_text(encoding="utf-8")
    with pytest.raises(errors.UsageError, match="has no form of an engine 'torch'; it has words"):
        narrow(folder, "torch", tmp_path / "narrowed")
    with pytest.raises(errors.NotSupported, match="no distribution brings the function's"):
        needs(folder)


def test_a_damaged_member_of_a_strangers_form_is_told_with_its_name(words: Function, tmp_path: Path) -> None:
    folder = words.save(tmp_path / "words")
    (folder / "limit.txt").write_text("5")
    with pytest.raises(errors.ArtefactCorrupt, match=r"limit\.txt was changed"):
        functory.load(folder)


def test_a_form_that_nothing_installed_gives_is_named(words: Function, tmp_path: Path) -> None:
    folder = words.save(tmp_path / "words")
    [entry] = [one for one in entries("forms") if one.name == "words"]
    assert entry.distribution == ""
    manifest = json.loads((folder / "function.json").read_text())
    manifest["forms"][0]["kind"] = "wordz"
    (folder / "function.json").write_text(json.dumps(manifest))
    from functory.artefact.sealing import write_digest

    write_digest(folder)
    with pytest.raises(errors.UnknownComponent, match="there is no form named 'wordz'") as caught:
        functory.load(folder)
    assert "Installed: composite, engine, " in caught.value.do


def test_a_form_whose_kind_is_not_its_name_and_one_that_computes_nothing_are_refused() -> None:
    for name, form, told in (
        ("near", FarForm, "a manifest would call its kind 'far'"),
        ("bare", Form, "lacks what every Form must have: name, outputs"),
    ):
        with pytest.raises(errors.PluginContractError, match=told), registered("forms", name, form):
            pass


def test_functions_made_from_one_another_share_what_is_opened(near: Function) -> None:
    near(TEXT)
    assert near.replaced(hooks=()).session is near.session
    assert near.opened(threads=1).session is not near.session

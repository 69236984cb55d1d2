"""What a manifest says and its parts give again is derived and compared, even where its digest was forged with it."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import functory
from functory import errors
from functory.artefact.checking import check, read_manifest
from functory.artefact.members import MANIFEST, REPORT
from functory.artefact.opening import verify
from functory.artefact.sealing import seal, write_digest
from functory.measuring.report import Metric
from functory.using.packaging import package

pytest.importorskip("torch", reason="pip install functory-torch")

from functory_sdk.testing.toybox import kit, toy_function

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module", autouse=True)
def toys() -> Iterator[None]:
    with kit():
        yield


@pytest.fixture(scope="module")
def saved(toys: None, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_function().save(tmp_path_factory.mktemp("functions") / "toy")


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "toy"))


def forge(folder: Path, change: Change) -> None:
    """Change a manifest, and write a digest that fits."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    write_digest(folder)


def output(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["signature"]["output"]
    return found


def given(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["signature"]["input"]
    return found


def form(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["forms"][0]
    return found


SIGNATURES: dict[str, tuple[Change, str]] = {
    "a label": (lambda m: output(m)["properties"]["label"].update(enum=["no", "yas"]), "output.properties.label.enum.1"),
    "one label less": (lambda m: output(m)["properties"]["label"]["enum"].pop(), "output.properties.label.enum"),
    "the labels' order": (lambda m: output(m)["properties"]["label"]["enum"].reverse(), "output.properties.label.enum.0"),
    "no labels": (lambda m: output(m)["properties"]["label"].pop("enum"), "output.properties.label.enum"),
    "a type": (lambda m: output(m)["properties"]["abstained"].update(type="string"), "output.properties.abstained.type"),
    "a default": (lambda m: output(m)["properties"]["abstained"].update(default=0), "output.properties.abstained.default"),
    "a field less": (lambda m: output(m)["properties"].pop("scores"), "output.properties.scores"),
    "a field more": (lambda m: given(m)["properties"].update(mood={"type": "string"}), "input.properties.mood"),
    "no fields": (lambda m: given(m).update(properties=[]), "input.properties"),
    "what must be given": (lambda m: given(m).update(required=[]), "input.required"),
    "a limit": (lambda m: given(m)["properties"]["text"].update(maxLength=3), "input.properties.text.maxLength"),
    "the name of a type": (lambda m: output(m).update(title="Str"), "output.title"),
    "the shorthand": (lambda m: m["signature"].update(shorthand=["label"]), "shorthand"),
    "a parameter": (lambda m: m["signature"]["parameters"].update(mood="How."), "parameters"),
    "no output": (lambda m: m["signature"].pop("output"), "output"),
    "an output that is none": (lambda m: m["signature"].update(output="text"), "output"),
    "more of it": (lambda m: m["signature"].update(call="exec"), "call"),
}


@pytest.mark.parametrize("what", SIGNATURES)
def test_a_forged_signature_is_refused_whatever_its_digest_says(what: str, copy: Path, tmp_path: Path) -> None:
    change, place = SIGNATURES[what]
    forge(copy, change)
    check(copy)  # its digest and members are sound
    for use in (functory.load, verify, lambda folder: package(folder, "my-toy", tmp_path / "dist")):
        with pytest.raises(errors.ArtefactCorrupt, match=rf"says what its parts do not: {place} of the signature"):
            use(copy)
    assert not (tmp_path / "dist").exists()


OTHERS: dict[str, tuple[Change, str]] = {
    "a figure": (lambda m: m["metrics"]["accuracy"].update(value=0.999), r"the metrics are not those of report\.json"),
    "a figure less": (lambda m: m["metrics"].clear(), r"the metrics are not those of report\.json"),
    "a figure that is none": (lambda m: m["metrics"].update(accuracy="99 %"), r"metrics\.accuracy"),
    "a figure of two": (lambda m: m["metrics"].update(accuracy={"value": [1, 2]}), r"metrics\.accuracy\.value"),
    "a count that is none": (lambda m: m["data"]["train"].update(examples="many"), "no number of examples"),
    "data that are none": (lambda m: m["data"].update(train="all"), r"data\.train"),
    "the form's name": (lambda m: form(m)["program"].update(precision="int8"), "is called 'torch int8' and is 'torch fp32'"),
    "the program's ports": (lambda m: form(m)["program"]["outputs"].clear(), "ports of the program are not those"),
    "the fill of a port": (lambda m: form(m)["program"]["inputs"][0].update(fill=5), "ports of the program are not those"),
    "a distribution that is none": (lambda m: m["task"].update(distribution="../x; rm -rf ~"), r"task\.distribution"),
    "the same form twice": (lambda m: m["forms"].append(form(m)), "two forms are called 'torch fp32'"),
    "the backbone's name": (lambda m: form(m)["spec"].update(reference="minilm"), "'tiny-encoder', and not 'minilm'"),
    "the backbone's context": (lambda m: form(m)["spec"].update(context=512), "context is 64, and not 512"),
    "the backbone's licence": (lambda m: form(m)["spec"].update(licence="MIT"), "licence is '.*', and not 'MIT'"),
    "a tolerance beyond numbers": (lambda m: form(m).update(tolerance="NaN"), "tolerance"),
    "a tolerance below zero": (lambda m: form(m).update(tolerance=-1.0), "tolerance"),
    "no writer": (lambda m: m["written_by"].pop("pydantic"), "written_by"),
    "fewer tokens than none": (lambda m: m.update(max_tokens=-5), "max_tokens"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_else_is_forged_and_can_be_derived_is_refused(what: str, copy: Path) -> None:
    change, told = OTHERS[what]
    forge(copy, change)
    for use in (functory.load, verify):
        with pytest.raises(errors.ArtefactCorrupt, match=told):
            use(copy)


def test_the_licence_of_the_backbone_cannot_be_left_out(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function = functory.load(copy)
    monkeypatch.setattr(function.form.backbone, "spec", function.form.spec.model_copy(update={"licence": "CC-BY-4.0"}))
    function.about.licences = ("CC-BY-4.0", "of the data")
    function.save(copy)
    assert verify(copy).licences == ("CC-BY-4.0", "of the data")
    forge(copy, lambda m: m.update(licences=["of the data"]))
    with pytest.raises(errors.ArtefactCorrupt, match="the licences do not name 'CC-BY-4.0'"):
        functory.load(copy)


def test_what_a_plugin_says_in_other_words_or_beyond_loads_as_it_did(copy: Path) -> None:
    def older(manifest: dict[str, Any]) -> None:
        manifest["written_by"]["functory"] = "0.0.9"
        output(manifest)["properties"].pop("notes")
        output(manifest)["description"] = given(manifest)["properties"]["text"]["description"] = "As it was said once."
        given(manifest)["properties"]["text"]["title"] = "The text"
        manifest["signature"]["parameters"]["text"] = "As it was said once."

    forge(copy, older)
    assert verify(copy).written_by.functory == "0.0.9"
    for change in (SIGNATURES["a label"][0], SIGNATURES["a field more"][0], SIGNATURES["what must be given"][0]):
        forge(copy, change)
        with pytest.raises(errors.ArtefactCorrupt, match="of the signature") as caught:
            functory.load(copy)
        assert "it was made with functory-sdk 0.1.0, functory 0.0.9, pydantic 2." in caught.value.do


def test_what_another_pydantic_says_or_leaves_unsaid_loads_and_another_label_does_not(copy: Path) -> None:
    def otherwise(manifest: dict[str, Any]) -> None:
        manifest["written_by"]["pydantic"] = "2.0.0"
        given(manifest).pop("additionalProperties")
        output(manifest)["additionalProperties"] = True
        output(manifest)["properties"]["abstained"].pop("type")

    forge(copy, otherwise)
    verify(copy)
    for change in (SIGNATURES["a label"][0], SIGNATURES["a field less"][0], SIGNATURES["a default"][0]):
        again = Path(shutil.copytree(copy, copy.parent / "again"))
        forge(again, change)
        with pytest.raises(errors.ArtefactCorrupt, match="of the signature"):
            functory.load(again)
        shutil.rmtree(again)


def test_figures_that_are_no_numbers_are_kept_and_compared(copy: Path) -> None:
    function = functory.load(copy)
    assert function.report is not None
    figures = {"accuracy": Metric(value=math.nan, low=-math.inf, high=math.inf), "perplexity": Metric(value=math.inf)}
    function.report = function.report.model_copy(update={"metrics": figures})
    function.save(copy)
    again = functory.load(copy)
    assert repr(read_manifest(copy).metrics) == repr(figures) == repr(again.report and again.report.metrics)
    assert math.isnan(again.about.metrics["accuracy"]["value"])
    forge(copy, lambda m: m["metrics"]["perplexity"].update(value=3.0))
    with pytest.raises(errors.ArtefactCorrupt, match="the metrics are not those"):
        functory.load(copy)


def test_figures_without_a_report_are_the_makers_word_and_under_the_digest(copy: Path) -> None:
    manifest = read_manifest(copy)
    (copy / REPORT).unlink()
    digest = seal(copy, manifest)
    assert functory.load(copy, sha256=digest).about.metrics.keys() == manifest.metrics.keys()
    forge(copy, lambda m: m["metrics"]["accuracy"].update(value=1.0))
    assert functory.load(copy).about.metrics["accuracy"]["value"] == 1.0
    with pytest.raises(errors.ArtefactCorrupt, match="not the one that was asked for"):
        functory.load(copy, sha256=digest)

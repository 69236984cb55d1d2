"""Functions made of functions: through save and load, and no part of one is ever silently another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import functory
from functory import errors
from functory.artefact.opening import verify

TEXT = "I hate it, this dog"


def built(name: str, *labels: tuple[str, str]) -> functory.Function:
    rows = [{"text": f"{text} {n}", "label": label} for n in range(15) for text, label in labels]
    return functory.build(task="text-classification", train=rows, adaptation="head", report=False, name=name)


@pytest.fixture(scope="module")
def alert() -> functory.Function:
    topic = built("topic", ("a cat", "cat"), ("a dog", "dog"))
    polarity = built("polarity", ("I love it", "positive"), ("I hate it", "negative"))
    return functory.compose("alert", topic=topic, polarity=polarity, options={"topic": "dog"})


@pytest.fixture(scope="module")
def saved(alert: functory.Function, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return alert.save(tmp_path_factory.mktemp("composite") / "alert")


def test_a_composite_is_the_same_after_save_and_load_with_its_options_and_parts(
    alert: functory.Function, saved: Path
) -> None:
    again = functory.load(saved)
    texts = [TEXT, "I love it, this dog", "I hate cats"]
    assert list(again.map(texts)) == [alert(text) for text in texts]
    assert [output.alert for output in again.map(texts)] == [True, False, False]
    assert again.info()["name"] == "alert"
    assert again.about.licences == ("Apache-2.0",)
    verify(saved)


def test_the_parts_of_a_composite_are_opened_as_it_is(saved: Path) -> None:
    function = functory.load(saved, threads=1, precision="bf16")
    assert {part.session_options for part in function.form.parts.values()} == {function.session_options}
    assert function(TEXT).alert


def test_a_composite_is_explained_by_its_own_numbers(alert: functory.Function) -> None:
    found = alert.explain(TEXT)
    weights = {piece.text: piece.weight for piece in found.pieces}
    assert (found.target.name, found.score) == ("score", pytest.approx(alert(TEXT).score, abs=1e-5))
    assert min(weights["hate"], weights["dog"]) > max(weights["it"], weights["this"], weights[","])
    assert [TEXT[piece.start : piece.end] for piece in found.pieces] == list(weights)
    assert found.faithfulness.comprehensiveness > 0
    with pytest.raises(errors.UsageError, match="targets are score"):
        alert.explain(TEXT, target="mood")
    with pytest.raises(errors.NotSupported, match="occlusion"):
        alert.explain(TEXT, method="gradient-x-input")


def test_each_part_lies_in_it_as_a_whole_function(saved: Path) -> None:
    topic = functory.load(saved / "parts" / "topic")
    assert topic("a dog").label == "dog"
    members = json.loads((saved / "function.json").read_text(encoding="utf-8"))["members"]
    assert "parts/topic/weights.safetensors" in members


def test_a_byte_changed_in_a_part_is_refused_by_its_name(saved: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(saved, tmp_path / "alert"))
    for name in ("weights.safetensors", "function.json", "function.json.sha256"):
        file = copy / "parts" / "polarity" / name
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
        with pytest.raises(errors.ArtefactCorrupt, match=f"parts/polarity/{name} was changed".replace(".", r"\.")):
            functory.load(copy)
        data[-1] ^= 1
        file.write_bytes(data)


@pytest.mark.parametrize("key", ["name", "version", "licence"])
def test_what_is_shown_of_a_composite_is_refused_where_it_cannot_be_shown(key: str, alert: functory.Function) -> None:
    parts, options = alert.form.parts, {"topic": "dog"}
    for wrong, told in [("a\x1b[2J", "cannot be shown"), ("a\nb", "cannot be shown"), (1.0, "is a text, and no float")]:
        with pytest.raises(errors.UsageError, match=f"{key} .*{told}"):
            functory.compose("alert", options=options, **{key: wrong}, **parts)
    good = functory.compose("alert", options=options, **{key: "خانه\u200cها"}, **parts)
    assert getattr(good.about, key) == "خانه\u200cها"


def test_parts_that_are_lacking_unknown_or_do_another_task_are_named(alert: functory.Function) -> None:
    parts = alert.form.parts
    with pytest.raises(
        errors.UsageError, match=r"(?s)wants the parts topic, polarity; lacking: polarity.*polarity=<a text"
    ):
        functory.compose("alert", topic=parts["topic"])
    with pytest.raises(errors.UsageError, match="unknown: tone"):
        functory.compose("alert", tone=parts["topic"], **parts)
    with pytest.raises(
        errors.UsageError, match=r"part 'polarity' of 'alert' must do text-classification; 'alert' does alert"
    ):
        functory.compose("alert", topic=parts["topic"], polarity=alert)
    with pytest.raises(errors.UsageError, match="not made of functions"):
        functory.compose("text-classification", topic=parts["topic"])


def test_what_needs_a_program_of_its_own_names_the_parts(alert: functory.Function) -> None:
    with pytest.raises(errors.NotSupported, match=r"(?s)made of functions.*topic, polarity"):
        alert.trace([alert.read(TEXT)])

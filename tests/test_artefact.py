"""The artefact: whole or not at all, checked, replayed, and never unsafe."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import functory
from functory import errors
from functory.artefact.checking import check
from functory.artefact.opening import verify
from functory.artefact.sealing import write_digest


@pytest.fixture
def copy(sentiment: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sentiment, tmp_path / "sentiment"))


def rewrite(folder: Path, **changes: Any) -> None:
    """Forge the manifest: change it, and write a digest that fits."""
    file = folder / "function.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    write_digest(folder)


def test_a_loaded_function_gives_the_outputs_of_the_one_that_was_saved(sentiment: Path, tmp_path: Path) -> None:
    first = functory.load(sentiment)
    second = functory.load(first.save(tmp_path / "again"))
    text = "A small movie with a big impact."
    assert first(text) == second(text)
    assert first(text).label in ("fresh", "rotten")
    for name in ("weights.safetensors", "golden.jsonl"):
        assert (sentiment / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_every_flipped_byte_is_refused_with_the_member_named(copy: Path) -> None:
    for member in sorted(copy.iterdir()):
        content = bytearray(member.read_bytes())
        # Every byte of φ; of the others a spread of places.
        for place in range(0, len(content), 1 if member.suffix == ".safetensors" else max(1, len(content) // 97)):
            content[place] ^= 1
            member.write_bytes(content)
            with pytest.raises(errors.ArtefactCorrupt, match=member.name.replace(".", r"\.")):
                check(copy)
            content[place] ^= 1
        member.write_bytes(content)
    check(copy)


def test_a_changed_manifest_is_refused_or_replays_differently(copy: Path) -> None:
    good = (copy / "function.json").read_text()
    assert "rotten" in good
    (copy / "function.json").write_text(good.replace('"fresh",\n      "rotten"', '"rotten",\n      "fresh"'))
    with pytest.raises(errors.ArtefactCorrupt, match=r"function\.json was changed"):
        verify(copy)
    write_digest(copy)
    with pytest.raises(errors.ArtefactCorrupt, match="label.*of the signature is not what"):
        verify(copy)
    swapped = good.replace('"fresh"', '"\0"').replace('"rotten"', '"fresh"').replace('"\0"', '"rotten"')
    (copy / "function.json").write_text(swapped)
    write_digest(copy)
    with pytest.raises(errors.GoldenMismatch, match="golden example 1 comes out differently"):
        verify(copy)
    for broken, kind in (("{", errors.ArtefactCorrupt), (good.replace('"name"', '"nome"', 1), errors.ArtefactError)):
        (copy / "function.json").write_text(broken)
        write_digest(copy)
        with pytest.raises(kind):
            check(copy)


def test_a_missing_member_a_foreign_one_a_link_and_a_pickle_are_refused(copy: Path, tmp_path: Path) -> None:
    (copy / "weights.safetensors").rename(tmp_path / "w")
    with pytest.raises(errors.ArtefactCorrupt, match=r"weights\.safetensors is missing"):
        check(copy)
    (copy / "weights.safetensors").symlink_to(tmp_path / "w")
    with pytest.raises(errors.ArtefactUnsafe, match="link"):
        check(copy)
    (copy / "weights.safetensors").unlink()
    shutil.copy(tmp_path / "w", copy / "weights.safetensors")
    (copy / "extra.txt").write_text("hello")
    with pytest.raises(errors.ArtefactCorrupt, match=r"extra\.txt is not in the manifest"):
        check(copy)
    (copy / "extra.txt").rename(copy / "model.pkl")
    with pytest.raises(errors.ArtefactUnsafe, match="pickle"):
        check(copy)


@pytest.mark.parametrize("path", ["../weights.safetensors", "/etc/passwd", "a/../../b", "c:\\x", "a//b", ""])
def test_a_path_that_leaves_the_folder_is_refused(copy: Path, path: str) -> None:
    data = json.loads((copy / "function.json").read_text())
    data["members"][path] = data["members"].pop("weights.safetensors")
    rewrite(copy, members=data["members"])
    with pytest.raises(errors.ArtefactUnsafe, match="leaves the folder"):
        check(copy)


def test_an_unknown_format_version_is_refused_with_the_remedy(copy: Path) -> None:
    rewrite(copy, format=7)
    with pytest.raises(errors.ArtefactVersion, match="format 7; this functory reads 3"):
        functory.load(copy)


def test_a_manifest_that_names_a_component_in_a_file_is_refused(copy: Path) -> None:
    rewrite(copy, task={"name": "./evil.py:Task", "options": {}})
    with pytest.raises(errors.ArtefactUnsafe, match="component in a file"):
        functory.load(copy)


def test_another_backbones_weights_are_refused(copy: Path) -> None:
    data = json.loads((copy / "function.json").read_text())
    data["forms"][0]["spec"]["weights_hash"] = "0" * 64
    rewrite(copy, forms=data["forms"])
    with pytest.raises(errors.ArtefactCorrupt, match="φ was fitted to weights 0000"):
        functory.load(copy)


def test_saving_over_something_else_leaves_it_as_it_is(sentiment: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(errors.ArtefactError, match="no function"):
        functory.load(sentiment).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_save_that_fails_leaves_the_earlier_function_and_nothing_half_written(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = functory.load(copy)
    monkeypatch.setattr("functory.artefact.writing.replay", lambda *a, **k: (_ for _ in ()).throw(errors.GoldenMismatch("no")))
    with pytest.raises(errors.GoldenMismatch):
        function.save(copy)
    assert [path.name for path in copy.parent.iterdir()] == ["sentiment"]
    monkeypatch.undo()
    verify(copy)


def test_what_verify_gives_shows_itself_in_a_line(copy: Path) -> None:
    manifest = verify(copy)
    assert str(manifest) == repr(manifest) == "<manifest of sentiment 0.1.0: text-classification, 4 files>"


def test_a_folder_without_a_function_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(errors.ArtefactError, match=r"function\.json is missing"):
        functory.load(tmp_path)
    with pytest.raises(errors.ArtefactError, match="no installed function named 'nothing'"):
        functory.load("nothing")

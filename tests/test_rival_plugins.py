"""A saved function goes on with the distributions that it was made with, whoever else claims their components' names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import functory
from functory import errors
from functory.artefact.checking import read_manifest
from functory.artefact.members import MANIFEST
from functory.artefact.opening import verify
from functory.artefact.sealing import write_digest
from functory.cli import main
from functory.plugins import registry as plugins
from functory.plugins.claims import reference_to
from functory.using.packaging import needs

pytest.importorskip("torch", reason="pip install functory-torch")

from functory_sdk.testing.toybox import kit, toy_function

NAMES = {"tasks": "toy", "backbones": "tiny-encoder", "adaptations": "toy-head", "engines": "torch"}
OWNERS = {"tasks": "functory-sdk", "backbones": "functory-sdk", "adaptations": "functory-sdk", "engines": "functory-torch"}


@pytest.fixture(scope="module")
def saved(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with kit():
        yield toy_function().save(tmp_path_factory.mktemp("functions") / "toy")


def install(folder: Path, distribution: str, names: dict[str, str]) -> None:
    """Install a distribution that gives components whose module is not there: none may be imported."""
    metadata = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = ["[functory.contract]", "1 = nothing:CONTRACT"]
    for kind, name in names.items():
        lines += [f"[functory.{kind}]", f"{name} = no_such_module:Rival"]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def rivals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution that claims every name that the function needs."""
    install(tmp_path / "site", "rival", NAMES)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    plugins.refresh()
    yield
    monkeypatch.undo()
    plugins.refresh()


def forged(folder: Path, target: Path, distribution: str) -> Path:
    """Return a copy of a function whose task came with another distribution."""
    copy = Path(shutil.copytree(folder, target))
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    manifest["task"]["distribution"] = distribution
    (copy / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    write_digest(copy)
    return copy


def test_the_manifest_keeps_who_gave_each_component(saved: Path) -> None:
    manifest = read_manifest(saved)
    [form] = manifest.forms
    kept = {"tasks": manifest.task, "backbones": form.backbone, "adaptations": form.adaptation, "engines": form.engine}
    assert {kind: one.distribution for kind, one in kept.items()} == OWNERS
    assert {one.version for one in kept.values()} == {functory.__version__}


def test_a_saved_function_is_not_lost_to_a_plugin_that_claims_its_names(
    saved: Path, rivals: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind, name in NAMES.items():
        with pytest.raises(errors.AmbiguousComponent):
            plugins.find(kind, name)
    function = functory.load(saved)
    again = functory.load(function.save(tmp_path / "again"))
    assert again("we saw the good film") == function("we saw the good film") == toy_function()("we saw the good film")
    assert read_manifest(tmp_path / "again").forms == read_manifest(saved).forms
    assert verify(saved).task.distribution == "functory-sdk"
    assert not any("rival" in one for one in needs(saved).required)
    assert main(["run", str(saved), "we saw the good film"]) == 0
    assert "yes" in capsys.readouterr().out


def test_a_component_whose_distribution_is_gone_is_asked_for_by_its_line(saved: Path, tmp_path: Path) -> None:
    copy = forged(saved, tmp_path / "toy", "functory-toys")
    told = "'toy' of functory-toys, which is not installed; here functory-sdk gives"
    with pytest.raises(errors.ForeignComponent, match=told) as caught:
        functory.load(copy)
    assert caught.value.do.startswith("pip install functory-toys;")
    assert isinstance(caught.value, errors.UnknownComponent)


def test_a_component_that_nobody_gives_names_what_would_bring_it() -> None:
    with pytest.raises(errors.UnknownComponent, match="no task named 'poem'") as caught:
        reference_to("tasks", "poem", "functory-poems")
    assert "it comes with functory-poems: pip install functory-poems" in caught.value.do


def test_a_reference_stays_as_short_as_it_may_be(rivals: None) -> None:
    assert reference_to("tasks", "toy", "") == "toy"
    assert reference_to("tasks", "file:Toy", "rival") == "file:Toy"
    assert reference_to("tasks", "ner", "functory-ner") == "ner"
    assert reference_to("engines", "torch", "functory-torch") == "functory-torch:torch"
    assert reference_to("engines", "rival:torch", "functory-torch") == "rival:torch"


def test_a_backbone_keeps_its_place_beside_its_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "rival", {"backbones": "hf"})
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins.refresh()
    try:
        for given in ("hf:./folder", "./folder"):
            reference = reference_to("backbones", given, "functory-huggingface")
            assert reference == "functory-huggingface:hf:./folder"
        found = plugins.parse(reference)
        assert (found.name, found.place, found.distribution) == ("hf", "./folder", "functory-huggingface")
    finally:
        monkeypatch.undo()
        plugins.refresh()

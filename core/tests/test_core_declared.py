"""What a backbone says of itself is listed without importing it, whatever its file holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functory.cli import main
from functory.machine.declared import declared_in
from functory.plugins import registry as plugins

FACTS = {
    "architecture": "encoder", "family": "bert", "parameters": 23_000_000, "languages": ["en", "zh"], "context": 512,
    "licence": "MIT", "bytes": 91_000_000, "weights": {"package": "acme_weights", "file": "model/m.bin", "cache": "acme-m"},
}  # fmt: skip


def backbone(site: Any, told: object) -> Path:
    """Install a backbone whose module ends the process when it is imported; return the folder of its package."""
    site.add("acme-thing", {"backbones": {"thing": "Thing"}}, "import os\nos._exit(3)")
    [entry] = [one for one in plugins.entries("backbones") if one.name == "thing"]
    package = Path(entry.metadata).parent / entry.value.partition(":")[0].partition(".")[0]
    package.mkdir(exist_ok=True)
    (package / "backbones.json").write_text(told if isinstance(told, str) else json.dumps(told))
    return package


def test_a_list_tells_what_a_backbone_says_of_itself_and_whether_it_is_here(
    site: Any, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = backbone(site, {"thing": FACTS})
    assert main(["list", "--kind", "backbones"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split("  ")[-1].strip() == "no"
    weights = package.parent / "acme_weights/model/m.bin"
    weights.parent.mkdir(parents=True)
    weights.touch()
    assert main(["list", "--kind", "backbones"]) == 0
    row = capsys.readouterr().out.splitlines()[-1]
    assert row.split() == ["thing", "encoder", "(bert)", "23", "M", "en,", "zh", "512", "tokens", "MIT", "91.0", "MB", "yes"]
    assert main(["list", "--kind", "backbones", "--json"]) == 0
    [told] = [one for one in json.loads(capsys.readouterr().out) if one["name"] == "thing"]
    assert (told["facts"]["parameters"], told["facts"]["is_here"]) == (23_000_000, True)
    weights.unlink()
    converted = cache / "weights/acme-m-1f0c-v1/converted.json"
    converted.parent.mkdir(parents=True)
    converted.touch()
    assert main(["list", "--kind", "backbones"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("yes")


@pytest.mark.parametrize(
    "told",
    ["", "no JSON", "[1]", "[" * 100_000, '{"other": {}}', '{"thing": 3}', '{"thing": null}', " " * 300_000, "\x00"],
)
def test_a_file_that_tells_nothing_is_passed_over(told: str, site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    backbone(site, told)
    assert main(["list", "--kind", "backbones"]) == 0
    assert "thing" in capsys.readouterr().out


def test_what_is_no_such_fact_is_left_out_and_nothing_elsewhere_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").touch()
    odd = {
        "architecture": "giant", "family": 3, "parameters": -1, "languages": "en", "context": True, "licence": ["MIT"],
        "bytes": 1.5, "weights": {"package": "..", "file": str(tmp_path / "weights.bin"), "cache": "../.."},
    }  # fmt: skip
    (tmp_path / "backbones.json").write_text(json.dumps({"thing": odd}))
    found = declared_in(str(tmp_path), "thing")
    assert found is not None
    assert (found.architecture, found.family, found.parameters, found.languages) == ("", "", 0, ())
    assert (found.context, found.licence, found.bytes, found.is_here) == (0, "", 0, False)
    assert declared_in(str(tmp_path), "") == found


@pytest.mark.parametrize(
    ("named", "found"),
    [("acme_weights", "acme_weights"), ("acme.weights", "acme.weights"), ("a b", ""), ("x\nRequires-Dist: y", ""), (3, "")],
)
def test_the_package_of_weights_is_a_packages_name_or_nothing(named: object, found: str, tmp_path: Path) -> None:
    (tmp_path / "backbones.json").write_text(json.dumps({"thing": {"weights": {"package": named, "file": "m.bin"}}}))
    told = declared_in(str(tmp_path), "thing")
    assert told is not None
    assert told.carrier == found

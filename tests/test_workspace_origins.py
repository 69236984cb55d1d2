"""`scripts/origins.py`: what was built from source is told from what came as a wheel, by pip's own report."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
REPORT = [
    ("A_Wheel", {"url": "https://index/a_wheel-1.0-py3-none-any.whl#sha256=0", "archive_info": {}}),
    ("near", {"url": "file:///wheels/near-1.0+cpu-cp311-cp311-linux_x86_64.whl"}),
    ("archive", {"url": "https://index/archive-1.0.tar.gz", "archive_info": {}}),
    ("functory", {"url": "file:///tree/core", "dir_info": {"editable": True}}),
    ("branch", {"url": "https://forge/branch.git", "vcs_info": {"vcs": "git"}}),
]


@pytest.fixture
def origins(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.delitem(sys.modules, "workspace", raising=False)
    spec = importlib.util.spec_from_file_location("origins_under_test", ROOT / "scripts/origins.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("workspace", None)


def test_the_report_of_each_installation_is_added_to_what_is_noted(origins: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    for name, download in REPORT:
        item = {"metadata": {"name": name}, "download_info": download}
        report.write_text(json.dumps({"install": [item]}), encoding="utf-8")
        origins.note(tmp_path, report)
    assert origins.read(tmp_path) == {
        "a-wheel": "wheel", "near": "wheel", "archive": "source", "functory": "workspace", "branch": "source",
    }  # fmt: skip


def test_what_was_built_and_stands_on_no_list_is_a_fault_and_so_is_what_no_one_installed(origins: ModuleType) -> None:
    found = {"a": "1.0", "b": "2.0", "c": "3.0"}
    noted = {"a": "wheel", "b": "source"}
    assert origins.faults_of(found, noted, {}) == [
        "c 3.0 came with none of setup's installations", "b 2.0 was built from a source archive, and stands on no list"
    ]  # fmt: skip
    del found["c"]
    assert origins.faults_of(found, noted, {"B": "no one makes a wheel of it"}) == []
    assert origins.summary(found, noted, {"b": "no one makes a wheel of it"}) == [
        "2 distributions: 1 came as wheels, 0 are this workspace's own, 1 built from a source archive",
        "built: b 2.0: no one makes a wheel of it",
    ]

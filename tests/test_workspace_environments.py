"""`scripts/environments.py`: environments of their own, declared where they are needed and made on demand."""

from __future__ import annotations

import importlib.util
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]
MARK = re.compile(r'pytest\.mark\.peer\(name="([^"]+)"\)')


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Give the script, with a place of its own and nothing installed."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.delitem(sys.modules, "workspace", raising=False)
    spec = importlib.util.spec_from_file_location("environments_under_test", ROOT / "scripts/environments.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where dataclasses look for it
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PLACE", tmp_path)
    yield module
    sys.modules.pop("workspace", None)


INHERITED = {"PipelineChecks": "transformers4"}
"""Checks of the SDK that name a peer for whoever derives from them."""


def test_every_peer_that_a_test_names_is_declared_beside_it_and_every_one_declared_is_used(
    environments: ModuleType,
) -> None:
    for distribution in environments.installed(ROOT):
        files = (ROOT / distribution.folder / "tests").glob("**/*.py")
        texts = [file.read_text(encoding="utf-8") for file in files]
        named = {name for text in texts for name in MARK.findall(text)}
        named |= {name for checks, name in INHERITED.items() if any(f"({checks})" in text for text in texts)}
        assert named == set(environments.peers(distribution)), distribution.folder


def test_an_environment_is_made_once_and_again_when_what_it_is_made_from_changes(
    environments: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[list[str]] = []
    monkeypatch.setattr(environments, "install", lambda python, requirements: installed.append(requirements))
    monkeypatch.setattr(environments, "known", lambda: {"p": ["one"]})
    assert environments.environment("p").is_file()
    environments.environment("p")
    assert installed == [["one"]]
    monkeypatch.setattr(environments, "known", lambda: {"p": ["one", "two"]})
    python = environments.environment("p")
    assert installed == [["one"], ["one", "two"]]
    code = "import functory, sys; print(functory.__file__, sys.prefix)"
    told = environments.subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == [str(ROOT / "core/src/functory/__init__.py"), str(environments.PLACE / "p")]


def test_a_peer_that_no_one_declares_is_refused_with_those_there_are(environments: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"(?s)none named 'ggml'.*do: choose among .*gguf"):
        environments.environment("ggml")


def test_a_peer_that_pins_its_version_is_not_bound_by_the_workspaces(environments: ModuleType) -> None:
    pins = "# numbers\ntorch==2.13.0\nhuggingface_hub==2.4.0\ntransformers==5.23.0\n"
    bound = environments.constraints(pins, ["transformers==4.57.6", "Huggingface-Hub==0.36.2", "torch", "sentencepiece"])
    assert bound == "# numbers\ntorch==2.13.0\n"
    assert environments.constraints(pins, ["transformers>=4"]) == pins


@pytest.mark.parametrize(("in_ci", "passes"), [("", True), ("true", False)])
def test_a_peers_skipped_test_is_a_failure_in_ci_alone(
    environments: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_ci: str, passes: bool
) -> None:
    """What pip does not bring, a browser, may be missing on a person's machine; CI has it."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho '1 passed, 1 skipped in 0.1s'\n")
    python.chmod(0o755)
    monkeypatch.setattr(environments, "environment", lambda name: python)
    monkeypatch.setenv("CI", in_ci)
    assert (environments.tested(environments.installed(ROOT)[0], "p").outcome == environments.PASSED) is passes


def test_peers_are_tested_several_at_a_time_each_is_told_whole_and_what_failed_last(
    environments: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    together = Barrier(2, timeout=60)
    for name, code in (("good", 0), ("bad", 1)):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} one\nsleep 0.1\necho {name} two >&2\nexit {code}\n")
        (tmp_path / name).chmod(0o755)

    def environment(name: str) -> Path:
        if name == "gone":
            raise SystemExit("pip could not install it.")
        together.wait()  # nobody comes by alone
        return tmp_path / name

    monkeypatch.setattr(environments, "environment", environment)
    ours = SimpleNamespace(name="ours", folder=".")
    assert environments.all_tested([(ours, name) for name in ("bad", "good", "gone")], 2) == 1
    told = capsys.readouterr()
    for name in ("good", "bad"):
        assert f"== ours beside {name}\n{name} one\n{name} two\n" in told.out
    assert "== ours beside gone\npip could not install it.\n" in told.out
    last = [re.sub(r"\d+ s", "N s", line) for line in told.err.splitlines()[-3:]]
    assert last == [
        "peers: passed, N s: ours beside good",
        "peers: failed with 1, N s: ours beside bad",
        "peers: failed for want of its environment, N s: ours beside gone",
    ]
    monkeypatch.setattr(environments, "environment", lambda name: tmp_path / name)
    assert environments.all_tested([(ours, "good")], 1) == 0


def test_one_environment_is_made_once_for_all_who_ask_for_it_at_the_same_time(
    environments: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[list[str]] = []

    def install(python: Path, requirements: list[str]) -> None:
        time.sleep(0.2)  # as long as another needs to ask
        installed.append(requirements)

    monkeypatch.setattr(environments, "install", install)
    monkeypatch.setattr(environments, "known", lambda: {"p": ["one"]})
    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(environments.environment, "ppp"))) == 1
    assert installed == [["one"]]

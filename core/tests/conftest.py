"""A folder on `sys.path` with made-up distributions: their metadata as pip leaves it, and their modules."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from functory.plugins import registry as plugins

GOOD = """
from functory.contracts.packager import Packager

class Thing(Packager):
    "Does a small thing.\\n\\nAnd says no more."

    paper = "Nobody 2020"
    examples = ("functory thing",)

    def package(self, artefact, name, target):
        return []
"""
"""A packager: the smallest contract."""


class Site:
    """A folder of distributions.

    :param folder: an empty folder; whoever uses it puts it on the path.
    """

    good = GOOD

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self,
        distribution: str,
        groups: Mapping[str, Mapping[str, str]],
        source: str | None = GOOD,
        *,
        version: str = "1.0",
        contract: str | None = "1",
    ) -> Path:
        """Install a distribution whose module is its name with underscores; return the metadata's folder."""
        module = distribution.replace("-", "_")
        metadata = self.folder / f"{module}-{version}.dist-info"
        metadata.mkdir()
        summary = f"The summary of {distribution}"
        header = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\nSummary: {summary}\n"
        (metadata / "METADATA").write_text(header)
        lines = []
        for kind, names in groups.items():
            lines.append(f"[functory.{kind}]")
            lines += [f"{name} = {module}:{attribute}" for name, attribute in names.items()]
        if contract is not None:
            lines += ["[functory.contract]", f"{contract} = functory_sdk:CONTRACT"]
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
        if source is not None:
            (self.folder / f"{module}.py").write_text(source)
        return metadata

    def run(self, *arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``functory …``, or Python code, in a new process that has this site."""
        command = ["-c", code] if code else ["-m", "functory", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        return subprocess.run(
            [sys.executable, *command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="session")
def sites() -> type[Site]:
    """What makes a site in a folder that lasts longer than one test."""
    return Site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site that is first on `sys.path`; what it brought is forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    plugins.refresh()
    yield Site(folder)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
    plugins.refresh()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FUNCTORY_CACHE", str(folder))
    monkeypatch.setenv("FUNCTORY_LOGS", str(tmp_path / "logs"))
    monkeypatch.delenv("FUNCTORY_DEBUG", raising=False)
    return folder


BROKEN = {
    "raises": ("1 / 0", "1"),
    "missing-dependency": ("import a_library_that_nobody_has", "1"),
    "exits": ("import sys\nsys.exit(3)", "1"),
    "exits-hard": ("import os\nos._exit(5)", "1"),
    "crashes": ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "1"),
    "hangs": ("import time\n\nwhile True:\n    time.sleep(1)", "1"),
    "prints": (f"print('hello from a plugin')\n{GOOD}", "1"),
    "no-such-class": ("Other = 1", "1"),
    "not-a-subclass": ("class Thing: pass", "1"),
    "abstract": ("from functory.contracts.packager import Packager\nclass Thing(Packager): pass", "1"),
    "other-contract": (GOOD, "99"),
}
"""For each diagnosis, the source of a plugin that has it, and the contract version that it says it speaks."""


@pytest.fixture
def broken(site: Site) -> Site:
    """A site with one plugin for each diagnosis, ``bad-<diagnosis>``, beside a good one and its twin."""
    site.add("functory-good", {"packagers": {"good": "Thing", "twice": "Thing"}})
    site.add("functory-twin", {"packagers": {"twice": "Thing"}})
    for diagnosis, (source, contract) in BROKEN.items():
        site.add(f"bad-{diagnosis}", {"packagers": {diagnosis: "Thing"}}, source, contract=contract)
    site.add("bad-no-such-module", {"packagers": {"no-such-module": "Thing"}}, None)
    unreadable = site.add("bad-unreadable-metadata", {"packagers": {"unreadable": "Thing"}})
    (unreadable / "entry_points.txt").write_bytes(b"[functory.packagers]\nunreadable = \xff\xfe:Thing\n")
    plugins.refresh()
    return site

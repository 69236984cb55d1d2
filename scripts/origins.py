"""Where everything in .venv came from: a wheel, a source archive that was built here, or this workspace.

`bootstrap.py` notes it from pip's own report of each installation; ``python scripts/origins.py`` says it, and fails at
whatever was built and does not stand in `[tool.functory.source-only]`, or came by no one knows what way.
Standard library only, as `bootstrap.py` is.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workspace import ROOT, source_only

HOW = {"wheel": "came as wheels", "workspace": "are this workspace's own", "source": "built from a source archive"}
NOTED = "functory-origins.json"
"""In the environment: the origin of each distribution, by its normalised name."""


def main() -> int:
    """Say where the distributions of .venv came from; return 1 where one should not be there."""
    venv = ROOT / ".venv"
    noted, built = read(venv), source_only(ROOT)
    found = installed_in(venv)
    faults = faults_of(found, noted, built)
    for line in (*summary(found, noted, built), *(f"wrong: {fault}" for fault in faults)):
        print(f"origins: {line}", flush=True)
    if faults:
        print(
            "  do: ask for a version that comes as a wheel, or name it with the reason in pyproject.toml, "
            "[tool.functory.source-only].",
            file=sys.stderr,
        )
    return 1 if faults else 0


def note(venv: Path, report: Path) -> None:
    """Add what pip's report of an installation says to what an environment's file holds."""
    items = json.loads(report.read_text(encoding="utf-8"))["install"]
    found = {normal(item["metadata"]["name"]): origin(item["download_info"]) for item in items}
    (venv / NOTED).write_text(json.dumps({**read(venv), **found}, indent=1, sort_keys=True), encoding="utf-8")


def read(venv: Path) -> dict[str, str]:
    """Return what an environment's file holds; nothing where there is none."""
    try:
        noted: dict[str, str] = json.loads((venv / NOTED).read_text(encoding="utf-8"))
    except OSError:
        return {}
    return noted


def origin(download: Mapping[str, Any]) -> str:
    """Return ``workspace``, ``wheel`` or ``source``, from the `download_info` of pip's report.

    A wheel that pip built, now or once and kept in its cache, has the address of its source archive.
    """
    if "dir_info" in download:
        return "workspace"
    return "wheel" if urlsplit(download["url"]).path.endswith(".whl") else "source"


def installed_in(venv: Path) -> dict[str, str]:
    """Return the version of each distribution of an environment, by its normalised name."""
    code = "import json; from importlib.metadata import distributions as all; "
    code += "print(json.dumps({d.metadata['Name']: d.version for d in all()}))"
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    told = subprocess.run([str(python), "-I", "-c", code], capture_output=True, check=True, text=True).stdout
    return {normal(name): version for name, version in json.loads(told).items()}


def summary(found: Mapping[str, str], noted: Mapping[str, str], built: Mapping[str, str]) -> list[str]:
    """Return what there is to say: how many came how, and each that was built, with its reason."""
    count = {kind: [name for name in found if noted.get(name) == kind] for kind in ("wheel", "workspace", "source")}
    numbers = ", ".join(f"{len(count[kind])} {what}" for kind, what in HOW.items())
    reasons = [f"built: {name} {found[name]}: {built.get(name, 'no reason is known')}" for name in count["source"]]
    return [f"{len(found)} distributions: {numbers}", *reasons]


def faults_of(found: Mapping[str, str], noted: Mapping[str, str], built: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the distributions of an environment, a sentence each."""
    strange = [f"{name} {found[name]} came with none of setup's installations" for name in found if name not in noted]
    made = [name for name in found if noted.get(name) == "source" and name not in {normal(one) for one in built}]
    return strange + [f"{name} {found[name]} was built from a source archive, and stands on no list" for name in made]


def normal(name: str) -> str:
    """Return a distribution's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    raise SystemExit(main())

"""What `functory new plugin` renders, for every kind: it builds, installs outside the tree, passes its tests, and can fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from functory import errors
from functory.cli import main
from functory.cli.new import render
from functory.machine.distributions import GROUPS

KINDS = [kind for kind in GROUPS if kind != "functions"]


def pytest_on(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Run a rendered project's tests with the plugin installed in `site`."""
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(folder / "tests")]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_rendered_builds_installs_passes_and_is_seen_to_fail(kind: str, tmp_path: Path) -> None:
    folder = render(kind, "wobble", tmp_path / "out", author="Ada Lovelace", licence="MIT")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    wheels = tmp_path / "wheels"
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(folder)], check=True)
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), *map(str, wheels.glob("*.whl"))], check=True)
    passed = pytest_on(folder, site)
    assert passed.returncode == 0, passed.stdout[-3000:]
    broken = site / "functory_wobble" / "component.py"
    broken.write_text(broken.read_text().replace("class Wobble", "class Wobbly", 1))
    failed = pytest_on(folder, site)
    assert failed.returncode in (1, 2), failed.stdout[-3000:]


def test_new_says_what_to_do_next_and_refuses_what_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cookiecutter")
    arguments = ["new", "plugin", "--kind", "samples", "--name", "parcels", "--output", str(tmp_path)]
    assert main(arguments) == 0
    assert "pytest" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "is there already" in capsys.readouterr().err
    with pytest.raises(errors.UsageError, match="'My Method' is not possible"):
        render("samples", "My Method", tmp_path, author="", licence="MIT")
    with pytest.raises(errors.NotSupported, match="functory package"):
        render("functions", "x", tmp_path, author="", licence="MIT")

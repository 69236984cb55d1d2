"""What `functory new plugin` renders, for every kind: it builds, installs outside the tree, passes its tests, and can fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from functory import errors
from functory.cli import main
from functory.cli.new import LIKE, render
from functory.machine.distributions import GROUPS

APART = ("forms", "functions", "verbs", "pipelines", "tasks")
KINDS = [(kind, "") for kind in GROUPS if kind not in APART] + [("tasks", like) for like in LIKE]
USE = """
import functory
from functory_sdk.testing import kit

like = {like!r}
with kit():
    if like == "writes":
        fn = functory.build(task="wobble", backbone="tiny-decoder")
        print(fn("a good day").tokens)
    else:
        fn = functory.build(task="wobble", train="examples.jsonl" if like == "spans" else "examples.csv", backbone="tiny-encoder")
        answer = fn(*["How was the film?", "The film was lovely."][: len(fn.task.shorthand)])
        print(answer.label if like != "spans" else answer.entities, fn.report.metric)
"""
"""What the author of a task does first: a function, and an answer."""


def installed(folder: Path, site: Path) -> None:
    """Build a rendered project's wheel by its own backend, and lay it into a folder: what pip does beyond is seen in
    `test_third_party`, and takes three times as long.
    """
    wheels = site.with_name("wheels")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(wheels)], cwd=folder, check=True)
    [wheel] = wheels.glob("*.whl")
    with ZipFile(wheel) as zipped:
        zipped.extractall(site)


def pytest_on(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Run a rendered project's tests with the plugin installed in `site`."""
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(folder / "tests")]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where mypy keeps what it has read of functory, of which each project needs the same."""
    return tmp_path_factory.mktemp("types")


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "like"), KINDS)
def test_what_is_rendered_builds_installs_passes_and_is_seen_to_fail(kind: str, like: str, tmp_path: Path, types: Path) -> None:
    folder = render(kind, "wobble", tmp_path / "out", author="Ada Lovelace", licence="MIT", like=like)
    site = tmp_path / "site"
    installed(folder, site)
    passed = pytest_on(folder, site)
    assert passed.returncode == 0, passed.stdout[-3000:]
    if like:
        environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
        typed = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(types), "src", "tests"]
        found = subprocess.run(typed, cwd=folder, env=os.environ, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout[-3000:]
        command = [sys.executable, "-c", USE.format(like=like)]
        used = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert used.returncode == 0, used.stderr[-3000:]
    broken = site / "functory_wobble" / "component.py"
    broken.write_text(broken.read_text().replace("class Wobble", "class Wobbly", 1))
    failed = pytest_on(folder, site)
    assert failed.returncode in (1, 2), failed.stdout[-3000:]


def test_new_says_what_to_do_next_and_refuses_what_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cookiecutter")
    arguments = ["new", "plugin", "--kind", "samples", "--name", "parcels", "--output", str(tmp_path)]
    assert main(arguments) == 0
    assert "pytest" in capsys.readouterr().out
    assert main([*arguments[:3], "tasks", "--like", "spans", "--name", "stretches", "--output", str(tmp_path)]) == 0
    assert "functory build --task stretches --train examples.jsonl" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "is there already" in capsys.readouterr().err
    with pytest.raises(errors.UsageError, match="'My Method' is not possible"):
        render("samples", "My Method", tmp_path, author="", licence="MIT")
    with pytest.raises(errors.NotSupported, match="functory package"):
        render("functions", "x", tmp_path, author="", licence="MIT")


@pytest.mark.parametrize("like", LIKE)
def test_a_tasks_template_is_short_and_says_what_it_is_like(like: str, tmp_path: Path) -> None:
    pytest.importorskip("cookiecutter")
    folder = render("tasks", "wobble", tmp_path, author="Ada Lovelace", licence="MIT", like=like)
    source = (folder / "src" / "functory_wobble" / "component.py").read_text(encoding="utf-8")
    compile(source, "component.py", "exec")
    assert source.startswith(f'"""The task: {LIKE[like]}.')
    assert sum(bool(line.strip()) for line in source.splitlines()) <= 40
    assert not (folder / "_kinds").exists()
    assert "{{" not in (folder / "README.md").read_text(encoding="utf-8")


def test_like_is_for_tasks_and_labels_where_nothing_is_said(tmp_path: Path) -> None:
    pytest.importorskip("cookiecutter")
    with pytest.raises(errors.UsageError, match="the kind is samples"):
        render("samples", "wobble", tmp_path, author="", licence="MIT", like="pairs")
    folder = render("tasks", "wobble", tmp_path, author="", licence="MIT")
    assert "one text, one label" in (folder / "src" / "functory_wobble" / "component.py").read_text(encoding="utf-8")

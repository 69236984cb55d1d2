"""constraints.txt: every line holds something that is asked for, and all that is asked for by name is held."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
NOT_ASKED_FOR = {"setuptools": "builds what exists as a source archive only, in isolation"}
"""What is pinned although no one requires it, each with the reason."""


@pytest.fixture(scope="module")
def asked() -> set[Requirement]:
    """What the workspace asks for by name: its distributions, groups, packages of weights or text, and peers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        patch.delitem(sys.modules, "workspace", raising=False)
        from workspace import installed
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = [line for group in settings["dependency-groups"].values() for line in group]
    lines += peers(settings["tool"]["functory"])
    for distribution in installed(ROOT):
        project = distribution.data["project"]
        lines += project.get("dependencies", [])
        lines += [line for extra in project.get("optional-dependencies", {}).values() for line in extra]
        lines += distribution.settings.get("weights", []) + peers(distribution.settings)
    found = {Requirement(line) for line in lines}
    return {one for one in found if not one.name.startswith(("functory", "acme-"))}


def peers(settings: dict) -> list[str]:
    return [line for lines in settings.get("peers", {}).values() for line in lines]


def pinned() -> set[str]:
    lines = [
        line.partition("#")[0].strip() for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    ]
    return {canonicalize_name(Requirement(line).name) for line in lines if line}


def closure(wanted: Iterable[Requirement]) -> set[str]:
    """Return the names of requirements, and of what those of them that are installed here require in turn."""
    seen: set[tuple[str, str]] = set()
    todo = [(canonicalize_name(one.name), extra) for one in wanted for extra in ("", *one.extras)]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += needs(*one)
    return {name for name, _ in seen}


def needs(name: str, extra: str) -> Iterator[tuple[str, str]]:
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        return
    for need in map(Requirement, lines):
        if need.marker is None or need.marker.evaluate({"extra": extra}):
            yield from ((canonicalize_name(need.name), further) for further in ("", *need.extras))


def test_every_pin_is_of_something_that_is_asked_for_or_comes_along(asked: set[Requirement]) -> None:
    assert pinned() - closure(asked) - NOT_ASKED_FOR.keys() == set()


def test_all_that_is_asked_for_by_name_is_pinned(asked: set[Requirement]) -> None:
    assert {canonicalize_name(one.name) for one in asked} - pinned() == set()


def test_every_package_that_may_be_built_from_source_is_asked_for(asked: set[Requirement]) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["functory"]
    assert settings["source-only"].keys() <= {canonicalize_name(one.name) for one in asked}
    assert all(reason for reason in settings["source-only"].values())

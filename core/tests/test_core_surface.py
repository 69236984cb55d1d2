"""What functory shows to the outside: the names of the package, and the verbs of the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import functory
from functory.cli import SUMMARIES, main
from functory.plugins import registry as plugins


def test_the_stub_and_the_lazy_package_list_the_same_names() -> None:
    stub = Path(functory.__file__).with_suffix(".pyi").read_text()
    imported = set(re.findall(r"import \w+ as (\w+)", stub)) | {"__version__"}
    assert imported == set(functory.__all__) == set(dir(functory)) == {*functory._PUBLIC, "__version__"}
    assert all(repr(name).replace("'", '"') in stub for name in functory.__all__)


def test_every_public_name_is_there_and_build_stays_the_function_whatever_was_imported_first() -> None:
    import functory.build

    assert callable(functory.build)
    assert functory.build.__module__ == "functory.build"
    for name in functory.__all__:
        assert getattr(functory, name) is not None
    with pytest.raises(AttributeError, match="its names: Comparison, Function, Recipe"):
        functory.bild  # noqa: B018


def own_verbs() -> list[str]:
    """The verbs that the core's metadata announces."""
    return [entry.name for entry in plugins.entries("commands") if entry.distribution == "functory"]


def test_what_help_says_of_the_cores_verbs_is_what_each_says_itself() -> None:
    assert {name: plugins.load("commands", name).help for name in own_verbs()} == SUMMARIES


def test_every_verb_of_the_core_has_an_example_in_its_help_and_takes_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in own_verbs():
        assert main([name, "--help"]) == 0
        out = capsys.readouterr().out
        assert "functory " in out.partition("\nexample:\n")[2]
        assert "--json" in out

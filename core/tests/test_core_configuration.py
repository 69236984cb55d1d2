"""The user's configuration names hooks that take part everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from functory import errors
from functory.machine import configuration


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FUNCTORY_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path / "config.toml"


def test_without_a_configuration_no_hook_takes_part(file: Path) -> None:
    assert configuration.hooks() == ()


def test_hubs_are_asked_for_no_saved_function_but_those_that_the_user_names(file: Path) -> None:
    from functory.running.backbones import Whereabouts

    assert not Whereabouts().may_fetch("hf:org/name")
    assert Whereabouts(hubs=("hf",)).may_fetch("hf:org/name")
    file.write_text('hubs = ["other"]\n')
    assert not Whereabouts().may_fetch("hf:org/name")
    file.write_text('hubs = ["hf"]\n')
    assert Whereabouts().may_fetch("hf:org/name")


def test_configured_hooks_are_looked_up_by_every_step(file: Path) -> None:
    from functory.steps import Steps

    file.write_text('hooks = ["nobody-has-this"]\n')
    assert configuration.hooks() == ("nobody-has-this",)
    with pytest.raises(errors.UnknownComponent, match="no hook named 'nobody-has-this'"):
        Steps()


@pytest.mark.parametrize(
    ("text", "message"), [("hooks = 3", "hooks is no list of names"), ("hoks = []", "no 'hoks'"), ("hooks = [", "no TOML")]
)
def test_a_wrong_configuration_is_told_with_its_file(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(errors.UsageError, match=rf"(?s){message}.*config\.toml"):
        configuration.hooks()

"""The user's configuration names hooks that take part everywhere."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from functory import errors
from functory.machine import configuration, places, trimming


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


def test_a_home_that_is_no_folder_or_anothers_has_no_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FUNCTORY_CONFIG", raising=False)
    (tmp_path / "null").touch()
    monkeypatch.setattr(configuration, "config", lambda: tmp_path / "null" / ".config" / "functory")
    assert configuration.hooks() == ()
    assert capsys.readouterr().err == ""  # as usual as none

    def denied(self: Path, **how: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(configuration, "config", lambda: tmp_path / "another's")
    monkeypatch.setattr(configuration, "read_written", denied)
    monkeypatch.setattr(Path, "stat", denied)
    assert configuration.hooks() == configuration.hubs() == ()
    assert capsys.readouterr().err.count("is out of reach: access is denied; going on without.") == 1


def test_a_configuration_that_is_there_or_was_named_and_cannot_be_read_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FUNCTORY_CONFIG", str(tmp_path / "null" / "config.toml"))
    (tmp_path / "null").touch()
    with pytest.raises(errors.UsageError, match="cannot be read: a part of the path is a file"):
        configuration.hooks()
    monkeypatch.delenv("FUNCTORY_CONFIG")
    monkeypatch.setattr(configuration, "config", lambda: tmp_path)
    (tmp_path / "config.toml").mkdir()  # it may name a hook that guards
    with pytest.raises(errors.UsageError, match="cannot be read"):
        configuration.hooks()


def test_where_observers_write_can_be_named_in_anothers_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def denied(self: Path, **how: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setenv("FUNCTORY_LOGS", str(tmp_path))
    monkeypatch.setattr(Path, "stat", denied)
    assert places.new_log("it").parent == tmp_path
    assert trimming.is_free(tmp_path / "another's")

"""Wrong calls and wrong folders meet errors of the tree: what, where, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from functory import errors
from functory.composite import compose
from functory.machine.folders import files_of


def test_a_link_in_a_folder_that_is_kept_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("x")
    (tmp_path / "elsewhere").symlink_to(tmp_path / "weights")
    with pytest.raises(errors.ArtefactUnsafe, match="elsewhere is a link or a special file") as caught:
        files_of(tmp_path)
    assert caught.value.where == str(tmp_path)
    assert caught.value.do


def test_what_is_no_task_is_not_composed() -> None:
    with pytest.raises(errors.UsageError, match="42 is no task"):
        compose(42)  # type: ignore[arg-type]

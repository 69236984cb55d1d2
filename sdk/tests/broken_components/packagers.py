"""Packagers that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

import itertools
from pathlib import Path

from functory_sdk import NoOptions, Packager

counter = itertools.count(1)


class Dated(Packager[NoOptions]):
    """Writes something else each time, and more than it says."""

    def package(self, artefact: Path, name: str, target: Path) -> list[Path]:
        target.mkdir(parents=True, exist_ok=True)
        (target / "left-behind").touch()
        (target / name).write_text(str(next(counter)))
        return [target / name]

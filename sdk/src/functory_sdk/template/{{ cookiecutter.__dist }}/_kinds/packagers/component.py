"""The contract: a verified artefact → files, the same bytes each time."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from functory_sdk import NoOptions, Packager


class {{ cookiecutter.__class }}(Packager[NoOptions]):
    """Writes the artefact as one zip file."""

    def package(self, artefact: Path, name: str, target: Path) -> list[Path]:
        target.mkdir(parents=True, exist_ok=True)
        made, half = target / f"{name}.zip", target / f".{name}.zip"
        try:
            with zipfile.ZipFile(half, "w") as archive:
                for file in sorted(path for path in artefact.rglob("*") if path.is_file()):
                    about = zipfile.ZipInfo(f"{name}/{file.relative_to(artefact).as_posix()}", (1980, 1, 1, 0, 0, 0))
                    archive.writestr(about, file.read_bytes())
            os.replace(half, made)
        finally:
            half.unlink(missing_ok=True)
        return [made]

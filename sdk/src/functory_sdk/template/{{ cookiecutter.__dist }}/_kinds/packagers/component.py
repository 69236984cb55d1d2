"""The contract: a verified artefact → files, the same bytes each time."""

from __future__ import annotations

import zipfile
from pathlib import Path

from functory_sdk import NoOptions, Packager, file_written_whole


class {{ cookiecutter.__class }}(Packager[NoOptions]):
    """Writes the artefact as one zip file."""

    def package(self, artefact: Path, name: str, target: Path) -> list[Path]:
        made = target / f"{name}.zip"
        with file_written_whole(made) as half, zipfile.ZipFile(half, "w") as archive:
            for file in sorted(path for path in artefact.rglob("*") if path.is_file()):
                about = zipfile.ZipInfo(f"{name}/{file.relative_to(artefact).as_posix()}", (1980, 1, 1, 0, 0, 0))
                archive.writestr(about, file.read_bytes())
        return [made]

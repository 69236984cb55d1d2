"""The contract: a saved function → a wheel that is itself a plugin."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from functory_sdk import Options, Packager, needs, read_manifest
from functory_wheel.archive import write
from functory_wheel.metadata import information
from functory_wheel.names import check_free, names_of
from functory_wheel.source import FOLDER, sources

OWN = ("function.json", "function.json.sha256")
"""The manifest and its digest, which no manifest lists."""


class WheelOptions(Options):
    """Options of the wheel packager."""

    compress: bool = Field(
        True,
        description="Deflate the files. Without it the wheel is larger, and its bytes do not depend on the zlib "
        "that this Python was built with.",
    )


class Wheel(Packager[WheelOptions]):
    """Makes a wheel with a typed import package, which pip installs and functory finds by name."""

    paper = "Holth 2012, The Wheel Binary Package Format 1.0 (PEP 427)"
    examples = (
        "functory package sentiment/ --name my-sentiment",
        "functory package sentiment/ --name my-sentiment --output dist --set compress=false",
    )

    def package(self, artefact: Path, name: str, target: Path) -> list[Path]:
        manifest = read_manifest(artefact)
        names = names_of(name, manifest.version)
        check_free(names)
        files = {f"{names.module}/{path}": text.encode() for path, text in sources(names, manifest).items()}
        members = {
            f"{names.module}/{FOLDER}/{path}": artefact / path for path in (*OWN, *sorted(manifest.members))
        }
        card = (artefact / "README.md").read_text(encoding="utf-8")
        files |= information(names, manifest, needs(artefact), card)
        return [write(target, names, files, members, compress=self.options.compress)]

"""The contract: a saved function → a folder from which any OCI builder makes an image that serves it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from pydantic import Field

from functory_container.containerfile import IGNORED, containerfile
from functory_container.locking import Locked, hash_of, indexed, locked, name_of
from functory_sdk import Options, Packager, UsageError, file_written_whole, load

WHEELS = "wheels"
"""The folder of the wheels that the image installs from."""


class ContainerOptions(Options):
    """Options of the container packager."""

    wheels: str = Field(
        default="", description="A folder of wheels to install from: those that are needed are copied, and locked by hash."
    )
    index: bool = Field(
        default=False,
        description="Ask pip's index for the hashes of what no wheel at hand is of. Where one stays unknown, none is required.",
    )
    base: str = Field(
        default=f"python:{sys.version_info.major}.{sys.version_info.minor}-slim", pattern=r"^[\w.:/@-]+$",
        description="The image to begin with: of this version of Python, for which the requirements are locked; name it by its "
        "digest where the same bytes must come out.",
    )  # fmt: skip
    port: int = Field(default=8080, ge=1024, le=65535, description="The port that it is served at.")
    domains: tuple[str, ...] = Field(
        default=("*",), description="The names by which it is reached; any when *, since a container does not know its own."
    )


class Container(Packager[ContainerOptions]):
    """Makes a folder with a Containerfile, locked requirements and the function's wheel."""

    paper = "Open Container Initiative 2024, Image Format Specification 1.1"
    examples = (
        "functory package sentiment/ --method container --output image",
        "functory package sentiment/ --method container --output image --set wheels=dist --set index=true",
    )

    def package(self, artefact: Path, name: str, target: Path) -> list[Path]:
        options = self.options
        with tempfile.TemporaryDirectory() as place:
            [wheel] = load("packagers", "wheel").configure().package(artefact, name, Path(place))
            at_hand = [wheel, *_wheels(options.wheels)]
            found = locked(wheel, at_hand)
            if options.index:
                found = indexed(found)
            brought = [one.wheel for one in found if one.wheel is not None]
            made = [_copied(one, target / WHEELS / one.name) for one in brought]
        texts = {
            "Containerfile": containerfile(name_of(wheel), options.base, options.port, options.domains, found),
            "requirements.txt": _requirements(found),
            ".containerignore": IGNORED,
        }
        return [*(_written(target / path, text) for path, text in texts.items()), *made]


def _wheels(folder: str) -> list[Path]:
    """Return the wheels of a folder.

    :raises UsageError: when there are none.
    """
    found = sorted(Path(folder).glob("*.whl")) if folder else []
    if folder and not found:
        raise UsageError("there is no wheel in that folder.", where=folder, do="pip wheel --no-deps -w FOLDER DISTRIBUTION…")
    return found


def _requirements(found: list[Locked]) -> str:
    lines = ["# What the image installs, as it was where the function was packaged."]
    for one in found:
        hashes = "".join(f" \\\n    --hash=sha256:{code}" for code in one.hashes)
        lines.append(f"{one.name}=={one.version}{hashes}")
    return "\n".join(lines) + "\n"


def _written(file: Path, text: str) -> Path:
    with file_written_whole(file) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return file


def _copied(wheel: Path, file: Path) -> Path:
    """Copy a wheel, and check that what was copied is what was locked."""
    before = hash_of(wheel)
    with file_written_whole(file) as part:
        shutil.copyfile(wheel, part)
        if hash_of(part) != before:
            raise UsageError("the wheel changed while it was copied.", where=str(wheel), do="package again.")
    return file

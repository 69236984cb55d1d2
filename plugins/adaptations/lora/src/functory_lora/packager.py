"""The contract: a saved function → a folder that PEFT reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from functory_lora.files import CARD, CONFIG, FILES, HEAD
from functory_sdk import ArtefactError, Options, Packager, file_written_whole


class PEFTOptions(Options):
    """Options of the peft packager."""

    base_model: str = Field(
        "",
        description="What transformers loads the backbone by, for adapter_config.json and the card; the hub id of a "
        "backbone from a hub if not given.",
    )


class PEFT(Packager[PEFTOptions]):
    """Writes a function's low-rank updates as a PEFT adapter, with the task's head and a card beside them."""

    is_installable: ClassVar[bool] = False
    paper: ClassVar[str] = "Mangrulkar et al. 2022, PEFT: State-of-the-art Parameter-Efficient Fine-Tuning methods"
    examples: ClassVar[tuple[str, ...]] = (
        "functory package sentiment/ --method peft --output adapter",
        "functory package sentiment/ --method peft --output adapter --set base_model=org/name",
    )

    def package(self, artefact: Path, name: str, target: Path) -> list[Path]:
        from functory_lora.export import exported

        _check_free(target)
        return write(target, exported(artefact, name, self.options.base_model))


def _check_free(target: Path) -> None:
    """Refuse a folder that holds anything but an adapter written here.

    :raises ArtefactError: naming the first such thing.
    """
    foreign = sorted({path.name for path in target.iterdir()} - set(FILES)) if target.is_dir() else []
    if foreign or (target.is_dir() and (target / CARD).exists() and not (target / CONFIG).exists()):
        raise ArtefactError(
            f"the folder holds something that is no adapter, {(foreign or [CARD])[0]}, and is left as it is.",
            where=str(target),
            do="name a new folder: --output adapter.",
        )


def write(target: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write the files into a folder, each whole or not at all, the configuration last; a head of before goes."""
    if HEAD not in files:
        (target / HEAD).unlink(missing_ok=True)
    written = []
    for name in sorted(files, key=lambda name: (name == CONFIG, name)):
        with file_written_whole(target / name) as part:
            part.write_bytes(files[name])
        written.append(target / name)
    return written

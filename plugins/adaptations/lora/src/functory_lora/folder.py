"""Opens an adapter's folder: safetensors and JSON, never a pickle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functory_lora.files import ABOUT, CONFIG, HEAD, WEIGHTS
from functory_sdk import Array, ArtefactCorrupt, ArtefactUnsafe, WeightsMissing, read_json
from functory_sdk.checkpoints import read_tensor, tensor_names


@dataclass(frozen=True)
class Folder:
    """An adapter's files, read.

    :param config: adapter_config.json.
    :param tensors: by their names in the file, float32.
    :param head: the head's tensors; empty where none lies beside.
    :param about: functory.json; empty for an adapter made elsewhere.
    """

    place: Path
    config: dict[str, Any]
    tensors: dict[str, Array]
    head: dict[str, Array]
    about: dict[str, Any]

    @property
    def base(self) -> str:
        """What the adapter says it was made for."""
        own = self.section("backbone").get("name")
        return str(own or self.config.get("base_model_name_or_path") or "the model that it was trained on")


    def section(self, name: str) -> dict[str, Any]:
        """Return a part of functory.json; empty where it has none.

        :raises ArtefactCorrupt: where it is no object.
        """
        found = self.about.get(name, {})
        if not isinstance(found, dict):
            raise ArtefactCorrupt(
                f"{ABOUT} has a {name!r} that is no object.", where=str(self.place / ABOUT), do="fetch the adapter again."
            )
        return found


def open_folder(place: Path) -> Folder:
    """Return the files of a folder.

    :raises WeightsMissing: where there is no adapter.
    :raises ArtefactUnsafe: where its weights are a pickle.
    """
    if not (place / CONFIG).is_file():
        raise WeightsMissing(
            f"there is no adapter: {CONFIG} is missing.",
            where=str(place),
            do="name the folder that PEFT's save_pretrained wrote; one of a hub comes by "
            "hf download org/name --local-dir adapter.",
        )
    if not (place / WEIGHTS).is_file():
        pickles = sorted(path.name for path in place.glob("adapter_model*") if path.suffix in (".bin", ".pt", ".pth"))
        if pickles:
            raise ArtefactUnsafe(
                f"the adapter's weights are a pickle, {pickles[0]}, which can run any code when it is read.",
                where=str(place),
                do="convert it where you trust its source: load it with PEFT and save it again by "
                f"model.save_pretrained(folder), which writes {WEIGHTS}.",
            )
        raise WeightsMissing(f"there is no {WEIGHTS}.", where=str(place), do="fetch the adapter again.")
    head = read_tensors(place / HEAD) if (place / HEAD).is_file() else {}
    return Folder(place, read_json(place, CONFIG), read_tensors(place / WEIGHTS), head, read_json(place, ABOUT))


def read_tensors(file: Path) -> dict[str, Array]:
    """Return a file's tensors in float32.

    :raises ArtefactCorrupt: where it is no safetensors file, or not whole.
    """
    return {name: read_tensor(file, name) for name in sorted(tensor_names(file))}

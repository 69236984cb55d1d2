"""Find, hash and read the weights of a model folder: safetensors, in one file or in shards; never a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from functory_sdk import Array, ArtefactCorrupt, ArtefactUnsafe, WeightsMissing, content_hash

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def weight_files(folder: Path) -> list[Path]:
    """Return the files that hold the weights, in the order of their names.

    :raises ArtefactUnsafe: where there are only pickles.
    :raises ArtefactCorrupt: where the index names a shard that is not there, or one outside the folder.
    :raises WeightsMissing: where there are none at all.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / INDEX).is_file():
        return _shards(folder)
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles:
        raise ArtefactUnsafe(
            f"the weights are a pickle, {pickles[0]}, which can run any code when it is read.",
            where=str(folder),
            do="convert them where you trust their source: model.save_pretrained(folder) with transformers writes "
            f"{WEIGHTS}; many models of the hub have a revision with it.",
        )
    raise WeightsMissing(
        f"there is no {WEIGHTS}.",
        where=str(folder),
        do="name the folder of a model saved with transformers' save_pretrained.",
    )


def _shards(folder: Path) -> list[Path]:
    try:
        names = sorted(set(json.loads((folder / INDEX).read_bytes())["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ArtefactCorrupt(
            f"{INDEX} cannot be read: {error!r}", where=str(folder), do="fetch the model again."
        ) from error
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise ArtefactUnsafe(
                f"{INDEX} names {name!r}, which is no shard in its folder.", where=str(folder), do="do not use it."
            )
        if not (folder / name).is_file():
            raise ArtefactCorrupt(f"the shard {name} is missing.", where=str(folder), do="fetch the model again.")
    return [folder / name for name in names]


def hash_of(folder: Path) -> str:
    """Return the sha256 of the weights: of the one file, or of the list of the shards' names and hashes."""
    files = weight_files(folder)
    if len(files) == 1:
        return content_hash(files[0])
    listed = "\n".join(f"{file.name} {content_hash(file)}" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()


class Tensors(Mapping[str, Array]):
    """The tensors of a model folder, in float32; one is read when it is asked for.

    :param folder: of safetensors, in one file or in shards.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors import safe_open

        self._files: dict[str, Path] = {}
        for file in weight_files(folder):
            with safe_open(file, framework="pt") as opened:
                self._files |= dict.fromkeys(opened.keys(), file)

    def __getitem__(self, name: str) -> Array:
        from safetensors import safe_open

        with safe_open(self._files[name], framework="pt") as opened:
            array: Array = opened.get_tensor(name).float().numpy()
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

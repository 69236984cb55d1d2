"""Finds and reads the weights of a model folder: safetensors, in one file or in shards, whatever wrapped the model; no pickle.

Apart from `torch`, which builds networks: here are files and names. A file is looked at before it is opened: a pointer that
Git left in its place, a page that says "not found", half a download are what they are, and not a fault of whoever reads them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

from functory.contracts.rows import Array
from functory.errors import ArtefactCorrupt, ArtefactUnsafe, WeightsMissing
from functory.wording.told import told
from functory_sdk.jsonfiles import check_fetched, read_json

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
LARGEST_HEADER = 100_000_000
"""Bytes; what the format allows."""
_INSIDE = re.compile(r"(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
"""What torch.compile, FSDP and checkpointing put into names, wherever they wrap."""
_OLD = re.compile(r"(?<=LayerNorm\.)(?:gamma|beta)$")
_TODAY = {"gamma": "weight", "beta": "bias"}
_OUTSIDE = re.compile(r"(?:module\.)+")
"""What data parallelism puts before all names."""


def weight_files(folder: Path) -> list[Path]:
    """Return the files that hold the weights, in the order of their names; each is safetensors, and whole.

    :raises ArtefactUnsafe: where there are only pickles, or the index names what is no shard of this folder.
    :raises ArtefactCorrupt: where the index names a shard or a tensor that is not there; where a file is no safetensors.
    :raises WeightsMissing: where there are none at all.
    """
    if (folder / WEIGHTS).is_file():
        tensor_names(folder / WEIGHTS)
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
    packed = next(iter(sorted(folder.glob("*.gguf"))), None)
    raise WeightsMissing(
        f"there is no {WEIGHTS}.",
        where=str(folder),
        do="name the folder of a model saved with transformers' save_pretrained"
        + (f"; or the file as a backbone: gguf:{packed}." if packed else "."),
    )


def _shards(folder: Path) -> list[Path]:
    placed = read_json(folder, INDEX).get("weight_map")
    if not isinstance(placed, dict) or not placed or not all(isinstance(name, str) for name in placed.values()):
        raise ArtefactCorrupt(
            f"{INDEX} does not say which file holds which tensor (weight_map).",
            where=str(folder / INDEX),
            do="fetch the model again.",
        )
    names = sorted(set(placed.values()))
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise ArtefactUnsafe(
                f"{INDEX} names {name!r}, which is no shard in its folder.", where=str(folder / INDEX), do="do not use it."
            )
        if not (folder / name).is_file():
            raise ArtefactCorrupt(f"the shard {name} is missing.", where=str(folder), do="fetch the model again.")
    held = {name: tensor_names(folder / name) for name in names}
    for tensor, name in placed.items():
        if tensor not in held[name]:
            raise ArtefactCorrupt(
                f"{name} does not hold {tensor!r}, as {INDEX} says.",
                where=str(folder / name),
                do="fetch the model again, all its files from one revision.",
            )
    return [folder / name for name in names]


def tensor_names(file: Path) -> frozenset[str]:
    """Return the names of the tensors in a safetensors file; the rest as `tensor_sizes`.

    :raises ArtefactCorrupt: as that does.
    """
    return frozenset(tensor_sizes(file))


def tensor_sizes(file: Path) -> dict[str, int]:
    """Return how many numbers each tensor in a safetensors file has, of which only the header is read.

    :raises ArtefactCorrupt: where it is none, saying what it is; or is not whole, saying how much of it is there.
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        start = opened.read(256)
        length = int.from_bytes(start[:8], "little")
        if len(start) < 8 or not 2 <= length <= LARGEST_HEADER or start[8:9] != b"{":
            raise _no_safetensors(file, start)
        opened.seek(8)
        text = opened.read(length)
    if len(text) < length:
        raise _cut(file, 8 + length, size)
    try:
        header = json.loads(text)
        tensors = {name: about for name, about in header.items() if name != "__metadata__"}
        end = max((int(about["data_offsets"][1]) for about in tensors.values()), default=0)
        sizes = {name: prod(int(count) for count in about["shape"]) for name, about in tensors.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ArtefactCorrupt(
            f"{file.name} has a header that cannot be read ({type(error).__name__}).", where=str(file), do=_FETCH
        ) from error
    if size != 8 + length + end:
        raise _cut(file, 8 + length + end, size)
    return sizes


_FETCH = "fetch the model again."


def _no_safetensors(file: Path, start: bytes) -> ArtefactCorrupt:
    """Return the error of a file that is something else.

    :raises ArtefactCorrupt: where it was never fetched.
    """
    check_fetched(file, start, "the weights")
    what, do = "is no safetensors file", _FETCH
    if not start:
        what = "is empty"
    elif start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04")):
        what = "is a pickle under another name, which can run any code when it is read"
        do = f"convert it where you trust its source: model.save_pretrained(folder) with transformers writes {WEIGHTS}."
    elif start.startswith(b"GGUF"):
        what = "is a GGUF file under another name"
    elif start.lstrip()[:1] in (b"{", b"["):
        what = "is JSON, and not the weights"
    return ArtefactCorrupt(f"{file.name} {what}.", where=str(file), do=do)


def _cut(file: Path, wanted: int, size: int) -> ArtefactCorrupt:
    fault = "is cut off" if size < wanted else "has something after its end"
    return ArtefactCorrupt(
        f"{file.name} {fault}: its header speaks of {wanted:,} bytes, it has {size:,}.", where=str(file), do=_FETCH
    )


def wrapped_by(names: Collection[str], base: str = "") -> list[str]:
    """Return what wrappers put into the names of a model's tensors: patterns, of each of which one match goes, in their order.

    Data parallelism puts ``module.`` before all names, torch.compile ``_orig_mod.``, FSDP ``_fsdp_wrapped_module.``, and a
    trainer that holds the model as ``self.model`` puts ``model.`` there.

    :param base: by what name a model with a head holds the one without: ``model`` for a Llama, whose names begin so.
    """
    found = [_INSIDE.pattern] * max((len(_INSIDE.findall(name)) for name in names), default=0)
    bare = [_INSIDE.sub("", name) for name in names]
    for pattern in (_OUTSIDE.pattern, r"model\."):
        if bare and all(re.match(pattern, name) for name in bare) and (pattern != r"model\." or _is_outer(bare, base)):
            found.append(f"^{pattern}")
            bare = [re.sub(f"^{pattern}", "", name) for name in bare]
    return found


def _is_outer(names: Collection[str], base: str) -> bool:
    """Return whether ``model.`` before all names is a trainer's, and not the name of the model without its head."""
    return base != "model" or any(name.startswith("model.model.") for name in names)


class Tensors(Mapping[str, Array]):
    """The tensors of a model folder by the names that they have in the model, in float32; one is read when it is asked for.
    Norms of old checkpoints, whose numbers are called gamma and beta, have the names of today.

    :param folder: of safetensors, in one file or in shards.
    :param base: as for `wrapped_by`.
    :raises ArtefactError: as `weight_files` does.
    """

    def __init__(self, folder: Path, base: str = "") -> None:
        held = [(name, file) for file in weight_files(folder) for name in sorted(tensor_names(file))]
        patterns = wrapped_by([name for name, _ in held], base)
        self._places: dict[str, tuple[str, Path]] = {}
        for name, file in held:
            plain = name
            for pattern in patterns:
                plain = re.sub(pattern, "", plain, count=1)
            self._places[_OLD.sub(lambda old: _TODAY[old[0]], plain)] = (name, file)
        self._opened: dict[Path, Any] = {}  # Any: of safetensors, which maps a file once

    def __getitem__(self, name: str) -> Array:
        stored, file = self._places[name]
        return read_tensor(file, stored, self._opened)

    def __contains__(self, name: object) -> bool:
        return name in self._places  # and not by reading it, as a mapping would

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def read_tensor(file: Path, name: str, opened: dict[Path, Any] | None = None) -> Array:
    """Return one tensor of a safetensors file in float32; by torch, since numpy has no bfloat16.

    :param opened: files that are open, for one of which many are read; this one is put there.
    :raises ArtefactCorrupt: where its numbers are not what the header says, or of a type that torch does not know.
    """
    from safetensors import safe_open

    files = {} if opened is None else opened
    try:
        if file not in files:
            files[file] = safe_open(file, framework="pt")
        tensor: Any = files[file].get_tensor(name)
        array: Array = tensor.float().numpy()
    except Exception as error:  # SafetensorError, or whatever torch has to say of a type
        raise ArtefactCorrupt(f"{name!r} in {file.name} cannot be read: {told(error)}", where=str(file), do=_FETCH) from error
    return array

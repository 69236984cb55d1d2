"""Reads the head of an adapter: one that was written here, or a classifier that PEFT saved with the updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from functory_lora.files import ABOUT, CONFIG, HEAD, ROOT, WEIGHTS
from functory_lora.folder import Folder
from functory_sdk import Array, ArtefactCorrupt, Backbone, NotSupported, Readout, Task, complaint, read_json, readout_of
from functory_sdk.checkpoints import Tensors

CLASSIFIER = "SEQ_CLS"
"""PEFT's word for a classifier of texts. A tagger's labels stand in no file of its adapter, and no task could guess them."""


@dataclass(frozen=True)
class SavedHead:
    """The head that came with an adapter; all empty where none did.

    :param phi: by our names, with what comes before the last map.
    :param state: the task's.
    :param names: the adapter's tensors that it was made from.
    """

    phi: dict[str, Array] = field(default_factory=dict)
    readout: Readout | None = None
    state: Any = None  # Any: the State of whatever task it is
    names: frozenset[str] = frozenset()


def own_head(folder: Folder, task: Task[Any]) -> SavedHead:
    """Return a head that was written here.

    :raises NotSupported: where it is another task's.
    :raises ArtefactCorrupt: where the state is none of this task.
    """
    made = str(folder.section("task").get("name", ""))
    if made.rpartition(":")[2] != task.name.rpartition(":")[2]:
        raise NotSupported(
            f"the adapter's head does {made!r}; the task is {task.name!r}.",
            where=str(folder.place / ABOUT),
            do=f"build it with task = {made!r}, or remove {HEAD} to use the updates alone.",
        )
    try:
        state = task.State.model_validate(folder.about.get("state"))
        given = folder.section("head").get("readout")
        readout = None if given is None else Readout.model_validate(given)
    except ValidationError as error:
        raise ArtefactCorrupt(
            f"{ABOUT} holds no state of {task.name!r}: {complaint(error)}.", where=str(folder.place / ABOUT), do="fetch it again."
        ) from None
    phi = {
        f"network.{name}" if name.startswith("pooler.") else f"head.{name}": array
        for name, array in folder.head.items()
    }
    return SavedHead(phi, readout, state)


def their_head(folder: Folder, backbone: Backbone[Any], task: Task[Any]) -> SavedHead:
    """Return the classifier that PEFT saved with the updates (``modules_to_save``); none for other adapters.

    Its labels have no names there: the task's options give them, or they are LABEL_0, LABEL_1 …

    :raises NotSupported: where a part of it lies neither in the adapter nor in the backbone's weights.
    """
    if folder.config.get("task_type") != CLASSIFIER:
        return SavedHead()
    place, spec = backbone.locate(), backbone.spec
    base = backbone.network.origin.base if backbone.network.origin else ""
    tensors = _Layers(folder, place, base)
    config = read_json(place, "config.json")
    try:
        readout, places = readout_of(spec.family, "text", config, tensors)
    except ArtefactCorrupt as error:
        raise NotSupported(
            f"{error.what} It lies neither in the adapter nor in the backbone's weights.",
            where=str(folder.place / WEIGHTS),
            do="merge the adapter into the model that it was trained in (model.merge_and_unload(), then save_pretrained), "
            "and take that folder with adaptation = 'fine-tuned'.",
        ) from error
    phi = {ours: tensors[theirs] for ours, theirs in places.items()}
    weight = phi["head.linear.weight"]
    phi.setdefault("head.linear.bias", weight[:, 0] * 0)
    if len(weight) < 2:
        raise NotSupported(
            "the adapter's head has one output, a number and not labels.",
            where=str(folder.place / CONFIG),
            do="take an adapter that classifies.",
        )
    state, order = task.adopt([f"LABEL_{index}" for index in range(len(weight))], is_multi=None)
    phi |= {name: phi[name][list(order)] for name in ("head.linear.weight", "head.linear.bias")}
    return SavedHead(phi, readout, state, frozenset(ROOT + name for name in places.values()))


class _Layers(Mapping[str, Array]):
    """The tensors of an adapter, and of the backbone below: a name that the first lacks is looked up in the second.

    :param base: what a model with a head calls the one without; the backbone's files may leave it out.
    """

    def __init__(self, folder: Folder, place: Path, base: str) -> None:
        self._own = {name.removeprefix(ROOT): array for name, array in folder.tensors.items()}
        # A packed backbone's place holds its package's file, of which no classifier was ever made.
        self._below: Mapping[str, Array] = Tensors(place, base) if any(place.glob("*.safetensors")) else {}
        self._base = f"{base}."

    def __getitem__(self, name: str) -> Array:
        if name in self._own:
            return self._own[name]
        return self._below[name if name in self._below else name.removeprefix(self._base)]

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._below or str(name).removeprefix(self._base) in self._below

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)

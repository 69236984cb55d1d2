"""What the outputs of a checkpoint's classifier stand for: id2label, held to label2id and to the number of outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functory_sdk import ArtefactCorrupt, NotSupported

_DEFAULT = re.compile(r"LABEL_\d+")
"""transformers' names of outputs that were given none."""
_NUMBER = re.compile(r"\d{1,9}")
_REMEDY = "mend id2label: a different name for each output, by its number from 0."


def labels_of(config: Mapping[str, Any], outputs: int, folder: Path) -> list[str]:
    """Return the labels in the order of the outputs; transformers' own names where none are given.

    :param config: config.json.
    :raises NotSupported: for a head of one output, a number.
    :raises ArtefactCorrupt: where the names are of other outputs, no names, or two tables contradict each other.
    """
    if outputs < 2:
        raise NotSupported(
            "the checkpoint's head has one output, a number and not labels.",
            where=str(folder / "config.json"),
            do="take a checkpoint that classifies.",
        )
    named = _by_number(config, "id2label", folder)
    turned = _turned(config, folder)
    if turned and all(map(_DEFAULT.fullmatch, named.values())):
        named = turned  # who gave label2id alone meant it
    elif turned and turned != named and not all(map(_DEFAULT.fullmatch, turned.values())):
        first = min(number for number in named.keys() | turned.keys() if named.get(number) != turned.get(number))
        raise _fault(
            f"calls output {first} {named.get(first)!r} in id2label and {turned.get(first)!r} in label2id",
            "make them agree; id2label is the one that counts.",
            folder,
        )
    labels = [named.get(index, f"LABEL_{index}") for index in range(outputs)]
    if named and (sorted(named) != list(range(outputs)) or len(set(labels)) != outputs):
        names = f"names {len(set(named.values()))} labels"
        if sorted(named) != list(range(len(named))):
            names += f", of the outputs {', '.join(map(str, sorted(named)[:6]))}{' …' if len(named) > 6 else ''}"
        raise _fault(f"{names}; the head has {outputs} outputs", _REMEDY, folder)
    return labels


def _by_number(config: Mapping[str, Any], key: str, folder: Path) -> dict[int, str]:
    """Return id2label by the numbers."""
    given = config.get(key) or {}
    if not isinstance(given, dict):
        raise _fault(f"has an {key} that is no table", _REMEDY, folder)
    found = {}
    for number, label in given.items():
        if not _NUMBER.fullmatch(str(number)) or isinstance(label, (dict, list)) or label is None:
            raise _fault(f"has the entry {number!r}: {label!r} in {key}, which names no output by its number", _REMEDY, folder)
        found[int(number)] = str(label)
    return found


def _turned(config: Mapping[str, Any], folder: Path) -> dict[int, str]:
    """Return label2id by the numbers; nothing where it is no such table, since transformers never reads it."""
    given = config.get("label2id")
    if not isinstance(given, dict) or not all(_NUMBER.fullmatch(str(number)) for number in given.values()):
        return {}
    found = {int(number): str(label) for label, number in given.items()}
    return found if len(found) == len(given) else {}


def _fault(what: str, do: str, folder: Path) -> ArtefactCorrupt:
    return ArtefactCorrupt(f"config.json {what}.", where=str(folder / "config.json"), do=do)

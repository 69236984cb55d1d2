"""doccano's exports: JSON Lines with labels as spans, as entities with offsets, or as classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from functory_annotations.items import Item, Misshapen, Picked, consistent, entity, first_items, rows
from functory_sdk import DataFile, DataReader, Fault, NoOptions, Recognition, Record

_LABELS = ("label", "labels", "annotations")


class Doccano(DataReader[NoOptions]):
    """doccano's JSON Lines: texts with spans or with classes."""

    examples: ClassVar[tuple[str, ...]] = ("functory build --task ner --train doccano.jsonl --backbone minilm",)

    def recognise(self, file: DataFile) -> Recognition:
        """By labels that are [start, end, label], or entities with start_offset; the first texts may have none."""
        for item in first_items(file):
            if not isinstance(item, Mapping) or not isinstance(item.get("text", item.get("data")), str):
                return "no"
            if _spans_of(item) or _has_offsets(item.get("entities")):
                return "certain"
            if not any(item.get(name) == [] for name in (*_LABELS, "entities")):
                return "no"
        return "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        yield from consistent(rows(file, _row), is_marked=False)


def _row(item: Item) -> dict[str, Any]:
    """Return an item's text, its spans or classes, and its other fields."""
    if not isinstance(item, Mapping):
        raise Misshapen("the item is no object")
    values = {"text" if key == "data" and "text" not in item else key: value for key, value in item.items()}
    if _has_offsets(item.get("entities")):
        values["entities"] = [entity(one["start_offset"], one["end_offset"], one["label"]) for one in item["entities"]]
        return values
    name = next((name for name in _LABELS if isinstance(item.get(name), list)), "")
    if not name:
        return values
    labels = values.pop(name)
    if all(isinstance(label, list) for label in labels):  # an empty list: a text without entities
        values["entities"] = [entity(*label) for label in labels]
    else:
        values["label"] = Picked(labels)
    return values


def _spans_of(item: Mapping[str, Any]) -> bool:
    """Return whether labels are lists of two offsets and a label."""
    labels: list[Any] = next((item[name] for name in _LABELS if isinstance(item.get(name), list)), [])
    return bool(labels) and all(isinstance(label, list) and [*map(type, label)] == [int, int, str] for label in labels)


def _has_offsets(entities: Any) -> bool:
    return bool(entities) and isinstance(entities, list) and all(
        isinstance(one, Mapping) and {"start_offset", "end_offset", "label"} <= one.keys() for one in entities
    )  # fmt: skip

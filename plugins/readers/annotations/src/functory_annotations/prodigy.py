"""Prodigy's exports: JSON Lines with an answer for each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from functory_annotations.items import Item, Misshapen, Picked, consistent, entity, first_item, rows
from functory_sdk import DataFile, DataReader, Fault, NoOptions, Recognition, Record

_ANSWERS = ("accept", "reject", "ignore")
_OWN = ("spans", "tokens", "options", "accept", "answer")


class Prodigy(DataReader[NoOptions]):
    """Prodigy's JSON Lines: texts with spans, a label or choices, of which the accepted are read."""

    examples: ClassVar[tuple[str, ...]] = ("functory build --task ner --train prodigy.jsonl --backbone minilm",)

    def recognise(self, file: DataFile) -> Recognition:
        """By the hashes that it gives each task, beside an answer."""
        item = first_item(file)
        is_own = isinstance(item, Mapping) and item.get("answer") in _ANSWERS and isinstance(item.get("text"), str)
        return "certain" if is_own and ("_task_hash" in item or "_input_hash" in item or "spans" in item) else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        yield from consistent(rows(file, _row))


def _row(item: Item) -> dict[str, Any] | str:
    """Return a task's text and what was accepted, or why there is nothing."""
    if not isinstance(item, Mapping) or not isinstance(item.get("text"), str):
        raise Misshapen("the item is no task with a text")
    if item.get("answer", "accept") != "accept":
        return "rejected" if item["answer"] == "reject" else "ignored"
    values = {key: value for key, value in item.items() if key not in _OWN and not key.startswith("_")}
    if "options" in item:
        values["label"] = Picked(item.get("accept", []))
    if "spans" in item:
        values["entities"] = [entity(span["start"], span["end"], span["label"]) for span in item["spans"]]
    return values

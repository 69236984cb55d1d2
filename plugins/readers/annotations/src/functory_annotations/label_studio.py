"""Label Studio's exports: JSON with tasks and their annotations, and JSON-MIN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from functory_annotations.items import Item, Misshapen, Picked, consistent, entity, first_item, rows
from functory_annotations.offsets import in_characters
from functory_sdk import DataFile, DataReader, Fault, NoOptions, Recognition, Record

_SPANS = ("labels", "hypertextlabels", "paragraphlabels")
_ANSWERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "choices": lambda value: Picked(value["choices"]),
    "taxonomy": lambda value: Picked([" / ".join(path) for path in value["taxonomy"]]),
    "textarea": lambda value: Picked(value["text"]) if isinstance(value["text"], list) else value["text"],
    "rating": lambda value: value["rating"],
    "number": lambda value: value["number"],
    "pairwise": lambda value: value["selected"],
}
"""What an annotator said, by the type of the control; the column is named after the control."""
_LONG = ("annotations", "completed_by", "result")
_MIN = ("annotation_id", "annotator", "lead_time")


class LabelStudio(DataReader[NoOptions]):
    """Label Studio's JSON and JSON-MIN: texts with spans, and a column for each other control."""

    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task ner --train label-studio.json --backbone minilm",
        "functory build --task text-classification --train label-studio.json --column label=sentiment",
    )

    def recognise(self, file: DataFile) -> Recognition:
        """By a task's `data` and `annotations`, or by the fields that JSON-MIN adds."""
        item = first_item(file)
        if item is None and not file.is_folder:  # the first task may be longer than what is looked at
            start = "".join(file.head_lines)
            return "certain" if start.lstrip().startswith("[") and all(f'"{name}"' in start for name in _LONG) else "no"
        if not isinstance(item, Mapping):
            return "no"
        is_task = isinstance(item.get("data"), Mapping) and _annotations(item) is not None
        return "certain" if is_task or sum(name in item for name in _MIN) > 1 else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        several: list[int] = []
        yield from consistent(rows(file, lambda item: _row(item, several)))
        if several:
            file.notes.append(f"{file.name}: {len(several):,} have several annotations: the first that stands was read.")


def _row(item: Item, several: list[int]) -> dict[str, Any] | str:
    """Return what a task's data and its annotation say, or why there is nothing."""
    if not isinstance(item, Mapping):
        raise Misshapen("the item is no object")
    annotations = _annotations(item)
    if not isinstance(item.get("data"), Mapping) or annotations is None:
        return _minimal(item)
    standing = [one for one in annotations if not one.get("was_cancelled")]
    if not standing:
        return "cancelled" if annotations else "without an annotation"
    if len(standing) > 1:
        several.append(1)
    return {**item["data"], **_answers(standing[0]["result"], _text(item["data"]))}


def _annotations(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | None:
    """Return a task's annotations, under the name of this or of an old version."""
    found = item.get("annotations", item.get("completions"))
    return found if isinstance(found, list) else None


def _answers(result: Sequence[Mapping[str, Any]], text: str) -> dict[str, Any]:
    """Return spans as `entities`, and each other answer under the name of its control."""
    answers: dict[str, Any] = {"entities": []} if not result or any(one["type"] in _SPANS for one in result) else {}
    for one in result:
        if one["type"] in _SPANS:
            answers["entities"] += _entities(one["value"], one["value"].get(one["type"]) or [], text)
        elif one["type"] in _ANSWERS:
            answers[one["from_name"]] = _ANSWERS[one["type"]](one["value"])
    return answers


def _entities(value: Mapping[str, Any], labels: Sequence[str], text: str) -> list[dict[str, Any]]:
    """Return the spans of a region: one for each of its labels."""
    offsets = value.get("globalOffsets", value)
    start, end = in_characters(offsets["start"], offsets["end"], value.get("text"), text)
    return [entity(start, end, label) for label in labels]


def _minimal(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of JSON-MIN: columns named after the controls, spans among them as `entities`."""
    text, values, entities = _text(item), {}, []
    for name, value in item.items():
        if isinstance(value, list) and value and all(isinstance(one, Mapping) and "labels" in one for one in value):
            entities += [span for one in value for span in _entities(one, one["labels"], text)]
        elif isinstance(value, Mapping) and isinstance(value.get("choices"), list):
            values[name] = Picked(value["choices"])
        else:
            values[name] = value
    return {**values, "entities": entities} if entities else values


def _text(data: Mapping[str, Any]) -> str:
    """Return the text that offsets count in: the field of that name, else the longest text."""
    texts = [value for value in data.values() if isinstance(value, str)]
    return data["text"] if isinstance(data.get("text"), str) else max(texts, key=len, default="")

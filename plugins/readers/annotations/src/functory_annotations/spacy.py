"""spaCy's JSON: training data of version 2, pairs of text and annotations, and documents as `Doc.to_json` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from functory_annotations.items import Item, Misshapen, Picked, consistent, entity, first_item, rows
from functory_sdk import DataFile, DataReader, Fault, NoOptions, Recognition, Record

LIKELY = 0.5  # a category holds from here


class SpaCy(DataReader[NoOptions]):
    """spaCy's JSON of any version: documents with entities, tags or categories."""

    examples: ClassVar[tuple[str, ...]] = ("functory build --task ner --train train.json --backbone minilm",)

    def recognise(self, file: DataFile) -> Recognition:
        """By paragraphs of sentences, pairs of a text and annotations, documents with `ents`, or `classes`."""
        if file.is_folder:
            return "no"
        start = _start(file)
        if '"paragraphs"' in start and '"sentences"' in start and '"tokens"' in start:
            return "certain"
        item = first_item(file)
        if isinstance(item, Mapping):
            is_document = isinstance(item.get("ents"), list) and isinstance(item.get("text"), str)
            return "certain" if is_document or _has_classes(file) else "no"
        return "certain" if _is_pair(item) or _has_classes(file) else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        yield from consistent(self._paragraphs(file), is_marked=False)

    def _paragraphs(self, file: DataFile) -> Iterator[Record | Fault]:
        """Yield the texts of a file, each a row."""
        at = "annotations" if _has_classes(file) else ""
        for row in rows(file, _row, at):
            if isinstance(row, Fault):
                yield row
                continue
            for number, values in enumerate(row.values["paragraphs"], 1):
                where = row.where if len(row.values["paragraphs"]) == 1 else f"{row.where}, paragraph {number}"
                yield Record(values, where)


def _row(item: Item) -> dict[str, Any] | str:
    """Return the texts of an item: one, or each paragraph of a document."""
    if item is None:
        return "empty"
    if _is_pair(item):
        return {"paragraphs": [_annotated(item[0], item[1])]}
    if not isinstance(item, Mapping):
        raise Misshapen("the item is neither a document nor a pair of text and annotations")
    if "paragraphs" in item:
        return {"paragraphs": [_paragraph(one) for one in item["paragraphs"]]}
    spans = [[one["start"], one["end"], one["label"]] for one in item.get("ents", [])]
    return {"paragraphs": [_annotated(item["text"], {"entities": spans, "cats": item.get("cats", {})})]}


def _annotated(text: str, annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return a text with its spans and its categories, where it has them."""
    values: dict[str, Any] = {"text": text}
    if "entities" in annotations:
        values["entities"] = [entity(*span[:3]) for span in annotations["entities"]]
    if annotations.get("cats"):
        values["label"] = Picked([name for name, value in annotations["cats"].items() if value >= LIKELY])
    return values


def _paragraph(paragraph: Mapping[str, Any]) -> dict[str, Any]:
    """Return a paragraph of version 2: its tokens, and their tags where it has any; its text where that is given."""
    tokens = [token for sentence in paragraph["sentences"] for token in sentence["tokens"]]
    values: dict[str, Any] = {"tokens": [token["orth"] for token in tokens]}
    if isinstance(paragraph.get("raw"), str):
        values["text"] = paragraph["raw"]
    if any("ner" in token for token in tokens):
        values["tags"] = ["O" if token.get("ner", "-") in ("-", "") else token["ner"] for token in tokens]
    if cats := paragraph.get("cats"):
        values["label"] = Picked([cat["label"] for cat in cats if cat["value"] >= LIKELY])
    return values


def _is_pair(item: Item) -> bool:
    return (
        isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], Mapping)
        and bool({"entities", "cats"} & item[1].keys())
    )  # fmt: skip


def _start(file: DataFile) -> str:
    """Return the beginning of a file's text: its first item may be longer than what is looked at."""
    return "".join(file.head_lines)[:4096]


def _has_classes(file: DataFile) -> bool:
    """Return whether a file is an object that lists its classes before its annotations."""
    return re.match(r'\s*\{\s*"classes"\s*:\s*\[[^\[\]]*\]\s*,\s*"annotations"\s*:\s*\[', _start(file)) is not None

"""Files in which questions lie under their paragraphs: SQuAD's, and what is written like them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from functory_sdk import DataFile, DataReader, Fault, NoOptions, Recognition, Record, json_members

_NESTED = re.compile(r'"paragraphs"\s*:\s*\[')
_FLAT = re.compile(r'^\s*\[\s*\{[^{}\[\]]*"(context_text|context)"\s*:')
_PARTS = {"query_text": "question", "query_id": "id", "context_text": "context", "context_id": "id"}
"""What CMRC's older files call what SQuAD's call otherwise."""


class SQuAD(DataReader[NoOptions]):
    """SQuAD's JSON, versions 1.1 and 2.0, and what has its shape: articles, their paragraphs, their questions and answers."""

    endings: ClassVar[tuple[str, ...]] = (".json",)
    examples: ClassVar[tuple[str, ...]] = ("functory build --task question-answering --train train-v2.0.json --backbone minilm",)

    def recognise(self, file: DataFile) -> Recognition:
        """By paragraphs in an object, or texts with questions of their own in a list."""
        if file.is_folder:
            return "no"
        text = "".join(file.head_lines).lstrip("\ufeff \t\r\n")
        is_nested = text.startswith("{") and '"data"' in text and bool(_NESTED.search(text))
        return "certain" if is_nested or (_FLAT.match(text) and '"qas"' in text) else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        is_list = "".join(file.head_lines[:5]).lstrip("\ufeff \t\r\n").startswith("[")
        for number, (_, article) in enumerate(json_members(file, "" if is_list else "data"), 1):
            where = f"{file.name}, article {number:,}"
            if not isinstance(article, Mapping):
                yield Fault("the article is no object", 0, where, do='write {"paragraphs": […]}.')
                continue
            paragraphs = [article] if is_list else article.get("paragraphs")
            if not isinstance(paragraphs, list):
                yield Fault("the article has no list of paragraphs", 0, where, do='write {"paragraphs": […]}.')
                continue
            for place, paragraph in enumerate(paragraphs, 1):
                at = where if is_list else f"{where}, paragraph {place:,}"
                yield from _questions(paragraph, article.get("title"), at)


def _questions(paragraph: Any, title: Any, where: str) -> Iterator[Record | Fault]:  # Any: JSON
    """Yield the questions of a paragraph, each with its context."""
    if not isinstance(paragraph, Mapping) or not isinstance(paragraph.get("qas"), list):
        yield Fault("the paragraph has no list of questions", 0, where, do='write {"context": "…", "qas": […]}.')
        return
    context = {"context": paragraph.get("context", paragraph.get("context_text"))}
    for number, one in enumerate(paragraph["qas"], 1):
        at = f"{where}, question {number:,}"
        if not isinstance(one, Mapping):
            yield Fault("the question is no object", 0, at, do='write {"question": "…", "answers": […]}.')
            continue
        named: dict[str, Any] = {_PARTS.get(str(name), str(name)): value for name, value in one.items()}
        named.pop("plausible_answers", None)
        yield Record({**named, **context, **({"title": title} if isinstance(title, str) else {})}, at)

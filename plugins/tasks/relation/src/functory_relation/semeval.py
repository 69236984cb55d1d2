"""SemEval-2010 task 8's files: a numbered sentence in quotes with both spans marked, its relation, a comment, a blank line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from functory_relation.marks import unmarked
from functory_sdk import DataFile, DataReader, Fault, NoOptions, Recognition, Record

_SENTENCE = re.compile(r'(\d+)\t"(.*)"?\s*')


class SemEval(DataReader[NoOptions]):
    """SemEval-2010 task 8's own files, with relations or without."""

    examples: ClassVar[tuple[str, ...]] = ("functory build --task relation --train TRAIN_FILE.TXT --backbone minilm",)

    def recognise(self, file: DataFile) -> Recognition:
        """By a first line that is numbered, quoted and marks both spans."""
        lines = [] if file.is_folder else [line for line in file.head_lines if line.strip()]
        found = _SENTENCE.fullmatch(lines[0].lstrip("\ufeff").rstrip("\r\n")) if lines else None
        return "certain" if found and unmarked(found[2])[1] else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        row: dict[str, object] = {}
        where = ""
        for number, line in enumerate(file.lines(), 1):
            text = line.lstrip("\ufeff").rstrip("\r\n")
            found = _SENTENCE.fullmatch(text)
            if found:
                if row:
                    yield Record(row, where)
                row, where = {"id": found[1], "text": found[2].removesuffix('"')}, file.place(number)
            elif row and text.strip() and not text.lower().startswith("comment:"):
                if "label" in row:
                    yield Fault("a second relation stands below one sentence", 0, file.place(number), do="leave one of them.")
                row["label"] = text.strip()
            elif not row and text.strip():
                yield Fault("the line is no numbered sentence in quotes", 0, file.place(number), do='write 1<tab>"…".')
        if row:
            yield Record(row, where)

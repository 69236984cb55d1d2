"""Tables with a row per token, and a column that says where a sentence begins: Kaggle's ``Sentence #``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from functory_conll.sentence import Sentence
from functory_sdk import DataError, DataFile, DataReader, Fault, Options, Recognition, Record, load

NAMES = {
    "sentence": ("sentence #", "sentence#", "sentence_id", "sentence id", "sentence_idx", "sentence", "sent_id", "sent"),
    "word": ("word", "token", "words", "tokens"),
    "tag": ("tag", "ner", "ner_tag", "tags", "ner_tags", "iob", "label", "labels", "entity"),
}
"""The columns by the names that are met, in small letters."""
_NUMBER = re.compile(r"(sentence\s*:?\s*#?\s*)?[\w.-]*\d[\w.-]*", re.IGNORECASE)


class TokenRowsOptions(Options):
    """Which columns are read, and how the table is written."""

    sentence: str = Field("", description="The column that says where a sentence begins; found by its name when empty.")
    word: str = Field("", description="The column of the tokens; found by its name when empty.")
    tag: str = Field("", description="The column of the tags; found by its name when empty.")
    delimiter: str = Field("", max_length=1, description="What stands between fields; found out when empty.")


class TokenRows(DataReader[TokenRowsOptions]):
    """CSV and TSV with a row per token: a column for the sentence, one for the token, one for its tag."""

    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task ner --train ner_dataset.csv --encoding cp1252 --backbone minilm",
    )

    def recognise(self, file: DataFile) -> Recognition:
        """By a header that names the three columns, the sentence's holding nothing but numbers and gaps, and no other lists."""
        if file.is_folder or not file.head_lines or len(file.head_lines) < 2:
            return "no"
        delimiter = max(",;\t", key=file.head_lines[0].count)
        try:
            rows = list(csv.reader(file.head_lines[:200], delimiter=delimiter))
        except csv.Error:
            return "no"
        found = [_column(rows[0], role) for role in NAMES]
        if not all(found):
            return "no"
        places = [rows[0].index(name) for name in found]
        values = [[row[place].strip() for place in places] for row in rows[1:] if len(row) == len(rows[0])]
        has_lists = any(tag.startswith(("[", "(")) for *_, tag in values)  # a row is a sentence there
        is_numbered = all(not number or _NUMBER.fullmatch(number) for number, *_ in values)
        return "certain" if values and is_numbered and not has_lists else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        """Yield one row a sentence. A sentence begins where its column holds another value; a gap goes on with it."""
        options = {"delimiter": self.options.delimiter} if self.options.delimiter else {}
        sentence, current = Sentence(), ""
        names: list[str] = []
        for row in load("readers", "csv").configure(options).read(file):
            line = int(row.where.rpartition(" ")[2])
            if isinstance(row, Fault):
                sentence.spoil(line, row.what, row.do)
                continue
            names = names or self._names(list(row.values), file)
            begins, word, tag = (row.values[name] for name in names)
            if begins.strip() and begins != current:
                yield from sentence.rows(file)
                sentence, current = Sentence(), begins
            sentence.add(word, tag, line)
        yield from sentence.rows(file)

    def _names(self, columns: Sequence[str], file: DataFile) -> list[str]:
        """Return the names of the three columns.

        :raises DataError: when one is not there.
        """
        asked = {"sentence": self.options.sentence, "word": self.options.word, "tag": self.options.tag}
        found = {role: name if name in columns else "" if name else _column(columns, role) for role, name in asked.items()}
        for role, name in found.items():
            if not name:
                raise DataError(
                    f"no column is clearly the {role}.", where=file.name,
                    do=f"say which: --read {role}=NAME. The columns: {', '.join(map(repr, columns))}.",
                )  # fmt: skip
        return list(found.values())


def _column(columns: Sequence[str], role: str) -> str:
    """Return the column of a role: the one with the most usual of its names; empty where there is none."""
    by_name = {column.strip().casefold(): column for column in columns}
    return next((by_name[name] for name in NAMES[role] if name in by_name), "")

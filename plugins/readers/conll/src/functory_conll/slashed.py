"""Lines of words, each with its tag after a sign: ``迈向/v  充满/v``, ``The_DT film_NN``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from functory_sdk import DataFile, DataReader, Fault, Options, Recognition, Record

SIGNS = "/_"
_TAG = re.compile(r"[\w$.,:;'`?!()#*+-]{1,16}")
FEWEST = 4
"""Words that a file's first lines must have to be told by them."""


class SlashedOptions(Options):
    """How words and tags are written."""

    sign: str = Field("", max_length=1, description="What stands between a word and its tag; found out when empty.")


class Slashed(DataReader[SlashedOptions]):
    """A sentence a line: words with a tag each, a slash or a low line between them."""

    paper: ClassVar[str] = "Francis and Kučera 1979, Brown Corpus Manual"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task tagging --train 199801.txt --format slashed --set task.alike=keep --backbone e5",
    )

    def recognise(self, file: DataFile) -> Recognition:
        """By first lines in which every word has a tag, the same tags again and again."""
        if file.is_folder or not file.head_lines:
            return "no"
        return "certain" if _sign(_whole(file.head_lines)) else "no"

    def read(self, file: DataFile) -> Iterator[Record | Fault]:
        """Yield one row a line: its tokens and its tags."""
        sign = self.options.sign or _sign(_whole(file.head_lines or ())) or SIGNS[0]
        for number, line in enumerate(file.lines(), 1):
            words = line.strip("\ufeff").split()
            if not words:
                continue
            if number in file.bad:
                yield Fault(file.complaint(number), 0, file.place(number), do=file.remedy)
                continue
            parts = [word.rpartition(sign) for word in words]
            odd = next((word for word, (token, _, tag) in zip(words, parts, strict=True) if not (token and tag)), None)
            if odd is not None:
                told = f"{odd!r} is no word with a tag, {sign!r} between them"
                yield Fault(told, 0, file.place(number), do=f"write each word as word{sign}TAG.")
                continue
            yield Record({"tokens": [token for token, _, _ in parts], "tags": [tag for _, _, tag in parts]}, file.place(number))


def _whole(lines: Sequence[str]) -> Sequence[str]:
    """Return first lines without one that is cut off, where there are others."""
    return lines[:-1] if len(lines) > 1 and not lines[-1].endswith("\n") else lines


def _sign(lines: Sequence[str]) -> str:
    """Return the sign that parts every word of some lines from its tag; empty where none does."""
    words = [word for line in lines for word in line.strip("\ufeff").split()]
    for sign in SIGNS:
        parts = [word.rpartition(sign) for word in words]
        tags = {tag for token, _, tag in parts if token and _TAG.fullmatch(tag)}
        is_whole = all(token and _TAG.fullmatch(tag) for token, _, tag in parts)
        if is_whole and len(words) >= FEWEST and 1 < len(tags) < len(words):
            return sign
    return ""

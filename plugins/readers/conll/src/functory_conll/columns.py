"""Which columns of a CoNLL file hold the tokens and the tags, by its first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_TAG = re.compile(r"O|[BIESLUMW]-\S+")
_BRACKET = re.compile(r"(\([^()*\s]+)?\*\)?|\([^()*\s]+\)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]+)?:")
_GAPS = re.compile("[ \t]+")
NAMES_2012 = 10
"""CoNLL-2011's and 2012's column of names, from 0: the first with brackets after the parse and the speaker."""
RANGE = re.compile(r"\d+[-.]\d+")
"""CoNLL-U's number of a token that is written as several, or of one that is not written at all."""


@dataclass(frozen=True)
class Layout:
    """Where things stand.

    :param has_tabs: whether tabs stand between columns; else spaces or tabs, several as one.
    :param width: the number of columns.
    :param token: the column of the tokens, from 0.
    :param tag: the column of the tags, from 0.
    :param others: further columns that hold tags.
    :param prefix: what stands before every token: ``en:``.
    :param is_certain: whether every first line has a tag, and one a letter before its label.
    """

    has_tabs: bool
    width: int
    token: int
    tag: int
    others: tuple[int, ...] = ()
    prefix: str = ""
    is_certain: bool = False

    def fields(self, line: str) -> list[str]:
        """Return the columns of a line."""
        return line.strip("\r\n").split("\t") if self.has_tabs else _GAPS.split(line.strip(" \t\r\n"))

    def is_comment(self, line: str) -> bool:
        """Return whether a line at a sentence's beginning is a comment, and no token that is a hash."""
        return line.startswith("#") and len(self.fields(line)) != self.width


def is_blank(line: str) -> bool:
    """Return whether a line ends a sentence; white space of other scripts is a token."""
    return not line.strip(" \t\r\n")


def layout_of(lines: Sequence[str]) -> Layout | None:
    """Return where things stand in a file with these first lines; None where there are no columns."""
    written = [line for line in lines if not is_blank(line) and not line.startswith("-DOCSTART-")]
    has_tabs = 2 * sum("\t" in line.strip() for line in written) > len(written)
    plain = Layout(has_tabs, 0, 0, 0)
    widths = Counter(len(plain.fields(line)) for line in written if not line.startswith("#"))
    width = max(widths, key=lambda width: (widths[width], width), default=0)
    if width < 2:
        return None
    rows = [plain.fields(line) for line in written]
    even = [row for row in rows if len(row) == width]
    columns = list(zip(*even, strict=True))
    token = _token(columns, lines)
    tagged = [n for n, column in enumerate(columns) if n != token and _holds_tags(column)]
    bracketed = [n for n, column in enumerate(columns) if n != token and all(map(_BRACKET.fullmatch, column))]
    if lines[0].startswith("#begin document"):  # the parse before it has brackets too
        bracketed = [n for n in bracketed if n >= NAMES_2012] or bracketed
    found = tagged or bracketed[:1] or [width - 1]
    prefixes = {match[0] if (match := _LANGUAGE.match(text)) else "" for text in columns[token]}
    uneven = [row for row, line in zip(rows, written, strict=True) if len(row) != width and not line.startswith("#")]
    has_columns = bool(tagged) and len(even) > 1
    return Layout(
        has_tabs, width, token, found[-1], tuple(found[:-1]), prefixes.pop() if len(prefixes) == 1 else "",
        is_certain=(has_columns and not uneven) or lines[0].startswith(("-DOCSTART-", "#begin document")),
    )  # fmt: skip


def _holds_tags(column: Sequence[str]) -> bool:
    """Return whether a column is one of tags beyond doubt: all are, and one says more than O."""
    return all(map(_TAG.fullmatch, column)) and any(tag != "O" for tag in column)


def _token(columns: Sequence[Sequence[str]], lines: Sequence[str]) -> int:
    """Return the column of the tokens: the first that does not count them."""
    if lines[0].startswith("#begin document"):
        return min(3, len(columns) - 2)  # CoNLL-2011 and 2012: document, part, number, word
    counts = all(number.isdecimal() or RANGE.fullmatch(number) for number in columns[0])
    return 1 if counts and len(columns) > 2 and "1" in columns[0] else 0

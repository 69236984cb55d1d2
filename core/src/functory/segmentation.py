"""Cuts text into words, as people see them: what explanations weigh.

By Unicode's letters, digits and marks; Chinese and Japanese have no spaces, so runs of their characters are cut by a
segmenter where one is installed (rjieba), else into single characters, which `notes` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

Span = tuple[int, int]

_RUN = re.compile(
    r"(?P<han>[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\U00020000-\U0003134f]+)|(?P<word>\w+(?:['’\-.]\w+)*)|(?P<other>[^\w\s])"
)
SINGLE = "Chinese is weighed by single characters: pip install rjieba for words"


def words(text: str) -> list[Span]:
    """Return the words of a text, first character and the one after the last, in order; signs are words of their own."""
    spans: list[Span] = []
    for run in _RUN.finditer(text):
        if run.lastgroup == "han":
            spans.extend(_cut(run[0], run.start()))
        elif run.lastgroup == "word":
            spans.extend(_mixed(run[0], run.start()))
        else:
            spans.append(run.span())
    return spans


def notes(text: str) -> tuple[str, ...]:
    """Return what a reader should know of how this text was cut."""
    return (SINGLE,) if _segmenter() is None and re.search(r"[\u3400-\u9fff]{2}", text) else ()


def _mixed(run: str, start: int) -> Iterator[Span]:
    """Give a word, or its parts where Chinese characters stand in it."""
    at = 0
    for part in re.finditer(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[^\u3400-\u4dbf\u4e00-\u9fff]+", run):
        if "\u3400" <= part[0][0] <= "\u9fff":
            yield from _cut(part[0], start + part.start())
        else:
            yield start + part.start(), start + part.end()
        at = part.end()
    assert at == len(run)


def _cut(run: str, start: int) -> Iterator[Span]:
    """Give the words of a run without spaces."""
    segmenter = _segmenter()
    at = start
    for word in segmenter.cut(run) if segmenter is not None else run:
        yield at, at + len(word)
        at += len(word)


@cache
def _segmenter() -> Any:  # Any: an optional module without types
    """Return the segmenter, or None."""
    try:
        import rjieba
    except ImportError:
        return None
    return rjieba

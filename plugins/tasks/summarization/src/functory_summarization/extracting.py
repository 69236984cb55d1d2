"""A summary of the text's own sentences: each is read by itself, and those that stand for the others are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from functory_sdk import Array, BackboneSpec, Encoded, Formulation, Port, Reader, Row, State, sentence_spans, word_count
from functory_summarization.centrality import centralities, likenesses, taken
from functory_summarization.types import Excerpt, Summary, SummaryOptions, Text

FEW = 3
"""Sentences of a summary where nobody says how many."""
MOST = 1000
"""Sentences of a text that are read: all are compared with all."""
DIGITS = 4

Ends = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Side:
    """What is kept of a text.

    :param spans: where its sentences stand.
    :param windows: of each, the tokens of its rows.
    """

    text: str
    spans: tuple[Ends, ...]
    windows: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...]


def leading(text: str, count: int) -> str:
    """Return the first sentences of a text."""
    return joined([text[start:end] for start, end in sentence_spans(text)[:count]])


def joined(sentences: Sequence[str]) -> str:
    """Return sentences as one text, with spaces between those of scripts that have some."""
    text = ""
    for sentence in sentences:
        text += sentence if not text or text[-1] in "。！？｡」』”" else f" {sentence}"
    return text


class Extract(Formulation):
    """A row for each sentence: its vector, as the backbone gives it."""

    head: ClassVar[str] = "functory_summarization.head:PlainHead"

    def __init__(self, options: SummaryOptions) -> None:
        self.options = options

    def outputs(self, spec: BackboneSpec, state: State) -> tuple[Port, ...]:
        return (Port("vector", "float32", (spec.width,)),)

    def encode(self, inputs: Sequence[Text], reader: Reader, state: State) -> Encoded:
        encoded = Encoded([], [], [])
        for index, value in enumerate(inputs):
            spans = sentence_spans(value.text)
            notes = (f"the first {MOST:,} of {len(spans):,} sentences were read",) if len(spans) > MOST else ()
            spans = spans[:MOST]
            read = reader.read([value.text[start:end] for start, end in spans], fields=("text",))
            rows = [window.row for passage in read for window in passage.windows]
            encoded.rows += rows
            encoded.owner += [index] * len(rows)
            windows = tuple(tuple(len(one.parts[0].tokens) for one in passage.windows) for passage in read)
            said = dict.fromkeys(note for passage in read for note in passage.notes)
            encoded.side.append(Side(value.text, tuple(spans), windows, (*notes, *(f"a sentence was {one}" for one in said))))
        return encoded

    def decode(self, side: Side, outputs: Sequence[Row], state: State) -> Summary:
        if not side.spans:
            return Summary(text="", finish="end", notes=side.notes)
        worth, chosen, _ = self._chosen(side, outputs)
        sentences = tuple(
            Excerpt(text=side.text[start:end], start=start, end=end, score=round(float(worth[place]), DIGITS))
            for place, (start, end) in enumerate(side.spans) if place in chosen
        )  # fmt: skip
        return Summary(text=joined([one.text for one in sentences]), finish="end", sentences=sentences, notes=side.notes)

    def lead(self, side: Side, outputs: Sequence[Row], state: State) -> float:
        """The least by which a sentence was taken before another."""
        return self._chosen(side, outputs)[2] if side.spans else 1.0

    def _chosen(self, side: Side, outputs: Sequence[Row]) -> tuple[Array, list[int], float]:
        """Return how much the sentences stand for the text, which are taken, and the least lead."""
        alike = likenesses(_vectors(side, outputs))
        early = 1 / (1 + np.arange(len(alike)))
        worth = (1 - self.options.position) * centralities(alike) + self.options.position * early
        sizes = [word_count(side.text[start:end]) for start, end in side.spans]
        how: Any = {"words": self.options.words, "diversity": self.options.diversity}
        chosen, lead = taken(worth, alike, sizes, count=self.options.sentences or FEW, **how)
        return worth, chosen, lead


def _vectors(side: Side, outputs: Sequence[Row]) -> Array:
    """Return the sentences' vectors, (sentences, width): the mean of their windows, each weighing by its tokens."""
    rows = iter(outputs)
    found = [
        np.average([next(rows)["vector"] for _ in tokens], axis=0, weights=np.maximum(tokens, 1)) for tokens in side.windows
    ]
    return np.asarray(found, dtype=np.float64)

"""The task of keyphrases: phrases of a text whose vectors are near to its own, and not to each other. Nothing is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from functory_embedding.phrases import MOST, Ends, candidates, chosen, overlap
from functory_embedding.put import DIGITS
from functory_embedding.task import WHY
from functory_sdk import (
    Array,
    BackboneSpec,
    Encoded,
    Formulation,
    Input,
    Judgement,
    NotSupported,
    Options,
    Output,
    Port,
    Reader,
    Row,
    Scorer,
    State,
    Suited,
    Task,
    told,
)

SEGMENTER = "rjieba"


class KeyphraseOptions(Options):
    """Options of keyphrases."""

    count: int = Field(5, ge=1, le=100, description="How many phrases at most.")
    longest: int = Field(3, ge=1, le=8, description="Words of a phrase at most.")
    diversity: float = Field(
        0.3, ge=0, le=1, description="How much it counts against a phrase that it is like one that was taken; 0: not at all."
    )


class Written(Input):
    """A text; it may be empty."""

    text: str = Field(description="The text.")


class Keyed(Written):
    """A text with the keyphrases that people gave it."""

    phrases: tuple[str, ...] = Field(default=(), description="Its keyphrases.")


class Phrase(BaseModel):
    """A phrase of a text."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="The phrase as it stands in the text, where it stands first.")
    start: int = Field(description="Its first character, from 0.")
    end: int = Field(description="The character after its last.")
    score: float = Field(description="The cosine of its vector and the text's.")


class Keyphrases(Output):
    """What a text is about, in its own words."""

    phrases: tuple[Phrase, ...] = Field(description="The phrases in the order they were taken.")

    def in_line(self, top: int = 3) -> str:
        return ", ".join(phrase.text for phrase in self.phrases) or "no phrases"


class Cut(State):
    """How texts are cut into words.

    :param is_segmented: whether a segmenter finds the words of Chinese; else its characters are words. Where the function was
        made with one, it needs one wherever it runs: it would find other phrases.
    """

    is_segmented: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """What is kept of a text.

    :param tokens: of each of its windows.
    :param spans: where each candidate stands first.
    """

    text: str
    tokens: tuple[int, ...]
    spans: tuple[Ends, ...]
    notes: tuple[str, ...]


class Near(Formulation):
    """The text in windows, then each candidate by itself: a vector a row, as the backbone gives it."""

    head: ClassVar[str] = "functory_embedding.head:PlainHead"

    def __init__(self, options: KeyphraseOptions) -> None:
        self.options = options

    def outputs(self, spec: BackboneSpec, state: Cut) -> tuple[Port, ...]:
        return (Port("vector", "float32", (spec.width,)),)

    def encode(self, inputs: Sequence[Written], reader: Reader, state: Cut) -> Encoded:
        encoded = Encoded([], [], [])
        for index, value in enumerate(inputs):
            found = candidates(value.text, self.options.longest, is_segmented=_segments(value.text, state))
            if not found:
                encoded.side.append(Side(value.text, (), (), ()))
                continue
            [whole] = reader.read([value.text], fields=("text",))
            read = reader.read(list(found), fields=("phrase",))
            rows = [*(one.row for one in whole.windows), *(passage.windows[0].row for passage in read)]
            encoded.rows += rows
            encoded.owner += [index] * len(rows)
            tokens = tuple(len(one.parts[0].tokens) for one in whole.windows)
            notes = (f"the {MOST} commonest phrases were looked at",) if len(found) == MOST else ()
            encoded.side.append(Side(value.text, tokens, tuple(places[0] for places in found.values()), (*whole.notes, *notes)))
        return encoded

    def decode(self, side: Side, outputs: Sequence[Row], state: Cut) -> Keyphrases:
        if not side.spans:
            return Keyphrases(phrases=(), notes=side.notes)
        text, phrases = self._vectors(side, outputs)
        taken, _ = chosen(text, phrases, self.options.count, self.options.diversity)
        found = [(*side.spans[place], round(float(phrases[place] @ text), DIGITS)) for place in taken]
        made = [Phrase(text=side.text[start:end], start=start, end=end, score=score) for start, end, score in found]
        return Keyphrases(phrases=tuple(made), notes=side.notes)

    def lead(self, side: Side, outputs: Sequence[Row], state: Cut) -> float:
        """The least by which a phrase was taken before another."""
        return chosen(*self._vectors(side, outputs), self.options.count, self.options.diversity)[1] if side.spans else 1.0

    def _vectors(self, side: Side, outputs: Sequence[Row]) -> tuple[Array, Array]:
        """Return the text's vector, (width,), and the candidates', (candidates, width), at length 1."""
        found = np.asarray([row["vector"] for row in outputs], dtype=np.float64)
        count = len(side.tokens)
        mean = np.average(found[:count], axis=0, weights=np.maximum(side.tokens, 1))
        both = np.concatenate([mean[None], found[count:]])
        lengths = np.linalg.norm(both, axis=1, keepdims=True)
        units = both / np.where(lengths > 0, lengths, 1)
        return units[0], units[1:]


class KeyphraseTask(Task[KeyphraseOptions]):
    """Finds the phrases that say what a text is about: near to it by their vectors, and unlike each other."""

    unasked: ClassVar[str] = "phrases are words of the text that are near to it by their vectors: leave adaptation out."
    Options: ClassVar = KeyphraseOptions
    Input: ClassVar = Written
    Output: ClassVar = Keyphrases
    Example: ClassVar = Keyed
    State: ClassVar = Cut
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "document", "abstract", "content", "摘要", "文本"),
        "phrases": ("phrases", "keyphrases", "keywords", "关键词"),
    }
    metric: ClassVar[str] = "f1"
    metrics: ClassVar[Mapping[str, str]] = {
        "f1": "the F1 of the phrases that were given, in whatever case, of all texts together",
        "precision": "how many of the phrases that were given are right",
        "recall": "how many of the right phrases were given",
    }
    paper: ClassVar[str] = "Bennani-Smires et al. 2018, Simple Unsupervised Keyphrase Extraction using Sentence Embeddings"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task keyphrases --output keys",
        'functory run keys "The committee met in Paris to discuss the new climate law."',
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        return {"plain": Near(self.options)}

    def suits(self, *, has_examples: bool) -> Suited:
        return Suited("minilm", "zero-shot", WHY, "e5")

    def learn(self, examples: Sequence[Keyed]) -> Cut:
        """Whether a segmenter is here."""
        return Cut(is_segmented=find_spec(SEGMENTER) is not None)

    def scorer(self, outputs: Sequence[Keyphrases], examples: Sequence[Keyed], state: Cut) -> Scorer:
        counts = [overlap([p.text for p in one.phrases], other.phrases) for one, other in zip(outputs, examples, strict=True)]
        both, given, wanted = (np.asarray([one[name] for one in counts]) for name in ("both", "given", "wanted"))

        def score(indices: Array) -> Mapping[str, float]:
            right, said, true = (float(one[indices].sum()) for one in (both, given, wanted))
            least = 1.0  # where nothing was said, or is true
            rates = {"precision": right / max(least, said), "recall": right / max(least, true)}
            return {"f1": 2 * right / max(least, said + true), **rates}

        return score

    def baseline(self, examples: Sequence[Keyed], state: Cut) -> list[Keyphrases]:
        """No phrases at all."""
        return [Keyphrases(phrases=())] * len(examples)

    def judge(self, output: Keyphrases, example: Keyed, state: Cut) -> Judgement:
        given = tuple(phrase.text for phrase in output.phrases)
        counts = overlap(given, example.phrases)
        return Judgement(told(given), told(example.phrases), counts["both"] == counts["wanted"], None, given, example.phrases)

    def golden_inputs(self, state: Cut) -> list[Written]:
        return [Written(text=text) for text in GOLDEN]


GOLDEN = (
    "The committee met in Paris on Monday to discuss the new climate law, and nobody was surprised by its delay.",
    "A lens made of water bends light as glass does; a drop of rain is such a lens.",
    "国务院总理昨天在北京会见了来自法国的工程师代表团。",
    "the and of",
    "",
)
"""Texts for replaying: with phrases, without, in two scripts."""


def _segments(text: str, state: Cut) -> bool:
    """Return whether the words of Chinese are found by a segmenter.

    :raises NotSupported: where the function was made with one, the text has such words, and none is here.
    """
    if state.is_segmented and find_spec(SEGMENTER) is None and any("\u3040" <= sign <= "\u9fff" for sign in text):
        raise NotSupported(
            f"the function was made with {SEGMENTER}, which finds the words of Chinese, and it is not installed here.",
            do="pip install 'functory-embedding[chinese]'.",
        )
    return state.is_segmented

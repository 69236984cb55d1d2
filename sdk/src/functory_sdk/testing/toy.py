"""A toy task with toy data: a text is called "yes" or "no" by the one word in it that decides.

A complete task in one file, apart from its head (torch): what a reader may start from.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from functory.contracts.adaptation import Adaptation
from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import NoOptions
from functory.contracts.engine import Fit, TrainingSession
from functory.contracts.formulation import Formulation, Target
from functory.contracts.labels import Label, LabelRules
from functory.contracts.rows import Array, Encoded, Port, Row
from functory.contracts.task import Input, Output, Scorer, State, Task
from functory.errors import DataError
from functory.reading.reader import Reader
from functory_sdk.testing.tiny import WORDS

DECISIVE = {"good": "yes", "fine": "yes", "bad": "no", "poor": "no"}
"""The words that decide, and what they say."""


def rows(count: int = 64, seed: int = 0) -> list[dict[str, str]]:
    """Return so many examples as plain data: texts of 3 to 12 words, one of which decides."""
    draw = random.Random(seed)
    filler = [word for word in WORDS if word not in DECISIVE]
    made = []
    for index in range(count):
        words = draw.choices(filler, k=draw.randint(2, 11))
        decisive = list(DECISIVE)[index % len(DECISIVE)]
        words.insert(draw.randint(0, len(words)), decisive)
        made.append({"text": " ".join(words), "label": DECISIVE[decisive]})
    return made


class ToyText(Input):
    """A text."""

    text: str = Field(description="The text.")


class ToyExample(ToyText):
    """A text and what it says."""

    label: Label = Field(description="What the text says.")


class ToyLabel(Output):
    """What a text says."""

    label: str = Field(description="The likeliest label.")
    scores: dict[str, float] = Field(description="The probability of each label.")


class ToyState(State):
    """The labels in their order."""

    labels: tuple[str, ...] = ()


class ToyTask(Task[LabelRules], Formulation):
    """Says yes or no, for tests."""

    head: ClassVar[str] = "functory_sdk.testing.toy_head:ToyHead"
    Input: ClassVar = ToyText
    Output: ClassVar = ToyLabel
    Example: ClassVar = ToyExample
    State: ClassVar = ToyState
    metric: ClassVar[str] = "accuracy"
    metrics: ClassVar[Mapping[str, str]] = {"accuracy": "the share of texts whose label is right"}
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"text": ("text",), "label": ("label",)}

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """The same whether something is learned or nothing, so that every adaptation can be tried on it."""
        return dict.fromkeys(("features", "prompt"), self)

    def learn(self, examples: Sequence[ToyExample]) -> ToyState:
        return ToyState(labels=self.options.labels or tuple(sorted({example.label for example in examples})) or ("no", "yes"))

    def check(self, example: ToyExample, state: ToyState) -> None:
        if example.label not in state.labels:
            raise DataError(f"unknown label {example.label!r}.", do=f"the labels are {', '.join(state.labels)}.")

    def strata(self, example: ToyExample) -> tuple[str, ...]:
        return (example.label,)

    def relabelled(self, example: ToyExample, names: Mapping[str, str]) -> ToyExample:
        return example.model_copy(update={"label": names.get(example.label, example.label)})

    def outputs(self, spec: BackboneSpec, state: ToyState) -> tuple[Port, ...]:
        return (Port("scores", "float32", (len(state.labels),)),)

    def gold_ports(self, spec: BackboneSpec, state: ToyState) -> tuple[Port, ...]:
        return (Port("gold", "int64"),)

    def encode(self, inputs: Sequence[ToyText], reader: Reader, state: ToyState) -> Encoded:
        return reader.encode([value.text for value in inputs])

    def label(self, examples: Sequence[ToyExample], encoded: Encoded, state: ToyState) -> list[dict[str, Array]]:
        gold = [np.asarray(state.labels.index(example.label), dtype=np.int64) for example in examples]
        return [{"gold": gold[owner]} for owner in encoded.owner]

    def decode(self, side: tuple[str, ...], outputs: Sequence[Row], state: ToyState) -> ToyLabel:
        scores = np.mean([np.exp(output["scores"]) for output in outputs], axis=0)
        named = {label: round(float(score), 6) for label, score in zip(state.labels, scores, strict=True)}
        return ToyLabel(label=state.labels[int(scores.argmax())], scores=named, notes=side)

    def targets(self, output: ToyLabel, side: object, state: ToyState) -> list[Target]:
        order = sorted(state.labels, key=lambda label: -output.scores[label])
        return [Target(name=label, port="scores", index=(state.labels.index(label),), scale="log") for label in order]

    def scorer(self, outputs: Sequence[ToyLabel], examples: Sequence[ToyExample], state: ToyState) -> Scorer:
        right = np.asarray([o.label == e.label for o, e in zip(outputs, examples, strict=True)], dtype=float)
        return lambda indices: {"accuracy": float(right[indices].mean())}

    def baseline(self, examples: Sequence[ToyExample], state: ToyState) -> list[ToyLabel]:
        most = Counter(example.label for example in examples).most_common(1)[0][0]
        return [ToyLabel(label=most, scores={most: 1.0})] * len(examples)

    def output_schema(self, state: ToyState) -> dict[str, Any]:
        schema = super().output_schema(state)
        schema["properties"]["label"]["enum"] = list(state.labels)
        return schema

    def golden_inputs(self, state: ToyState) -> list[ToyText]:
        texts = ("we saw the good film", "bad", "it was 好 and very fine", "rain in the night " * 40)
        return [ToyText(text=text) for text in texts]


class ToyGroups(ToyTask):
    """Says which text of a few is the one, for tests: rows of an example that belong together."""

    head: ClassVar[str] = "functory_sdk.testing.toy_head:ToyGroupHead"

    def gold_ports(self, spec: BackboneSpec, state: ToyState) -> tuple[Port, ...]:
        return (*super().gold_ports(spec, state), Port("size", "int64"))


class ToyPairs(ToyTask):
    """Says yes or no of a text and the same text turned around, each read by itself, for tests."""

    head: ClassVar[str] = "functory_sdk.testing.toy_head:ToyPairHead"
    texts = 2

    def encode(self, inputs: Sequence[ToyText], reader: Reader, state: ToyState) -> Encoded:
        pairs = [(value.text, " ".join(reversed(value.text.split()))) for value in inputs]
        return reader.each_by_itself(pairs, fields=("text", "turned"))


class ToyChoices(Input):
    """A question with any number of options, any of which may be what decides."""

    question: str = Field(description="The question.")
    options: tuple[str, ...] = Field(description="The options.")


class ToyChoicesExample(ToyChoices):
    """A question with its options, and what they say."""

    label: Label = Field(description="What they say.")


class ToyManyTask(ToyTask):
    """Says yes or no of many texts, which stand in a list, for tests."""

    Input: ClassVar[Any] = ToyChoices
    Example: ClassVar[Any] = ToyChoicesExample
    shorthand: ClassVar[tuple[str, ...]] = ("question", "options")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"question": ("question",), "options": ("options",), "label": ("label",)}

    def encode(self, inputs: Sequence[Any], reader: Reader, state: ToyState) -> Encoded:
        return reader.encode([(value.question, *value.options) for value in inputs])

    def golden_inputs(self, state: ToyState) -> list[Any]:
        return [ToyChoices(question=one.text, options=("the rain", one.text, "夜")) for one in super().golden_inputs(state)]


def many_rows(count: int = 64, seed: int = 0) -> list[dict[str, Any]]:
    """Return so many examples of `ToyManyTask`: the words of `rows` cut into a question and two options, or three alike."""
    made = []
    for index, row in enumerate(rows(count, seed)):
        words = row["text"].split()
        parts = [" ".join(words[start::3]) or "we" for start in range(3)]
        options = (*parts[1:], *parts[1:2]) if index % 3 == 0 else tuple(parts[1:])
        made.append({"question": parts[0], "options": options, "label": row["label"]})
    return made


class ToyAdaptation(Adaptation[NoOptions]):
    """Fits the toy task's head, for tests."""

    def cut(self, spec: BackboneSpec) -> int:
        return spec.points

    def fit(self, session: TrainingSession) -> Fit:
        from functory_sdk.testing.toy_head import fit

        return fit(session)

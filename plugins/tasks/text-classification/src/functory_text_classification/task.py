"""The contract: what is computed, what is learned besides φ, how well. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from functory_sdk import BackboneSpec, DataError, Formulation, NotSupported, OptionError, Scorer, Task
from functory_text_classification.metrics import breakdown, scorer
from functory_text_classification.types import Classification, ClassificationOptions, LabelledText, Labels, Mode, Text

GOLDEN = (
    "A small movie with a big impact.",
    "It is neither as funny nor as clever as it thinks it is.",
    "The delivery was late, and nobody answered my calls.",
    "价格合理，质量也不错，下次还会再来。",
    "Prices rose 3.2% in the 2nd quarter – more than the 2.9% that analysts had expected.",
    "ok",
    (
        "One thing after another went wrong that day, from the first call in the morning to the last train at night; "
        "still, looking back, none of us would have missed it, and most of us would go again tomorrow if they were asked."
    ),
)


class TextClassification(Task[ClassificationOptions]):
    """Says which label a text has: one of several, one or not, or any number of them."""

    Input: ClassVar = Text
    Output: ClassVar = Classification
    Example: ClassVar = LabelledText
    State: ClassVar = Labels
    metric: ClassVar[str] = "accuracy"
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "review", "content", "comment", "document", "文本", "评论"),
        "label": ("label", "labels", "category", "class", "sentiment", "topic", "intent", "target", "标签"),
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --train reviews.csv --backbone minilm --adaptation head",
        "functory build --task text-classification --backbone smollm2 --set task.labels=sports,politics",
    )

    def formulate(self, spec: BackboneSpec, learning: Literal["supervised", "nothing"]) -> Formulation:
        from functory_text_classification.classify import Classify
        from functory_text_classification.likelihood import Likelihood

        if learning == "supervised":
            return Classify()
        if spec.architecture != "decoder" or not spec.has_logits:
            raise NotSupported(
                f"zero-shot classification asks a decoder for the likelihood of each label; {spec.reference!r} is an "
                f"{spec.architecture}.",
                do="choose a decoder such as smollm2, or give training data.",
            )
        return Likelihood(self.options)

    def learn(self, examples: Sequence[LabelledText]) -> Labels:
        counts = Counter(label for example in examples for label in example.labels)
        labels = self.options.labels or tuple(sorted(counts))
        if len(labels) < 2:
            raise DataError(
                f"there {'is one label' if labels else 'are no labels'}: {', '.join(labels) or 'give some'}.",
                do="give examples of at least two labels, or name them: labels = ['a', 'b'].",
            )
        mode = self.options.mode
        if mode == "auto":
            mode = "multi" if any(not isinstance(example.label, str) for example in examples) else "single"
        if mode == "binary":
            labels = self._binary(labels, counts)
        thresholds = {"single": (), "binary": (0.5,), "multi": (0.5,) * len(labels)}[mode]
        return Labels(labels=labels, mode=mode, thresholds=thresholds)

    def adopt(
        self, labels: Sequence[str], *, unit: Literal["text", "token"] = "text", is_multi: bool | None = False
    ) -> tuple[Labels, Sequence[int]]:
        """The checkpoint's labels; those of the options, where they are given, are their names here."""
        if unit != "text":
            raise NotSupported("the head labels tokens, and not whole texts.", do="build it with task = 'ner'.")
        named = self.options.labels or tuple(labels)
        if len(named) != len(labels) or len(set(named)) != len(named):
            raise OptionError(
                f"the head has {len(labels)} outputs; the labels are {_listed(named)}.",
                do=f"name {len(labels)} different labels, in the order of {_listed(tuple(labels))}.",
            )
        if is_multi is None:
            is_multi = self.options.mode == "multi"
        mode: Mode = "multi" if is_multi else "single"
        if self.options.mode not in ("auto", mode):
            raise OptionError(
                f"mode = {self.options.mode!r}, and the head was fitted for {mode!r}.", do=f"leave mode out, or say {mode!r}."
            )
        state = Labels(labels=named, mode=mode, thresholds=(0.5,) * len(named) if is_multi else ())
        return state, range(len(named))

    def _binary(self, labels: tuple[str, ...], counts: Counter[str]) -> tuple[str, ...]:
        """Return the two labels, the one looked for last."""
        if len(labels) != 2:
            raise OptionError(f"mode = 'binary' wants two labels; there are {len(labels)}.", do="use mode = 'single'.")
        positive = self.options.positive or min(labels, key=lambda label: (counts[label], label))
        if positive not in labels:
            raise OptionError(f"positive = {positive!r} is no label.", do=f"the labels are {', '.join(labels)}.")
        return tuple(sorted(labels, key=lambda label: label == positive))

    def check(self, example: LabelledText, state: Labels) -> None:
        unknown = [label for label in example.labels if label not in state.labels]
        if unknown:
            raise DataError(f"unknown label {unknown[0]!r}.", do=f"the function knows {_listed(state.labels)}.")
        if state.mode != "multi" and len(example.labels) != 1:
            raise DataError(f"{len(example.labels)} labels where one is wanted.", do="use mode = 'multi'.")

    def strata(self, example: LabelledText) -> tuple[str, ...]:
        return tuple(example.labels)

    def scorer(self, outputs: Sequence[Classification], examples: Sequence[LabelledText], state: Labels) -> Scorer:
        return scorer(outputs, examples, state)

    def breakdown(
        self, outputs: Sequence[Classification], examples: Sequence[LabelledText], state: Labels
    ) -> Mapping[str, Any]:
        return breakdown(outputs, examples, state)

    def baseline(self, examples: Sequence[LabelledText], state: Labels) -> Sequence[Classification]:
        """The commonest label of the examples, for each of them."""
        counts = Counter(label for example in examples for label in example.labels)
        most = max(state.labels, key=lambda label: counts[label])
        given = (most,) if state.mode != "multi" or counts[most] * 2 > len(examples) else ()
        one = Classification(label=most, score=1.0, scores={}, labels=given)
        return [one] * len(examples)

    def output_schema(self, state: Labels) -> dict[str, Any]:
        schema = super().output_schema(state)
        properties = schema["properties"]
        properties["label"] = {"enum": [*state.labels, *([None] if state.mode == "multi" else [])], "title": "Label",
                               "description": properties["label"].get("description", "")}  # fmt: skip
        properties["labels"]["items"] = {"enum": list(state.labels)}
        return schema

    def golden_inputs(self, state: Labels) -> Sequence[Text]:
        return [Text(text=text) for text in GOLDEN]


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:12])
    return shown if len(labels) <= 12 else f"{shown} and {len(labels) - 12} more"

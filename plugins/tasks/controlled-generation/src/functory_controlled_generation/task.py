"""The contract: a prompt and what is asked of the text in, a text that is so out, and how often it is. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from functory_controlled_generation.types import Asked, Controlled, ControlledOptions, ReferencedAsked
from functory_sdk import BackboneSpec, Control, Formulation, Judgement, Scorer, State, WriteTask, faults, told


class ControlledGeneration(WriteTask[ControlledOptions]):
    """Writes a text that holds given words, not others, has a given length and pleases a classifier; zero-shot or taught."""

    paper: ClassVar[str] = "Yang and Klein 2021, FUDGE (arXiv 2104.05218)"
    Options: ClassVar = ControlledOptions
    Input: ClassVar = Asked
    Output: ClassVar[Any] = Controlled
    Example: ClassVar = ReferencedAsked
    shorthand: ClassVar[tuple[str, ...]] = ("text",)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "prompt", "instruction", "input"),
        "must": ("must", "keywords", "concepts", "words_wanted"),
        "must_not": ("must_not", "forbidden"),
        "words": ("words", "length"),
        "characters": ("characters",),
        "sentences": ("sentences",),
        "reference": ("reference", "completion", "output", "answer", "target"),
    }
    metric: ClassVar[str] = "held"
    metrics: ClassVar[Mapping[str, str]] = {
        "held": "the share of texts of which all holds that was asked by words and lengths",
        "words_held": "of the words that must stand in texts, the share that does",
        "likelihood": "the mean log-probability of a text's tokens, as the backbone alone has it: it shows what a control costs",
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task controlled-generation --backbone smollm2 --output story",
        "functory run story --input asked.jsonl",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        from functory_controlled_generation.controlling import Controlling

        self.check_backbone(spec)
        return {"prompt": Controlling(self.options, spec)}

    def asked(self, example: Asked) -> Control:
        """Return all that is asked of an example's text."""
        return Control.model_construct(**example.beside(self.options.control))

    def scorer(self, outputs: Sequence[Any], examples: Sequence[Any], state: State) -> Scorer:
        lacking = [faults(self.asked(one), output.text) for output, one in zip(outputs, examples, strict=True)]
        held = np.asarray([not some for some in lacking], dtype=np.float64)
        wanted = np.asarray([len(self.asked(one).must) for one in examples], dtype=np.float64)
        missing = np.asarray([sum(one.endswith(" is missing") for one in some) for some in lacking], dtype=np.float64)
        likely = np.asarray([output.likelihood for output in outputs], dtype=np.float64)
        return lambda chosen: {
            "held": float(held[chosen].mean()),
            "words_held": 1 - float(missing[chosen].sum() / max(1.0, wanted[chosen].sum())),
            "likelihood": float(likely[chosen].mean()),
        }

    def judge(self, output: Any, example: Any, state: State) -> Judgement:
        """Right where all that was asked holds."""
        lacking = faults(self.asked(example), output.text)
        return Judgement(told(output.text.strip()), told("; ".join(lacking)), not lacking)

    def golden_inputs(self, state: State) -> Sequence[Asked]:
        return GOLDEN


GOLDEN = (
    Asked(text="Write about the sea.", must_not=("the", "ocean")), Asked(text="用一句话介绍月亮。", must_not=("太阳",)),
    Asked(text="", must_not=("a",)), Asked(text="Name three primary colours."),
)  # fmt: skip
"""Inputs for replaying: what each backbone can hold in however few tokens."""

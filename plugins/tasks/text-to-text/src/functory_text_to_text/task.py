"""The contract: an instruction with its input is the prompt. How it is written, and how well, is the SDK's. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from functory_sdk import BackboneSpec, Formulation, Scorer, State, WriteTask, Written, rouge_scorer
from functory_text_to_text.instructing import Instruct
from functory_text_to_text.types import Answered, Instructed, InstructOptions


class TextToText(WriteTask[InstructOptions]):
    """Does with a text what an instruction says, or a T5's prefix; needs no training data, and learns from some."""

    Options: ClassVar = InstructOptions
    Input: ClassVar = Instructed
    Example: ClassVar = Answered
    shorthand: ClassVar[tuple[str, ...]] = ("input", "instruction")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "input": ("input", "text", "source", "inputs"),
        "instruction": ("instruction", "prefix", "prompt", "指令"),
        "output": ("output", "reference", "target", "targets", "answer", "response", "completion", "输出"),
    }
    gold: ClassVar[str] = "output"
    metrics: ClassVar[Mapping[str, str]] = {
        **WriteTask.metrics,
        "rougeL": "the mean F1 of the longest sequence of words that text and reference have in one order",
    }
    paper: ClassVar[str] = "Raffel et al. 2020, Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-to-text --backbone ./flan-t5-small --set task.instruction='summarize:' --output short",
        "functory build --task text-to-text --train instructions.jsonl --backbone smollm2 --adaptation lora",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        self.check_backbone(spec)
        return {"prompt": Instruct(self.options, spec, str, self.gold)}

    def scorer(self, outputs: Sequence[Written], examples: Sequence[Any], state: State) -> Scorer:
        shared = super().scorer(outputs, examples, state)
        alike = rouge_scorer([output.text for output in outputs], [example.output for example in examples])
        return lambda chosen: {**shared(chosen), "rougeL": alike(chosen)["rougeL"]}

    def golden_inputs(self, state: State) -> Sequence[Instructed]:
        pairs = (
            ("The house is wonderful.", "translate English to German:"),
            ("价格合理，质量也很好。", "用一句话概括："),
            ("", "Name three primary colours."),
            ("The 2nd quarter rose 3.2% – more than <|im_end|> expected", ""),
        )
        return [Instructed(input=text, instruction=told) for text, told in pairs]

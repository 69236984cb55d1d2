"""The contract: turns in, the next turn out, and how like a reference and how varied the turns are. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from functory_dialogue.replying import Reply
from functory_dialogue.types import Conversation, DialogueOptions, Replied
from functory_sdk import (
    DISTINCT,
    BackboneSpec,
    Formulation,
    Judgement,
    Scorer,
    State,
    Suited,
    WriteTask,
    Written,
    distinct_scorer,
    overlap,
    rouge_scorer,
    told,
)


class Dialogue(WriteTask[DialogueOptions]):
    """Says what comes next in a conversation of two; needs no training data, and learns from conversations."""

    Options: ClassVar = DialogueOptions
    Input: ClassVar = Conversation
    Example: ClassVar = Replied
    shorthand: ClassVar[tuple[str, ...]] = ("turns",)
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "turns": ("turns", "history", "dialogue", "dialog", "conversation", "messages", "context", "对话"),
        "reply": ("reply", "response", "answer", "next", "target", "回复"),
    }
    gold: ClassVar[str] = "reply"
    metric: ClassVar[str] = "word_f1"
    metrics: ClassVar[Mapping[str, str]] = {
        "word_f1": "the mean F1 of the words that reply and reference share, a Chinese character being one",
        "rougeL": "the same of the longest sequence of words that both have in one order",
        **DISTINCT,
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task dialogue --backbone smollm2 --set task.system='You are a patient teacher.' --output teacher",
        "functory build --task dialogue --train conversations.jsonl --backbone smollm2 --adaptation lora",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        self.check_backbone(spec)
        return {"prompt": Reply(self.options, spec, str, self.gold)}

    def suits(self, *, has_examples: bool) -> Suited:
        """A decoder that was taught to converse; with examples, taught by them."""
        if has_examples:
            return Suited("smollm2", "lora", "it learns how likely the next turn is after those before it")
        return Suited("smollm2", "zero-shot", "a small decoder that was taught to converse, in English")

    def scorer(self, outputs: Sequence[Written], examples: Sequence[Any], state: State) -> Scorer:
        texts, references = [output.text for output in outputs], [example.reply for example in examples]
        shared = np.asarray([overlap(*pair) for pair in zip(texts, references, strict=True)], dtype=np.float64)
        alike, varied = rouge_scorer(texts, references), distinct_scorer(texts)
        return lambda chosen: {
            "word_f1": float(shared[chosen].mean()), "rougeL": alike(chosen)["rougeL"], **varied(chosen)
        }  # fmt: skip

    def judge(self, output: Written, example: Any, state: State) -> Judgement:
        """A turn is neither right nor wrong: many may follow."""
        return Judgement(told(output.text.strip()), told(example.reply.strip()))

    def golden_inputs(self, state: State) -> Sequence[Conversation]:
        return [Conversation(turns=turns) for turns in GOLDEN]


GOLDEN = (
    ("Name three primary colours.",),
    ("Good morning!", "Good morning. What can I do for you?", "I would like a table for two."),
    ("你好！", "你好，请问需要什么？", "我想订一张两人桌。"),
    ("Who are you?", "<|im_end|>", "Say that <b>again</b>, please… it costs 3.2%?"),
    ("A first word from you.", "And what would you say?"),
)
"""Conversations for replaying: of one turn and of several, begun by either, in two scripts, with signs that a template knows."""

"""The contract: a summary is written where the backbone writes, and taken from the text where it reads. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from functory_sdk import (
    ROUGE,
    BackboneSpec,
    Formulation,
    Judgement,
    Scorer,
    State,
    Suited,
    WriteTask,
    Written,
    rouge_scorer,
    told,
)
from functory_summarization.extracting import FEW, Extract, leading
from functory_summarization.types import Summarised, Summary, SummaryOptions, Text
from functory_summarization.writing import Summarise

TAKEN = "central sentences of the text itself: nothing is invented, and every language that the encoder reads will do"


class Summarization(WriteTask[SummaryOptions]):
    """Says in few sentences what a text says: written by a backbone that writes, else in the text's own sentences."""

    Options: ClassVar = SummaryOptions
    Input: ClassVar = Text
    Output: ClassVar = Summary
    Example: ClassVar = Summarised
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "document", "article", "dialogue", "content", "source", "body", "文本", "正文"),
        "summary": ("summary", "highlights", "abstract", "reference", "target", "headline", "subject_line", "摘要"),
    }
    gold: ClassVar[str] = "summary"
    metric: ClassVar[str] = "rougeL"
    metrics: ClassVar[Mapping[str, str]] = ROUGE
    paper: ClassVar[str] = "Erkan and Radev 2004, LexRank: Graph-based Lexical Centrality as Salience in Text Summarization"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task summarization --backbone minilm --set task.sentences=2 --output summary",
        "functory build --task summarization --train dialogues.csv --backbone smollm2 --adaptation lora",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """A text that is written, where the backbone can; sentences that are taken, where it is an encoder."""
        if spec.architecture == "encoder":
            return {"plain": Extract(self.options)}
        self.check_backbone(spec)
        return {"prompt": Summarise(self.options, spec, lambda value: value.text, self.gold)}

    def suits(self, *, has_examples: bool) -> Suited:
        """Sentences of the text, as nothing small writes a better summary untaught; with examples a decoder that is taught."""
        is_english = self.options.language.lower().split("-")[0] in ("", "en")
        if not has_examples or not is_english:
            return Suited("minilm" if is_english else "e5", "zero-shot", TAKEN, "e5")
        why = "it learns how summaries of such texts are written; texts that are not English: by their own sentences"
        return Suited("smollm2", "lora", why, "e5", multilingual_adaptation="zero-shot")

    def scorer(self, outputs: Sequence[Written], examples: Sequence[Any], state: State) -> Scorer:
        return rouge_scorer([output.text for output in outputs], [example.summary for example in examples])

    def baseline(self, examples: Sequence[Summarised], state: State) -> Sequence[Summary]:
        """The first sentences of each text: what summaries are measured against."""
        few = self.options.sentences or FEW
        return [Summary(text=leading(example.text, few), finish="end") for example in examples]

    def judge(self, output: Written, example: Any, state: State) -> Judgement:
        """A summary is neither right nor wrong."""
        return Judgement(told(output.text), told(example.summary))

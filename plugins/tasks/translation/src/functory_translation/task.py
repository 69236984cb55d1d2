"""The contract: a text in, its translation out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from functory_sdk import BackboneSpec, Formulation, Options, Scorer, State, Suited, WriteTask
from functory_translation.languages import main_of
from functory_translation.types import ReferencedText, Source, Translated, TranslationOptions

GOLDEN = ("The house is small. Who lives there?", "价格合理，质量也不错。", "", "Prices rose 3.2% – more than </s> expected")
TINY = {("en", "pt"): "marian-tiny-en-pt", ("pt", "en"): "marian-tiny-pt-en"}


class Translation(WriteTask[TranslationOptions]):
    """Translates texts, each sentence by itself; with examples it learns their words and manner."""

    Options: ClassVar[type[Options]] = TranslationOptions
    Input: ClassVar = Source
    Output: ClassVar = Translated
    Example: ClassVar = ReferencedText
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "source", "input", "en", "english"),
        "reference": ("reference", "target", "translation", "output", "zh", "chinese"),
    }
    metric: ClassVar[str] = "chrf"
    metrics: ClassVar[Mapping[str, str]] = {
        "chrf": "how many short runs of characters texts and references share, as F-score of all texts together (chrF2 over 100)",
        "bleu": "how many runs of up to four words they share, as precision of all texts together (BLEU over 100)",
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task translation --backbone marian-tiny-en-pt",
        "functory build --task translation --train pairs.csv --set task.source=en --set task.target=zh",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        from functory_translation.translating import Translating

        super().formulations(spec)  # says why a backbone writes no text
        return {"prompt": Translating(self.options, spec)}

    def suits(self, *, has_examples: bool) -> Suited:
        """The tiny translator of the pair, where there is one; else a decoder that is told in words."""
        target = main_of(self.options.target)
        pair = main_of(self.options.source) or ("en" if target == "pt" else ""), target
        adaptation = "lora" if has_examples else "zero-shot"
        if pair in TINY:
            why = "a small translator of just this pair; the licence of its weights is not stated"
            return Suited(TINY[pair], adaptation, why)
        why = "a small decoder that is told in words: a translator of your pair (Marian, NLLB, mBART) from a folder is far better"
        return Suited("smollm2", adaptation, why)

    def scorer(self, outputs: Sequence[Any], examples: Sequence[Any], state: State) -> Scorer:
        from functory_translation.scoring import scorer

        target = outputs[0].target if outputs else self.options.target
        return scorer([one.text for one in outputs], [one.reference for one in examples], target)

    def golden_inputs(self, state: State) -> Sequence[Any]:
        return [Source(text=text) for text in GOLDEN]

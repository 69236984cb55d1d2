"""The contract: what is written, and how well. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from functory_sdk import BackboneSpec, Formulation, NotSupported, Scorer, State, Task
from functory_text_generation.metrics import scorer
from functory_text_generation.types import Generation, GenerationOptions, Prompt, ReferencedPrompt
from functory_text_generation.write import Write

GOLDEN = ("Name three primary colours.", "价格合理，质量", "", "The 2nd quarter rose 3.2% – more than <|im_end|> expected")


class TextGeneration(Task[GenerationOptions]):
    """Writes text for a prompt, the likeliest token each time; needs no training data."""

    Input: ClassVar = Prompt
    Output: ClassVar = Generation
    Example: ClassVar = ReferencedPrompt
    metric: ClassVar[str] = "exact_match"
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "prompt", "input", "question", "instruction", "source"),
        "reference": ("reference", "completion", "output", "answer", "response", "target"),
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-generation --backbone smollm2 --set task.max_new_tokens=40",
    )

    def formulate(self, spec: BackboneSpec, learning: Literal["supervised", "nothing"]) -> Formulation:
        if not spec.has_logits:
            raise NotSupported(
                f"{spec.reference!r} is an {spec.architecture} and writes no text.",
                do="choose a decoder such as smollm2, or a T5.",
            )
        if learning == "supervised":
            raise NotSupported(
                "text generation learns nothing from examples.",
                do="leave out train and adaptation; `functory evaluate` takes examples with a reference.",
            )
        return Write(self.options, spec)

    def scorer(self, outputs: Sequence[Generation], examples: Sequence[ReferencedPrompt], state: State) -> Scorer:
        return scorer(outputs, examples)

    def golden_inputs(self, state: State) -> Sequence[Prompt]:
        return [Prompt(text=text) for text in GOLDEN]

"""The contract of tasks that write: what the prompt is, and how well the text is what was wanted. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import Options
from functory.contracts.formulation import Formulation
from functory.contracts.judging import Judgement, told
from functory.contracts.task import Scorer, State, Suited, Task
from functory.errors import NotSupported
from functory_sdk.writes.metrics import scorer
from functory_sdk.writes.types import WriteOptions, Written

GOLDEN = ("Name three primary colours.", "价格合理，质量", "", "The 2nd quarter rose 3.2% – more than <|im_end|> expected")
"""Texts for replaying: a question, another script, nothing, signs that a template knows."""

W = TypeVar("W", bound=WriteOptions, covariant=True)


class WriteTask(Task[W]):
    """Writes a text for an input, the likeliest or drawn; needs no training data, and learns from some.

    A subclass names its types and says what the prompt is; an instruction comes first, since a prompt that is too long is
    cut at its end. `gold` is the field of Example that a text is compared with::

        class Summary(WriteTask[WriteOptions]):
            '''Says in one sentence what a text says.'''

            Input: ClassVar = Article         # text: str
            Example: ClassVar = Summed        # text: str, reference: str

            def prompt(self, value):
                return f"Say in one sentence what this text says: {value.text}"
    """

    Options: ClassVar[type[Options]] = WriteOptions
    Output: ClassVar = Written
    metric: ClassVar[str] = "exact_match"
    metrics: ClassVar[Mapping[str, str]] = {
        "exact_match": "the share of texts that are the reference, outer white space aside",
        "word_f1": "the mean F1 of the words that text and reference share",
    }
    gold: ClassVar[str] = "reference"

    def prompt(self, value: Any) -> str:
        """Return what the backbone reads of an input; by default its texts, a line each."""
        return "\n".join(getattr(value, name) for name in self.shorthand)

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        from functory_sdk.writes.write import Write

        self.check_backbone(spec)
        return {"prompt": Write(self.options, spec, self.prompt, self.gold)}

    def check_backbone(self, spec: BackboneSpec) -> None:
        """Refuse a backbone that does not write.

        :raises NotSupported: an encoder, or a model without the head that scores tokens.
        """
        if not spec.has_logits:
            what, do = "is an encoder", "choose a decoder such as smollm2, or a T5."
            if spec.architecture != "encoder":
                what = "was saved without the head that scores tokens (lm_head)"
                do = f"take the model with that head, as …ForCausalLM or …ForConditionalGeneration saves it; or {do}"
            raise NotSupported(f"{spec.reference!r} {what} and writes no text.", do=do)

    def suits(self, *, has_examples: bool) -> Suited:
        """A decoder, as it is or, with examples, taught by them."""
        if has_examples:
            return Suited("smollm2", "lora", "it learns how likely the right text is after its prompt")
        return Suited("smollm2", "zero-shot", "a small decoder that was taught to follow instructions")

    def scorer(self, outputs: Sequence[Written], examples: Sequence[Any], state: State) -> Scorer:
        return scorer(outputs, [getattr(example, self.gold) for example in examples])

    def judge(self, output: Written, example: Any, state: State) -> Judgement:
        """Right as `exact_match` has it; a written text does not say how sure it is."""
        given, wanted = output.text.strip(), getattr(example, self.gold).strip()
        return Judgement(told(given), told(wanted), given == wanted)

    def golden_inputs(self, state: State) -> Sequence[Any]:
        """Return `GOLDEN` as inputs, those that the Input takes. For an Input of texts alone."""
        from pydantic import ValidationError

        found = []
        for text in GOLDEN:
            try:
                found.append(self.Input.model_validate(dict.fromkeys(self.shorthand, text)))
            except ValidationError:  # an Input may refuse an empty text
                continue
        return found

"""The contract: which fields there are, what a right answer is, how well one extracts. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from functory_extract.extracting import Extracting
from functory_extract.measuring import METRICS, is_right, rows, scorer
from functory_extract.types import Extraction, ExtractOptions, Filled, FilledText, Text, example_of, output_of
from functory_sdk import BackboneSpec, DataError, Formulation, Judgement, OptionError, Scorer, Suited, Task, told

GOLDEN = ("Bob Smith of Acme ordered 3 chairs on 2 May; he owes 42.50.", "ok", "李明买了两本书，一共付了30元。")
"""Texts for replaying: with values and without, in two scripts."""


class Extract(Task[ExtractOptions]):
    """Takes the fields of a model out of a text, and says where each stands in it; what the text does not say is null."""

    Input: ClassVar = Text
    Output: ClassVar = Extraction
    Example: ClassVar = FilledText
    State: ClassVar = Filled
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "content", "message", "body", "document", "文本", "内容")
    }
    metric: ClassVar[str] = "value_f1"
    metrics: ClassVar[Mapping[str, str]] = METRICS
    examples: ClassVar[tuple[str, ...]] = (
        "functory extract \"Bob Smith ordered 3 chairs.\" customer=text chairs=whole",
        "functory build --task extract --set 'model={customer = \"text\", chairs = \"whole\"}' --output order",
    )

    def __init__(self, options: ExtractOptions | None = None) -> None:
        super().__init__(options)
        schema = self.options.model
        # What a class says of all its tasks, an instance says of itself alone: mypy knows no such variable.
        self.Output, self.Example = output_of(schema), example_of(schema)  # type: ignore[misc]
        self.columns = {**self.columns, **{name: (name,) for name in self._names}}  # type: ignore[misc]

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(self.options.model.get("properties", {}))

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """A prompt, on a backbone that writes."""
        if not spec.has_logits or spec.architecture == "encoder":
            return {}
        return {"prompt": Extracting(self.options, self.Output, self.Example, spec)}

    def suits(self, *, has_examples: bool) -> Suited:
        """A decoder, as it is or, with examples, taught by them."""
        if has_examples:
            return Suited("smollm2", "lora", "it learns how likely the right fields are after a text")
        why = "a guide holds what a decoder writes to the fields; examples teach it what stands in them"
        return Suited("smollm2", "zero-shot", why)

    def learn(self, examples: Sequence[Any]) -> Filled:
        """:raises OptionError: where no field is asked for."""
        if not self._names:
            raise OptionError(
                "an extraction needs fields, and there are none.",
                do="give model = a pydantic model, or a table: model = {customer = 'text', total = 'number'}.",
                field="model",
            )
        return Filled()

    def check(self, example: Any, state: Filled) -> None:
        """:raises DataError: for a row whose fields are all empty and not known: its columns have other names."""
        if not example.model_fields_set & set(self._names):
            raise DataError(
                f"the row has none of the fields: {', '.join(self._names)}.",
                do="give a column for each, or name it: columns = {field = 'COLUMN'}.",
            )

    def scorer(self, outputs: Sequence[Extraction], examples: Sequence[Any], state: Filled) -> Scorer:
        return scorer([output.fields for output in outputs], [self._wanted(example) for example in examples])

    def baseline(self, examples: Sequence[Any], state: Filled) -> list[Extraction]:
        """Nothing: every field is null."""
        return [self.Output()] * len(examples)

    def breakdown(self, outputs: Sequence[Extraction], examples: Sequence[Any], state: Filled) -> Mapping[str, Any]:
        return {"per_class": list(rows([one.fields for one in outputs], [self._wanted(one) for one in examples]))}

    def judge(self, output: Extraction, example: Any, state: Filled) -> Judgement:
        """Field by field."""
        given, wanted = output.fields, self._wanted(example)
        wrong = [name for name in wanted if not is_right(given[name], wanted[name])]
        parts = tuple(f"{name} {told(given[name])}" for name in wanted)
        right = tuple(f"{name} {told(wanted[name])}" if name in wrong else one for name, one in zip(wanted, parts, strict=True))
        return Judgement(", ".join(parts), ", ".join(right), not wrong, None, parts, right)

    def golden_inputs(self, state: Filled) -> list[Text]:
        return [Text(text=text) for text in GOLDEN]

    def _wanted(self, example: Any) -> dict[str, Any]:
        """Return the right fields of an example, as plain data."""
        found: dict[str, Any] = example.model_dump(mode="json", include=set(self._names))
        return {name: found[name] for name in self._names}

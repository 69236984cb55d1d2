"""The contract of tasks that label: what is learned besides φ, how well. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.certainty import Certainty
from functory.contracts.component import Options
from functory.contracts.family import Unit
from functory.contracts.formulation import Formulation
from functory.contracts.judging import Judgement, told
from functory.contracts.labels import known_labels
from functory.contracts.plain import plain_type
from functory.contracts.rows import Encoded
from functory.contracts.task import Floor, Input, Scorer, Suited, Task
from functory.errors import DataError, NotSupported
from functory.reading.reader import Reader, Text
from functory_sdk.labels.certainty import certainty
from functory_sdk.labels.classify import Classify, constant
from functory_sdk.labels.joined import as_lists, told_joined, told_outside
from functory_sdk.labels.learned import adopted, learned
from functory_sdk.labels.likelihood import LikelyLabels
from functory_sdk.labels.metrics import LEVELS, TOLD, breakdown, scorer
from functory_sdk.labels.named import in_words
from functory_sdk.labels.paths import SEPARATOR, steps
from functory_sdk.labels.promised import answering
from functory_sdk.labels.tables import as_paths, stepped, ticked
from functory_sdk.labels.types import Classification, LabelOptions, Labels, output_type

if TYPE_CHECKING:
    from functory.data import Examples

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
"""Texts for replaying: short and long, plain and not, in two scripts."""

L = TypeVar("L", bound=LabelOptions, covariant=True)


class LabelTask(Task[L]):
    """Says which label an input has: one of several, one or not, or any number of them.

    A subclass names its types and columns. What is read are the fields of `shorthand`, one text or several; what is learned is
    the field `gold`::

        class Topic(LabelTask[LabelOptions]):
            '''Says what a headline is about.'''

            Input: ClassVar = Headline          # text: str
            Example: ClassVar = SortedHeadline  # text: str, topic: str
            gold: ClassVar[str] = "topic"
    """

    Options: ClassVar[type[Options]] = LabelOptions
    Output: ClassVar = Classification
    State: ClassVar = Labels
    metric: ClassVar[str] = "accuracy"
    metrics: ClassVar[Mapping[str, str]] = TOLD
    floored_by: ClassVar[str] = "a regression on n-grams of words and characters"
    gold: ClassVar[str] = "label"
    """The field of Example that holds the right label, or a list of them."""
    prompt: ClassVar[str] = ""
    """What a backbone that writes reads before a label, unless the options say; made of the input's fields when empty."""

    def __init__(self, options: L | None = None) -> None:
        super().__init__(options)
        mode = self.options.mode
        # What a class says of all its tasks, an instance says of itself alone: mypy knows no such variable.
        if type(self).Output is Classification:
            self.Output = output_type(mode, is_scoped=self.options.sureness is not None)  # type: ignore[misc]
        if mode == "ordinal":
            self.metric, self.lower_is_better = "quadratic_kappa", ("mean_absolute_error",)  # type: ignore[misc]
        if mode == "path":
            self.metrics = {**self.metrics, **LEVELS}  # type: ignore[misc]

    def text_of(self, value: Any) -> Text:
        """Return what is read of an input: one text, or several as a tuple; by default the fields of `shorthand`."""
        texts = tuple(getattr(value, name) for name in self.shorthand)
        return texts[0] if len(texts) == 1 else texts

    def rows_of(self, inputs: Sequence[Any], reader: Reader) -> Encoded:
        """Return the rows of some inputs, and of each the notes of its output; by default those of `text_of`.

        An answer is the mean over the rows of its input.
        """
        fields = self.shorthand if type(self).text_of is LabelTask.text_of else ()
        return reader.encode([self.text_of(value) for value in inputs], fields=fields)

    @property
    def separator(self) -> str:
        """What stands between the steps of a path; empty where labels are none."""
        return (self.options.separator or SEPARATOR) if self.options.mode == "path" else ""

    def labels_of(self, example: Any) -> tuple[str, ...]:
        """Return the right labels of an example."""
        given = getattr(example, self.gold)
        if self.separator and not isinstance(given, str):
            return (self.separator.join(given),)
        return (given,) if isinstance(given, str) else tuple(given)

    def readings_of(self, value: Any) -> Sequence[Mapping[str, str]]:
        """Return the texts of an input, by field, as they stand in a prompt; several readings where they have no order."""
        return [{name: getattr(value, name) for name in self.Input.model_fields}]

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """Features of any backbone; a prompt, where the input is texts alone and the backbone writes."""
        found: dict[str, Formulation] = {"features": Classify(self.rows_of, self.labels_of)}
        if self._are_texts() and spec.has_logits and spec.architecture != "encoder":
            fields, options = tuple(self.Input.model_fields), self.options
            asked = options if options.prompt else options.model_copy(update={"prompt": self._prompt()})
            found["prompt"] = LikelyLabels(asked, fields, self.readings_of, self.labels_of)
        return found

    def suits(self, *, has_examples: bool) -> Suited:
        """:raises NotSupported: without examples, where the input is more than texts."""
        if not has_examples and not self._are_texts():
            raise self.needs_examples()
        return super().suits(has_examples=has_examples)

    def _are_texts(self) -> bool:
        return all(plain_type(field.annotation) is str for field in self.Input.model_fields.values())

    def _prompt(self) -> str:
        """Return the task's own prompt; one made of the input's fields where it has none."""
        fields = tuple(self.Input.model_fields)
        texts = "\n".join(f"{{{name}}}" for name in fields)
        return self.prompt or f"{texts}\n\nThe {'text' if len(fields) == 1 else 'label of the texts'} above is"

    def learn(self, examples: Sequence[Any]) -> Labels:
        """The labels in their order, and what the mode needs besides.

        :raises DataError: when there are less than two labels, or their order is not known where it counts.
        :raises OptionError: when mode and labels do not go together.
        """
        counts = Counter(label for example in examples for label in self.labels_of(example))
        has_lists = any(not isinstance(getattr(example, self.gold), str) for example in examples)
        return learned(self.options, counts, has_lists=has_lists, separator=self.separator)

    def described(self, state: Labels) -> Sequence[Any]:
        """For each label a text that says what it means: its description, or its name in words.

        :raises NotSupported: where the input is more than one text.
        """
        if len(self.shorthand) > 1 or not self._are_texts():
            raise NotSupported(
                f"task {self.name!r} reads more than one text, and no description of a label could stand in their place.",
                do="give train = '…', or a backbone that writes (smollm2), with adaptation = 'zero-shot'.",
            )
        outside = state.scope.label if state.scope else ""
        given, is_several = self.options.descriptions, state.mode == "multi"
        return [
            self.Example(**{
                self.shorthand[0]: given.get(label) or in_words(label, self.separator),
                self.gold: (label,) if is_several else label,
            })
            for label in state.labels
            if label != outside
        ]  # fmt: skip

    def adopt(
        self, labels: Sequence[str], *, unit: Unit = "text", is_multi: bool | None = False
    ) -> tuple[Labels, Sequence[int]]:
        """The checkpoint's labels; those of the options, where they are given, are their names here."""
        if unit != "text":
            raise self.refuses(unit, "labels of whole texts")
        return adopted(self.options, labels, is_multi=is_multi, separator=self.separator)

    def prepared(self, found: Examples) -> Examples:
        """Read texts of joined labels as lists, where the options name what stands between them.

        :raises DataError: when some examples have a list and some a text, lists are rows of 0 and 1, texts seem to join
            labels and many are wanted, or a path has an empty step.
        """
        if self.separator:
            return as_paths(found, self.gold, self.separator)
        return as_lists(found, self.gold, self.options, self.name)

    def gathered(self, field: str, cells: Mapping[str, Any]) -> Any:
        """The steps of a path, from the top; else the names of the columns that are 1."""
        if field != self.gold:
            return super().gathered(field, cells)
        if self.separator:
            return stepped(cells, self.separator)
        is_list = plain_type(self.Example.model_fields[field].annotation) is not str
        return ticked(cells, is_one=not is_list or self.options.mode not in ("auto", "multi"))

    def labels(self, example: Any) -> tuple[str, ...]:
        """The labels; of a path its steps, since each may be misspelt."""
        found = self.labels_of(example)
        return steps(found[0], self.separator) if self.separator else found

    def relabelled(self, example: Any, names: Mapping[str, str]) -> Any:
        given = getattr(example, self.gold)
        if self.separator:
            renamed = [names.get(step, step) for step in self.labels(example)]
            return example.model_copy(update={self.gold: self.separator.join(renamed)})
        is_one = isinstance(given, str)
        named = tuple(dict.fromkeys(names.get(label, label) for label in self.labels_of(example)))
        return example.model_copy(update={self.gold: named[0] if is_one else named})

    def audit(self, found: Examples) -> Sequence[str]:
        """Say that labels seem to be joined in one text, that lists hold one label each, or that nothing is out of scope."""
        joined = () if self.separator else told_joined(found, self.gold, self.options)
        return (*joined, *told_outside(found, self.labels_of, self.options.out_of_scope))

    def check(self, example: Any, state: Labels) -> None:
        labels = self.labels_of(example)
        unknown = [label for label in labels if label not in state.answers]
        if unknown:
            raise DataError(f"unknown label {unknown[0]!r}.", do=known_labels(unknown[0], state.answers))
        if state.mode != "multi" and len(labels) != 1:
            raise DataError(f"{len(labels)} labels where one is wanted.", do="use mode = 'multi'.")

    def strata(self, example: Any) -> tuple[str, ...]:
        return self.labels_of(example)

    def scorer(self, outputs: Sequence[Classification], examples: Sequence[Any], state: Labels) -> Scorer:
        return scorer([answering(output, state) for output in outputs], [self.labels_of(example) for example in examples], state)

    def breakdown(
        self, outputs: Sequence[Classification], examples: Sequence[Any], state: Labels
    ) -> Mapping[str, Any]:
        given = [answering(output, state) for output in outputs]
        return breakdown(given, [self.labels_of(example) for example in examples], state)

    def certainty(self, outputs: Sequence[Classification], examples: Sequence[Any], state: Labels) -> Certainty:
        return certainty(outputs, [self.labels_of(example) for example in examples], state)

    def judge(self, output: Classification, example: Any, state: Labels) -> Judgement:
        """How sure: the score of the label; where there may be several, of the label that is wrong or lacking."""
        right, output = self.labels_of(example), answering(output, state)
        given, wanted = (tuple(one for one in state.answers if one in labels) for labels in (output.labels, right))
        wrong, sure = {*given} ^ {*wanted}, output.score
        if wrong and state.mode == "multi":
            sure = max(output.scores[label] if label in given else 1 - output.scores[label] for label in wrong)
        parts = (given, wanted) if state.mode == "multi" else ((), ())
        return Judgement(told(given), told(wanted), not wrong, sure, *parts)

    def baseline(self, examples: Sequence[Any], state: Labels) -> Sequence[Classification]:
        """The commonest label of the examples, for each of them."""
        counts = Counter(label for example in examples for label in self.labels_of(example))
        most = max(state.answers, key=lambda label: counts[label])
        given = (most,) if state.mode != "multi" or counts[most] * 2 > len(examples) else ()
        return [constant(most, given, state)] * len(examples)

    def floor(self, examples: Sequence[Any], state: Labels) -> Floor | None:
        """A regression on the n-grams of words and of characters."""
        from functory_sdk.labels.floor import fit_floor

        right = [self.labels_of(example) for example in examples]
        texts = [self.words_of(example) for example in examples]
        fitted = fit_floor(texts, right, state, is_symmetric=self.is_symmetric)
        return None if fitted is None else lambda found: fitted.answers([self.words_of(one) for one in found])

    def words_of(self, value: Any) -> tuple[str, ...]:
        """Return the texts whose n-grams tell of an input, as many of every input; by default those of `text_of`."""
        texts = self.text_of(value)
        return (texts,) if isinstance(texts, str) else tuple(texts)

    @property
    def is_symmetric(self) -> bool:
        """Whether the order of several texts says nothing."""
        return False

    def output_schema(self, state: Labels) -> dict[str, Any]:
        schema = super().output_schema(state)
        properties = schema["properties"]
        properties["label"] = {"enum": [*state.answers, *([None] if state.may_be_none else [])], "title": "Label",
                               "description": properties["label"].get("description", "")}  # fmt: skip
        properties["labels"]["items"] = {"enum": list(state.answers)}
        properties["prediction_set"]["items"] = {"enum": list(state.labels)}
        properties["prediction_set"] = properties.pop("prediction_set")  # after the label, which gives the labels' type its name
        return schema

    def golden_inputs(self, state: Labels) -> Sequence[Input]:
        """Return `GOLDEN` as inputs; of two texts the second is another one. For an Input of texts alone."""
        shifted = (GOLDEN[place:] + GOLDEN[:place] for place in range(len(self.shorthand)))
        return [self.Input(**dict(zip(self.shorthand, texts, strict=True))) for texts in zip(*shifted, strict=True)]


"""The contract of tasks that label: what is learned besides φ, how well. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pydantic import ValidationError

from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import Options
from functory.contracts.judging import Judgement, told
from functory.contracts.labels import known_labels, listed
from functory.contracts.plain import plain_type
from functory.contracts.rows import Encoded
from functory.contracts.task import Formulation, Input, Scorer, Suited, Task
from functory.errors import DataError, NotSupported, OptionError
from functory.reading.reader import Reader, Text
from functory_sdk.labels.classify import Classify
from functory_sdk.labels.likelihood import Likelihood
from functory_sdk.labels.metrics import breakdown, scorer
from functory_sdk.labels.several import joined_by, parted
from functory_sdk.labels.types import Classification, LabelOptions, Labels, Mode

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

TELLING = 30
"""So many lists of one label each tell that there may be none of several; fewer may be a small side of a split."""


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
    metrics: ClassVar[Mapping[str, str]] = {
        "accuracy": "the share of inputs whose label, or whose every label, is right",
        "macro_f1": "the mean of the labels' F1: a rare label counts as much as a common one",
        "f1": "the F1 of the label that is looked for (binary)",
        "precision": "how many of those that were given that label have it (binary)",
        "recall": "how many of those that have that label were given it (binary)",
        "micro_f1": "the F1 of all labels given, counted together (multi-label)",
    }
    gold: ClassVar[str] = "label"
    """The field of Example that holds the right label, or a list of them."""
    prompt: ClassVar[str] = ""
    """What a backbone that writes reads before a label, unless the options say; made of the input's fields when empty."""

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

    def labels_of(self, example: Any) -> tuple[str, ...]:
        """Return the right labels of an example."""
        given = getattr(example, self.gold)
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
            found["prompt"] = Likelihood(asked, fields, self.readings_of, self.labels_of)
        return found

    def suits(self, *, has_examples: bool) -> Suited:
        """:raises NotSupported: without examples, where the input is more than texts."""
        if not has_examples and not self._are_texts():
            raise NotSupported(f"task {self.name!r} learns from examples, and there are none.", do="give train = '…'.")
        return super().suits(has_examples=has_examples)

    def _are_texts(self) -> bool:
        return all(plain_type(field.annotation) is str for field in self.Input.model_fields.values())

    def _prompt(self) -> str:
        """Return the task's own prompt; one made of the input's fields where it has none."""
        fields = tuple(self.Input.model_fields)
        texts = "\n".join(f"{{{name}}}" for name in fields)
        return self.prompt or f"{texts}\n\nThe {'text' if len(fields) == 1 else 'label of the texts'} above is"

    def learn(self, examples: Sequence[Any]) -> Labels:
        counts = Counter(label for example in examples for label in self.labels_of(example))
        labels = self.options.labels or tuple(sorted(counts))
        if len(labels) < 2:
            raise DataError(
                f"there {'is one label' if labels else 'are no labels'}: {', '.join(labels) or 'give some'}.",
                do="give examples of at least two labels, or name them: labels = ['a', 'b'].",
            )
        mode = self.options.mode
        if mode == "auto":
            mode = "multi" if any(not isinstance(getattr(example, self.gold), str) for example in examples) else "single"
        if mode == "binary":
            labels = self._binary(labels, counts)
        thresholds = {"single": (), "binary": (0.5,), "multi": (0.5,) * len(labels)}[mode]
        strange = [label for label in self.options.descriptions if label not in labels]
        if strange:
            raise OptionError(
                f"descriptions has words for {strange[0]!r}, which is no label.", do=f"the labels are {', '.join(labels)}."
            )
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
                f"the head has {len(labels)} outputs; the labels are {listed(named)}.",
                do=f"name {len(labels)} different labels, in the order of {listed(tuple(labels))}.",
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

    def prepared(self, found: Examples) -> Examples:
        """Read texts of joined labels as lists, where the options name what stands between them.

        :raises DataError: when some examples have a list and some a text, lists are rows of 0 and 1, or texts seem to join
            labels and many are wanted.
        """
        if self.options.separator:
            return replace(found, items=tuple(map(self._parted, found)))
        _refuse_places(found, self.gold)
        texts = [number for number, example in enumerate(found) if isinstance(getattr(example, self.gold), str)]
        if texts and len(texts) < len(found):
            raise _mixture(found, texts, self.gold)
        separator = joined_by(self._texts(found), is_sure=True) if self.options.mode == "multi" else ""
        if separator:
            first = next(n for n in texts if separator in getattr(found[n], self.gold))
            raise DataError(
                f"{self.gold} = {getattr(found[first], self.gold)!r} looks like several labels in one text.",
                where=found.places[first],
                do=f"say what stands between them: separator = {separator!r} (--set 'task.separator=\"{separator}\"'); if it "
                "is one label, give lists, or a separator that stands in none.",
            )
        return found

    def _parted(self, example: Any) -> Any:
        """Return an example with a list of labels.

        :raises OptionError: where the task's examples have one label each.
        """
        given = getattr(example, self.gold)
        if not isinstance(given, str):
            return example
        try:
            return type(example).model_validate({**dict(example), self.gold: parted(given, self.options.separator)})
        except ValidationError as error:
            raise OptionError(
                f"separator = {self.options.separator!r}, and task {self.name!r} has one {self.gold} an example.",
                do="leave separator out.",
            ) from error

    def _texts(self, found: Examples) -> Iterator[str]:
        """Give the labels that are a text alone."""
        return (given for example in found if isinstance(given := getattr(example, self.gold), str))

    def relabelled(self, example: Any, names: Mapping[str, str]) -> Any:
        given = getattr(example, self.gold)
        is_one = isinstance(given, str)
        named = tuple(dict.fromkeys(names.get(label, label) for label in self.labels_of(example)))
        return example.model_copy(update={self.gold: named[0] if is_one else named})

    def audit(self, found: Examples) -> Sequence[str]:
        """Say that labels seem to be joined in one text, or that lists hold one label each."""
        lists = [given for example in found if not isinstance(given := getattr(example, self.gold), str)]
        if len(lists) >= TELLING and self.options.mode == "auto" and all(len(given) == 1 for given in lists):
            return (f"all {len(lists):,} texts have a list of one label: if none can have several, mode = 'single' says so.",)
        separator = joined_by(self._texts(found)) if not self.options.separator else ""
        if not separator:
            return ()
        first = next(n for n, example in enumerate(found) if separator in getattr(example, self.gold))
        where = f"{getattr(found[first], self.gold)!r} in {found.places[first]}"
        return (f"labels look joined by {separator!r}: {where}; separator = {separator!r} reads them as several each.",)

    def check(self, example: Any, state: Labels) -> None:
        labels = self.labels_of(example)
        unknown = [label for label in labels if label not in state.labels]
        if unknown:
            raise DataError(f"unknown label {unknown[0]!r}.", do=known_labels(unknown[0], state.labels))
        if state.mode != "multi" and len(labels) != 1:
            raise DataError(f"{len(labels)} labels where one is wanted.", do="use mode = 'multi'.")

    def strata(self, example: Any) -> tuple[str, ...]:
        return self.labels_of(example)

    def scorer(self, outputs: Sequence[Classification], examples: Sequence[Any], state: Labels) -> Scorer:
        return scorer(outputs, [self.labels_of(example) for example in examples], state)

    def breakdown(
        self, outputs: Sequence[Classification], examples: Sequence[Any], state: Labels
    ) -> Mapping[str, Any]:
        return breakdown(outputs, [self.labels_of(example) for example in examples], state)

    def judge(self, output: Classification, example: Any, state: Labels) -> Judgement:
        """How sure: the score of the label; where there may be several, of the label that is wrong or lacking."""
        right = self.labels_of(example)
        given, wanted = (tuple(one for one in state.labels if one in labels) for labels in (output.labels, right))
        wrong, sure = {*given} ^ {*wanted}, output.score
        if wrong and state.mode == "multi":
            sure = max(output.scores[label] if label in given else 1 - output.scores[label] for label in wrong)
        parts = (given, wanted) if state.mode == "multi" else ((), ())
        return Judgement(told(given), told(wanted), not wrong, sure, *parts)

    def baseline(self, examples: Sequence[Any], state: Labels) -> Sequence[Classification]:
        """The commonest label of the examples, for each of them."""
        counts = Counter(label for example in examples for label in self.labels_of(example))
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

    def golden_inputs(self, state: Labels) -> Sequence[Input]:
        """Return `GOLDEN` as inputs; of two texts the second is another one. For an Input of texts alone."""
        shifted = (GOLDEN[place:] + GOLDEN[:place] for place in range(len(self.shorthand)))
        return [self.Input(**dict(zip(self.shorthand, texts, strict=True))) for texts in zip(*shifted, strict=True)]


def _refuse_places(found: Examples, field: str) -> None:
    """Refuse lists that say for each label whether the example has it, as 0 or 1: their places have no names.

    :raises DataError: where all lists are of one length, hold nothing else, and some number stands twice.
    """
    lists = [getattr(example, field) for example in found]
    if not lists or any(isinstance(one, str) for one in lists) or len(set(map(len, lists))) > 1:
        return
    if all({*one} <= {"0", "1"} for one in lists) and any(len({*one}) < len(one) for one in lists):
        raise DataError(
            f"labels are rows of {len(lists[0])} zeros and ones, such as {', '.join(lists[0])}, which name no label.",
            where=found.places[0],
            do="give the names of those that are 1: ['red', 'car'].",
        )


def _mixture(found: Examples, texts: Sequence[int], field: str) -> DataError:
    """Return the error of examples of which some have a list of labels and some a text."""
    lists = sorted(set(range(len(found))) - set(texts))
    first, other = found.places[lists[0]], found.places[texts[0]]
    return DataError(
        f"{len(lists):,} examples have a list of labels (the first {first}), and {len(texts):,} have a text "
        f"({getattr(found[texts[0]], field)!r} in {other}).",
        where=found.source,
        do="give every example a list, ['red'] too; or name what stands between labels in a text: separator = ','.",
    )

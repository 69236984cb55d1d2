"""Tasks that label two texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import Options
from functory.contracts.formulation import Formulation
from functory.contracts.rows import Encoded
from functory.contracts.task import Input, Suited
from functory.reading.reader import Reader
from functory_sdk.labels.classify import ClassifySymmetric, ClassifyVectors
from functory_sdk.labels.task import LabelTask
from functory_sdk.labels.types import LabelOptions, Labels
from functory_sdk.pairs import FIRST, GOLDEN_PAIRS, SECOND, both_orders, each_by_itself


class PairOptions(LabelOptions):
    """Options of every task that labels two texts."""

    symmetric: bool = Field(
        default=False,
        description="Whether the order of the two says nothing, as it does of paraphrases: both orders are learned and read, "
        "and their answers averaged, so that (a, b) and (b, a) have the same.",
    )


P = TypeVar("P", bound=PairOptions, covariant=True)


class PairTask(LabelTask[P]):
    """Says which label two texts have together.

    The two are the fields of `shorthand`; a subclass names its types::

        class Answered(PairTask[PairOptions]):
            '''Says whether a reply answers a question.'''

            Input: ClassVar = Exchange          # question: NotBlank, reply: NotBlank
            Example: ClassVar = JudgedExchange  # the same, and label: Label
            shorthand: ClassVar = ("question", "reply")

    What is learned is the field `gold`, as for every `LabelTask`.
    """

    Options: ClassVar[type[Options]] = PairOptions
    shorthand: ClassVar[tuple[str, ...]] = ("first", "second")
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"first": FIRST, "second": SECOND}

    @property
    def is_symmetric(self) -> bool:
        return self.options.symmetric

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """Both texts in one row, or each by itself."""
        apart = ClassifySymmetric if self.options.symmetric else ClassifyVectors
        return {**super().formulations(spec), "vectors": apart(self.vectors_of, self.labels_of)}

    def suits(self, *, has_examples: bool) -> Suited:
        """:raises NotSupported: as `LabelTask` has it."""
        suited = super().suits(has_examples=has_examples)
        why = "a head sees both vectors and how they differ, layers that learn read both texts together: your data decide"
        return replace(suited, why=why) if has_examples else suited

    def vectors_of(self, inputs: Sequence[Any], reader: Reader) -> Encoded:
        """Return rows that hold both texts of an input, each by itself; where their order says nothing, in one order."""
        first, second = self.shorthand
        pairs = [(getattr(value, first), getattr(value, second)) for value in inputs]
        return each_by_itself(pairs, reader, (first, second), is_symmetric=self.options.symmetric)

    def rows_of(self, inputs: Sequence[Any], reader: Reader) -> Encoded:
        """The pairs as they are; where their order says nothing, in both orders."""
        if not self.options.symmetric:
            return super().rows_of(inputs, reader)
        first, second = self.shorthand
        return both_orders([(getattr(value, first), getattr(value, second)) for value in inputs], reader, (first, second))

    def readings_of(self, value: Any) -> Sequence[Mapping[str, str]]:
        """The two texts; where their order says nothing, in both orders, the same whichever came first."""
        [given] = super().readings_of(value)
        if not self.options.symmetric:
            return [given]
        first, second = self.shorthand
        turned = {**given, first: given[second], second: given[first]}
        return sorted([given] if turned == given else [given, turned], key=lambda one: one[first])

    def golden_inputs(self, state: Labels) -> Sequence[Input]:
        """Return `GOLDEN_PAIRS` as inputs. For an Input of two texts alone."""
        return [self.Input(**dict[str, Any](zip(self.shorthand, pair, strict=True))) for pair in GOLDEN_PAIRS]

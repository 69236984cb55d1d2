"""The contract: a text with two spans in it → one of the relations, direction included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from functory_relation.asking import AskRelation, may_ask
from functory_relation.metrics import METRICS, per_relation, scorer
from functory_relation.relate import Relate, encoded, related, side_of
from functory_relation.types import NOTHING, LabelledPlaces, Places, Related, RelationLabels, RelationOptions
from functory_sdk import (
    BackboneSpec,
    Classification,
    Encoded,
    Examples,
    Floor,
    Formulation,
    Labels,
    LabelTask,
    NotSupported,
    OptionError,
    Options,
    Reader,
    Scorer,
    Suited,
    Unit,
)
from functory_sdk.labels.promised import answering


class Relation(LabelTask[RelationOptions]):
    """Says how two spans of a text are related, in which direction."""

    Options: ClassVar[type[Options]] = RelationOptions
    Input: ClassVar = Places
    Output: ClassVar = Related
    Example: ClassVar = LabelledPlaces
    State: ClassVar = RelationLabels
    shorthand: ClassVar[tuple[str, ...]] = ("text", "head", "tail")
    metric: ClassVar[str] = "macro_f1"
    metrics: ClassVar[Mapping[str, str]] = METRICS
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "context", "文本", "句子"),
        "head": ("head", "e1", "h", "subj", "subject", "first", "entity1", "主语"),
        "tail": ("tail", "e2", "t", "obj", "object", "second", "entity2", "宾语"),
        "label": ("label", "relation", "rel", "relation_type", "predicate", "class", "标签", "关系"),
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task relation --train TRAIN_FILE.TXT --backbone minilm --adaptation lora",
        'functory run related "The <e1>boat</e1> lay in the <e2>dock</e2>."',
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        asked = {"prompt": AskRelation(self.options, self.labels_of)} if may_ask(self.options, spec) else {}
        if spec.architecture == "encoder-decoder":
            if asked:
                return asked
            raise NotSupported(
                f"{spec.reference!r} has its last states where it writes, and none at the marks of a text.",
                do="choose an encoder such as minilm or e5, or a decoder.",
            )
        return {"features": Relate(self.rows_of, self.labels_of), **asked}

    def suits(self, *, has_examples: bool) -> Suited:
        """Without examples a decoder, which is asked how likely each relation is that is named.

        :raises NotSupported: without examples, where none is named.
        """
        if has_examples or not self.options.labels:
            return super().suits(has_examples=has_examples)
        return Suited("smollm2", "zero-shot", "a decoder says how likely each relation is after the text")

    def rows_of(self, inputs: Sequence[Any], reader: Reader) -> Encoded:
        return encoded(inputs, reader)

    def learn(self, examples: Sequence[Any]) -> RelationLabels:
        """The labels, and which of them is none.

        :raises OptionError: where the options name one that is no label, or ask for several labels a pair.
        """
        if self.options.mode not in ("auto", "single"):
            raise OptionError(f"mode = {self.options.mode!r}, and two spans have one relation.", do="leave mode out.")
        found = super().learn(examples)
        if self.options.nothing and self.options.nothing not in found.labels:
            raise OptionError(
                f"nothing = {self.options.nothing!r} is no label.", do=f"the labels are {', '.join(found.labels)}."
            )
        nothing = self.options.nothing or next((label for label in NOTHING if label in found.labels), "")
        return RelationLabels(**dict(found), nothing=nothing)

    def adopt(
        self, labels: Sequence[str], *, unit: Unit = "text", is_multi: bool | None = False
    ) -> tuple[Any, Sequence[int]]:
        """Heads from elsewhere read their own marks, which no file tells.

        :raises NotSupported: always.
        """
        raise NotSupported(f"task {self.name!r} takes no head that was fitted elsewhere.", do="give train = '…'.")

    def audit(self, found: Examples) -> Sequence[str]:
        """Nothing: what stands in (e1,e2) joins no labels."""
        return ()

    def scorer(self, outputs: Sequence[Classification], examples: Sequence[Any], state: Labels) -> Scorer:
        return scorer([answering(output, state) for output in outputs], [example.label for example in examples], state)

    def baseline(self, examples: Sequence[Any], state: Labels) -> list[Classification]:
        """The commonest relation for all: the label of none, where that is commoner, would find nothing."""
        found = super().baseline(examples, state)
        return [related(one, side_of(value), state) for one, value in zip(found, examples, strict=True)]

    def floor(self, examples: Sequence[Any], state: Labels) -> Floor | None:
        """A regression on n-grams of both spans, of what is between them and of what is around."""
        fitted = super().floor(examples, state)
        if fitted is None:
            return None
        return lambda found: [related(one, side_of(value), state) for one, value in zip(fitted(found), found, strict=True)]

    def words_of(self, value: Any) -> tuple[str, ...]:
        """Return both spans, what is between them, which of them is first, and the whole text."""
        spans = [(one.start, one.end) for one in (value.head, value.tail)]
        (_, start), (end, _) = sorted(spans)
        head, tail = (value.text[slice(*span)] for span in spans)
        order = "head tail" if spans[0] <= spans[1] else "tail head"
        return head, tail, f"{order}: {value.text[start:end]}", value.text

    def breakdown(
        self, outputs: Sequence[Classification], examples: Sequence[Any], state: Labels
    ) -> Mapping[str, Any]:
        """Each relation with both of its directions, and which label was taken for which."""
        right = [example.label for example in examples]
        given = [answering(output, state) for output in outputs]
        return {**super().breakdown(outputs, examples, state), "per_class": per_relation(given, right, state)}

    def golden_inputs(self, state: Labels) -> Sequence[Places]:
        """Return `GOLDEN` as inputs."""
        return [Places.model_validate({"text": text}) for text in GOLDEN]


GOLDEN = (
    "The <e1>boat</e1> lay in the <e2>dock</e2>.",
    "A <e2>song</e2> that the <e1>singer</e1> wrote.",
    "<e1>柏林</e1>是<e2>德国</e2>的首都。",
    "<e1>Zoë</e1>‘s <e2>e-mail</e2>: 3.5% off… 👩‍🔬",
    "<e1>a</e1><e2>b</e2>",
    "Whatever was said that day, and it was much, " * 8 + "the <e1>fire</e1> came from a <e2>candle</e2>" + ", as we saw" * 8,
)
"""Texts for replaying: short and long, plain and not, in two scripts."""

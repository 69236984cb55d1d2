"""The contract of tasks that find spans: what is learned besides φ, how well. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import Options
from functory.contracts.formulation import Formulation
from functory.contracts.judging import Judgement, told
from functory.contracts.labels import known_labels
from functory.contracts.task import Scorer, Suited, Task
from functory.errors import DataError, NotSupported
from functory_sdk.spans.asking import SpanAsking
from functory_sdk.spans.metrics import breakdown, scorer
from functory_sdk.spans.offsets import is_cut, likely_readings
from functory_sdk.spans.schemes import SchemeName
from functory_sdk.spans.tagging import SpanTagging, check_states
from functory_sdk.spans.types import Entities, Entity, Span, SpanLabels, SpanOptions
from functory_sdk.writes.held import has_room

if TYPE_CHECKING:
    from functory.data import Examples

GOLDEN = (
    "Christopher Bailey is a lecturer of English at the University of Brighton.",
    "In 1998 Zoe\u0308 left the B.B.C. in London for Nestlé, Geneva.",
    "浙商银行企业信贷部叶老桂博士则从另一个角度对五道门槛进行了解读。",
    "国务院总理昨天在北京会见了来自Google的工程师Anna Lee。",
    "nothing here",
    "  \t ",
    "",
    "The committee met in Paris on Monday, in Rome on Tuesday, and in Cairo on Friday; " * 20,
)
"""Texts for replaying: with and without names, empty, long, in two scripts."""

S = TypeVar("S", bound=SpanOptions, covariant=True)


class SpanTask(Task[S]):
    """Finds stretches of a text, each with its type.

    A subclass names its types and columns. Its Input has a field `text`, its Example the field `entities` beside it::

        class Ingredients(SpanTask[SpanOptions]):
            '''Finds what a recipe asks for: amounts, foods.'''

            Input: ClassVar = Line         # text: str
            Example: ClassVar = MarkedLine  # text: str, entities: Spans
    """

    Options: ClassVar[type[Options]] = SpanOptions
    Output: ClassVar = Entities
    State: ClassVar = SpanLabels
    teaches_layers: ClassVar[str] = (
        "a sentence encoder's features know little of names: low-rank updates teach its layers, and are small"
    )
    metric: ClassVar[str] = "f1"
    metrics: ClassVar[Mapping[str, str]] = {
        "f1": "the F1 of all entities: right where type and both ends are",
        "precision": "how many of the entities found are right",
        "recall": "how many of the entities that there are were found",
        "macro_f1": "the mean of the types' F1: a rare type counts as much as a common one",
    }

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """Tags of tokens; and a prompt, on a backbone that writes and has room for one."""
        asked = self.asked(spec)
        if asked and spec.architecture == "encoder-decoder":
            return asked
        check_states(spec)
        return {"features": SpanTagging(self.options), **asked}

    def asked(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """Return the prompt that asks for spans, by its name; nothing where the backbone cannot be asked."""
        return {"prompt": SpanAsking(self.options, spec, self.Example)} if has_room(self.options, spec) else {}

    def suits(self, *, has_examples: bool) -> Suited:
        """Without examples a decoder, which is asked for the types that are named.

        :raises NotSupported: without examples, where none is named.
        """
        if has_examples or not self.options.labels:
            return super().suits(has_examples=has_examples)
        return Suited("smollm2", "zero-shot", "a decoder is asked for each type, and held to words of the text")

    def described(self, state: SpanLabels) -> Sequence[Any]:
        """:raises NotSupported: always: what a type is called tells no encoder where such a thing begins and ends."""
        raise NotSupported(
            f"task {self.name!r} finds spans, and the names of their types tell no encoder where these begin and end.",
            do="give train = '…' with some sentences of each type; or ask a backbone that writes for them: adaptation = "
            "'zero-shot', backbone = 'smollm2'.",
        )

    def learn(self, examples: Sequence[Any]) -> SpanLabels:
        found = {span.label for example in examples for span in example.entities}
        labels = self.options.labels or tuple(sorted(found))
        if not labels:
            raise DataError(
                f"none of {len(examples):,} examples has an entity.", do="give examples with entities, or name the types: "
                "labels = ['person', 'place'].",
            )  # fmt: skip
        wanted = self.options.scheme
        return SpanLabels(labels=labels, scheme=self.scheme(examples) if wanted == "auto" else wanted)

    def scheme(self, examples: Sequence[Any]) -> SchemeName:
        """Return the scheme that the head is taught where the options leave it open; examples may show one of their own."""
        return "IOB2"

    def check(self, example: Any, state: SpanLabels) -> None:
        for span in example.entities:
            if span.label not in state.labels:
                raise DataError(
                    f"unknown label {span.label!r} of {example.text[span.start : span.end]!r} (from {span.start} to {span.end}).",
                    do=known_labels(span.label, state.labels),
                )

    def strata(self, example: Any) -> tuple[str, ...]:
        """The types that the text has: so every type has an example in train."""
        return tuple(sorted({span.label for span in example.entities}))

    def labels(self, example: Any) -> tuple[str, ...]:
        return tuple(span.label for span in example.entities)

    def relabelled(self, example: Any, names: Mapping[str, str]) -> Any:
        spans = tuple(
            span.model_copy(update={"label": names.get(span.label, span.label)}) for span in example.entities
        )
        return example.model_copy(update={"entities": spans})

    def audit(self, found: Examples) -> Sequence[str]:
        """Say which share of the entities begins or ends inside a word, and how their offsets may have been counted."""
        given = [(example.text, example.entities) for example in found if not getattr(example, "tags", ())]
        places = [place for example, place in zip(found, found.places, strict=True) if not getattr(example, "tags", ())]
        cut = [(n, span) for n, (text, spans) in enumerate(given) for span in spans if is_cut(text, span)]
        if not cut:
            return ()
        count = sum(len(spans) for _, spans in given)
        first, span = cut[0]
        ways = " or ".join(likely_readings(given))
        why = f"; none would if their offsets were counted {ways}: convert them to characters from 0" if ways else ""
        share = f"{len(cut):,} of {count:,} entities ({len(cut) / count:.1%})"
        where = f"{given[first][0][span.start : span.end]} ({span.label}, {span.start} to {span.end}) in {places[first]}"
        return (f"{share} begin or end inside a word, the first {where}{why}.",)

    def scorer(self, outputs: Sequence[Entities], examples: Sequence[Any], state: SpanLabels) -> Scorer:
        return scorer(outputs, examples, state)

    def breakdown(
        self, outputs: Sequence[Entities], examples: Sequence[Any], state: SpanLabels
    ) -> Mapping[str, Any]:
        return breakdown(outputs, examples, state)

    def judge(self, output: Entities, example: Any, state: SpanLabels) -> Judgement:
        """How sure: the score of the surest entity that is wrong, None where some are only lacking; of a right answer, the
        least sure entity's.
        """
        given, wanted = map(_spans, (output.entities, example.entities))
        wrong = [entity.score for entity, span in zip(output.entities, given, strict=True) if span not in wanted]
        is_right = {*given} == {*wanted}
        sure = min((entity.score for entity in output.entities), default=None) if is_right else max(wrong, default=None)
        parts, right = _told(given, example.text), _told(wanted, example.text)
        return Judgement(told(parts), told(right), is_right, sure, parts, right)

    def baseline(self, examples: Sequence[Any], state: SpanLabels) -> Sequence[Entities]:
        """No entities at all: the commonest tag."""
        return [Entities(entities=())] * len(examples)

    def output_schema(self, state: SpanLabels) -> dict[str, Any]:
        schema = super().output_schema(state)
        label = schema["$defs"]["Entity"]["properties"]["label"]
        label.clear()
        label.update({"enum": list(state.labels), "title": "Label", "description": "Its type."})
        return schema

    def golden_inputs(self, state: SpanLabels) -> Sequence[Any]:
        """Return `GOLDEN` as inputs, those that the Input takes."""
        from pydantic import ValidationError

        found = []
        for text in GOLDEN:
            try:
                found.append(self.Input.model_validate({"text": text}))
            except ValidationError:  # an Input may refuse an empty text
                continue
        return found


def _spans(entities: Sequence[Entity] | Sequence[Span]) -> list[tuple[int, int, str]]:
    return [(entity.start, entity.end, entity.label) for entity in entities]


def _told(spans: Sequence[tuple[int, int, str]], text: str) -> tuple[str, ...]:
    return tuple(f"{text[start:end]} ({label}, {start} to {end})" for start, end, label in spans)

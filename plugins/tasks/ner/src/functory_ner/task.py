"""The contract: what is computed, what is learned besides φ, how well. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from functory_ner.metrics import breakdown, scorer
from functory_ner.types import Entities, Labels, NEROptions, TaggedText, Text
from functory_sdk import BackboneSpec, DataError, Formulation, NotSupported, Scorer, Task, split_tag, tag_fault

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


class NER(Task[NEROptions]):
    """Finds the names in a text: which stretch of it is a person, a place, a company.

    Works on any script: spans are stretches of characters, and nothing is split on spaces alone.
    """

    Input: ClassVar = Text
    Output: ClassVar = Entities
    Example: ClassVar = TaggedText
    State: ClassVar = Labels
    metric: ClassVar[str] = "f1"
    paper: ClassVar[str] = (
        "Ramshaw and Marcus 1995, Text Chunking using Transformation-Based Learning (arXiv cmp-lg/9505040)"
    )
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "content", "document", "文本"),
        "entities": ("entities", "spans", "entity", "实体"),
        "tokens": ("tokens", "words", "characters", "字"),
        "tags": ("tags", "ner_tags", "iob", "bio", "labels", "标签"),
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task ner --train names.jsonl --backbone minilm --adaptation head",
        "functory build --task ner --train names-zh.jsonl --backbone e5 --adaptation lora",
    )

    def formulate(self, spec: BackboneSpec, learning: Literal["supervised", "nothing"]) -> Formulation:
        from functory_ner.tagging import Tagging

        if learning != "supervised":
            raise NotSupported("entities are learned from examples, and there are none.", do="give train = '…'.")
        if spec.architecture == "encoder-decoder":
            raise NotSupported(
                f"tagging wants one hidden state per token of the text; {spec.reference!r} is an encoder-decoder, which "
                "gives those of its output.",
                do="choose an encoder, such as minilm or e5.",
            )
        return Tagging(self.options)

    def learn(self, examples: Sequence[TaggedText]) -> Labels:
        found = {span.label for example in examples for span in example.entities}
        labels = self.options.labels or tuple(sorted(found))
        if not labels:
            raise DataError(
                f"none of {len(examples):,} examples has an entity.", do="give examples with entities, or name the types: "
                "labels = ['person', 'place'].",
            )  # fmt: skip
        return Labels(labels=labels)

    def adopt(
        self, labels: Sequence[str], *, unit: Literal["text", "token"] = "text", is_multi: bool | None = False
    ) -> tuple[Labels, Sequence[int]]:
        """The types in the order in which the checkpoint's tags name them first."""
        if unit != "token" or is_multi:
            raise NotSupported(
                "the head labels whole texts, and entities are tagged token by token.",
                do="build it with task = 'text-classification'.",
            )
        found = dict.fromkeys(split_tag(tag, place)[1] for place, tag in enumerate(labels, 1))
        state = Labels(labels=tuple(label for label in found if label))
        lacking = [tag for tag in state.tags if tag not in labels]
        strange = [tag for tag in labels if tag not in state.tags]
        if lacking or strange or not state.labels:
            fault = "has no output for" if lacking or not strange else "has an output beyond IOB2,"
            raise NotSupported(
                f"the head {fault} the tag {(lacking or strange or ['B-…'])[0]!r}; its tags are {', '.join(labels)}.",
                do="take a checkpoint that was trained on IOB2: O, and B- and I- of each type.",
            )
        return state, [labels.index(tag) for tag in state.tags]

    def check(self, example: TaggedText, state: Labels) -> None:
        place = tag_fault(example.tags) if self.options.tags == "refuse" else None
        if place is not None:
            raise DataError(
                f"tag {place + 1} is {example.tags[place]!r}, which does not fit: token {example.tokens[place]!r} "
                f"follows {example.tags[place - 1] if place else 'the beginning'}.",
                do="begin each entity with B- (in BIOES, end it with E- or make it one S-), or read such tags as best they can "
                "be: tags = 'repair'.",
            )
        for span in example.entities:
            if span.label not in state.labels:
                raise DataError(
                    f"unknown label {span.label!r} of {example.text[span.start : span.end]!r} (from {span.start} to {span.end}).",
                    do=f"the function knows {', '.join(state.labels)}.",
                )

    def strata(self, example: TaggedText) -> tuple[str, ...]:
        """The types that the text has: so every type has an example in train."""
        return tuple(sorted({span.label for span in example.entities}))

    def scorer(self, outputs: Sequence[Entities], examples: Sequence[TaggedText], state: Labels) -> Scorer:
        return scorer(outputs, examples, state)

    def breakdown(
        self, outputs: Sequence[Entities], examples: Sequence[TaggedText], state: Labels
    ) -> Mapping[str, Any]:
        return breakdown(outputs, examples, state)

    def baseline(self, examples: Sequence[TaggedText], state: Labels) -> Sequence[Entities]:
        """No entities at all: the commonest tag."""
        return [Entities(entities=())] * len(examples)

    def output_schema(self, state: Labels) -> dict[str, Any]:
        schema = super().output_schema(state)
        label = schema["$defs"]["Entity"]["properties"]["label"]
        label.clear()
        label.update({"enum": list(state.labels), "title": "Label", "description": "Its type."})
        return schema

    def golden_inputs(self, state: Labels) -> Sequence[Text]:
        return [Text(text=text) for text in GOLDEN]

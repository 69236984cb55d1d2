"""The contract: how flat spans are learned is the SDK's; what is this task's own are tags, checkpoints, spans in one another.
No torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from functory_ner.adopting import given_tags, in_order, scheme_of, types_of
from functory_ner.flat import check_standing
from functory_ner.odd import odd_tag
from functory_ner.spanning import SpanScoring
from functory_ner.types import NERLabels, NEROptions, TaggedText, Text
from functory_sdk import (
    BackboneSpec,
    DataError,
    Examples,
    Formulation,
    NotSupported,
    SchemeName,
    SpanLabels,
    SpanTask,
    Unit,
    has_room,
    split_tags,
    tag_fault,
    tag_scheme,
)
from functory_sdk.spans.asking import SpanAsking


class NER(SpanTask[NEROptions]):
    """Finds the names in a text: which stretch of it is a person, a place, a company.

    Works on any script: spans are stretches of characters, and nothing is split on spaces alone. They may lie in one another,
    and overlap, where that is asked for.
    """

    Input: ClassVar = Text
    Example: ClassVar = TaggedText
    State: ClassVar = NERLabels
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
        "functory build --task ner --set task.spans=nested --train nested.jsonl --backbone minilm --adaptation lora",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        found = super().formulations(spec)
        return found if self.options.spans == "flat" else {**found, **self._scored(found)}

    def _scored(self, found: Mapping[str, Formulation]) -> Mapping[str, Formulation]:
        """Return what scores spans whole, where tokens would be tagged."""
        return {name: SpanScoring(self.options) for name in found if name == "features"}

    def asked(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        options = self.options
        return {"prompt": SpanAsking(options, spec, TaggedText, options.spans)} if has_room(options, spec) else {}

    def learn(self, examples: Sequence[TaggedText]) -> NERLabels:
        """The types, and of entities that are not flat the greatest length: none has more tokens than characters."""
        found = super().learn(examples)
        length = max((span.end - span.start for example in examples for span in example.entities), default=self.options.longest)
        widest = 0 if self.options.spans == "flat" else min(length, self.options.longest)
        return NERLabels(**dict(found), widest=widest)

    def adopt(
        self, labels: Sequence[str], *, unit: Unit = "text", is_multi: bool | None = False
    ) -> tuple[NERLabels, Sequence[int]]:
        """The checkpoint's own tags, of any scheme, and its types in the order in which they name them first."""
        if unit != "token":
            raise self.refuses(unit, "labels of tokens")
        if self.options.spans != "flat":
            raise NotSupported(
                f"a tagger finds entities of which none overlaps another, and spans = {self.options.spans!r} asks for others.",
                do="leave spans out.",
            )
        if is_multi:
            raise NotSupported(
                "each output of the head is a yes or no of its own, and entities are tagged by one tag a token.",
                do="take a tagger of one tag a token.",
            )
        named = given_tags(labels)
        given = in_order(named)
        order = range(len(named)) if given == named else [named.index(tag) for tag in given]
        return NERLabels(labels=types_of(named), given=given), order

    def remarks(self, state: SpanLabels) -> Sequence[str]:
        read = f"the tags are {scheme_of(state.given)}'s, and what continues nothing begins an entity"
        if self.options.subwords == "all":
            return (read,)
        why = ", since the others may have learned nothing: subwords = 'all' lets each"
        return (read, "the first token of a word speaks for it" + (why if self.options.subwords == "auto" else ""))

    def scheme(self, examples: Sequence[TaggedText]) -> SchemeName:
        """That of the tags that close entities, where the data have such; else IOB2."""
        found = tag_scheme(example.tags for example in examples if example.tags)
        return "BIOES" if found == "BIOES" else "BILOU" if found == "BILOU" else "IOB2"

    def labels(self, example: TaggedText) -> tuple[str, ...]:
        """The types of the entities, and those that only stand in tags that continue nothing."""
        return tuple(label for _, label in split_tags(example.tags) if label) or super().labels(example)

    def relabelled(self, example: TaggedText, names: Mapping[str, str]) -> TaggedText:
        """The entities follow from the tags: tags of one type that were written in two ways are one entity now."""
        if not example.tags:
            renamed: TaggedText = super().relabelled(example, names)
            return renamed
        tags = [f"{letter}-{names.get(label, label)}" if label else "O" for letter, label in split_tags(example.tags)]
        return TaggedText(text=example.text, tokens=example.tokens, tags=tuple(tags))

    def audit(self, found: Examples) -> Sequence[str]:
        """Say in which scheme tags were read, where it is not IOB2, and how many there continue nothing."""
        rows = [(example.tags, place) for example, place in zip(found, found.places, strict=True) if example.tags]
        scheme = tag_scheme(tags for tags, _ in rows)
        notes = [f"the tags were read as {scheme}."] if scheme != "IOB2" else []
        faulty = [(tags[fault], place) for tags, place in rows if (fault := tag_fault(tags)) is not None]
        if faulty and scheme not in ("IOB1", "IO"):
            count = f"{len(faulty):,} of {len(rows):,} rows have tags that do not fit those before"
            notes.append(f"{count}, the first {faulty[0][0]!r} in {faulty[0][1]}: what continues nothing begins an entity.")
        if odd := odd_tag({label for tags, _ in rows for _, label in split_tags(tags)}):
            notes.append(f"{odd[0]!r} was read as a type of its own, and looks like the tag {odd[1]!r}: if it is, write it so.")
        return (*super().audit(found), *notes)

    def check(self, example: TaggedText, state: SpanLabels) -> None:
        place = tag_fault(example.tags) if self.options.tags == "refuse" else None
        if place is not None:
            raise DataError(
                f"tag {place + 1} is {example.tags[place]!r}, which does not fit: token {example.tokens[place]!r} "
                f"follows {example.tags[place - 1] if place else 'the beginning'}.",
                do="begin each entity with B- (in BIOES, end it with E- or make it one S-), or read such tags as best they can "
                "be: tags = 'repair'.",
            )
        check_standing(example, self.options.spans)
        super().check(example, state)

"""The contract: how tokens are tagged is the SDK's; what is this task's own are its three modes. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from functory_sdk import (
    BackboneSpec,
    DataError,
    Examples,
    Formulation,
    Judgement,
    NotSupported,
    Scorer,
    Task,
    Unit,
    known_labels,
    told,
)
from functory_sdk.spans.scripts import is_unspaced, plain_words
from functory_sdk.spans.tagging import check_states
from functory_tagging.deciding import words_of
from functory_tagging.known import packed
from functory_tagging.marks import punctuated
from functory_tagging.metrics import Word, breakdown, scorer
from functory_tagging.preparing import are_characters, as_words
from functory_tagging.tagging import ByMode
from functory_tagging.types import WORD, Line, Mode, Tagged, TaggedLine, TaggingOptions, TagLabels, Token

GOLDEN: tuple[dict[str, Any], ...] = (
    {"text": "The committee met in Paris on Monday, and nobody answered my calls."},
    {"words": ["Zoe\u0308", "did", "n't", "leave", "the", "B.B.C.", "."]},
    {"text": "国务院总理昨天在北京会见了来自Google的工程师Anna Lee。"},
    {"words": ["我们", "在", "北京", "见面", "。"]},
    {"text": "これは日本語の文です。 и ещё одно предложение 👩‍🔬"},
    {"text": ""},
    {"text": " ".join(["one thing after another went wrong that day"] * 40)},
)
"""Inputs for replaying: texts and words, long, empty, in several scripts."""
SHOWN = 0.8
"""The share of words that a text's spaces and signs show, below which it is said that words can be learned too."""


class Tagging(Task[TaggingOptions]):
    """Gives each word of a text a tag: a part of speech, or what else the data say.

    Also finds words where a script puts no space between them, with or without tags, and restores punctuation: the tag of a
    word is the mark that follows.
    """

    Options: ClassVar = TaggingOptions
    Input: ClassVar = Line
    Output: ClassVar = Tagged
    Example: ClassVar = TaggedLine
    State: ClassVar = TagLabels
    paper: ClassVar[str] = "Xue 2003, Chinese Word Segmentation as Character Tagging (IJCLCLP 8.1)"
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "content", "line", "文本", "句子"),
        "words": ("words", "tokens", "forms", "form", "characters", "offsets", "字", "词"),
        "tags": ("tags", "upos", "pos_tags", "pos", "upos_tags", "xpos", "labels", "标签", "词性"),
    }
    teaches_layers: ClassVar[str] = (
        "features of whole sentences know a part of what a word is there: low-rank updates teach the layers, and are small"
    )
    unasked: ClassVar[str] = (
        "each word has its tag, and what a decoder writes drops and adds words: learn tags with train = '…' and lora."
    )
    metric: ClassVar[str] = "f1"
    metrics: ClassVar[Mapping[str, str]] = {
        "f1": "the F1 of words: right with its tag (tags), by its place (words); of marks (punctuation)",
        "precision": "how many of the words, or marks, that were found are right",
        "recall": "how many of the words, or marks, that there are were found",
        "accuracy": "the share of words whose tag is right",
        "tagged_f1": "the F1 of words right by place and tag",
        "macro_f1": "the mean of the tags' F1: a rare tag counts as much as a common one",
        "unknown_accuracy": "the accuracy on words that the training data never showed",
        "unknown_f1": "the F1 of words that the training data never showed",
        "unknown_recall": "how many of the words that the training data never showed were found",
    }
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task tagging --train en_ewt-ud-train.conllu --read tag=4 --backbone minilm --adaptation lora",
        "functory build --task tagging --set task.mode=words --train msr_training.utf8 --backbone e5 --adaptation lora",
        "functory build --task tagging --set task.mode=punctuation --train talks.txt --format lines --backbone minilm",
    )

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        check_states(spec)
        return {"features": ByMode(self.options)}

    def prepared(self, found: Examples) -> Examples:
        """Words as spans where words are learned; in every mode an error for rows that do not say what it learns."""
        mode = self._mode(found)
        by_character = mode == "words" and are_characters(found)
        pairs = zip(found, found.places, strict=True)
        return replace(found, items=tuple(self._as(mode, example, place, by_character) for example, place in pairs))

    def _mode(self, found: Sequence[TaggedLine]) -> Mode:
        """Return what examples teach, by the options or by what they hold.

        :raises DataError: where they hold neither tags nor words.
        """
        if self.options.mode != "auto":
            return self.options.mode
        if are_characters(found) or any(example.spans for example in found):
            return "words"
        if any(example.tags for example in found) or not any(example.text.strip() for example in found):
            return "tags"
        raise DataError(
            "no row has tags.",
            where=getattr(found, "source", ""),
            do="give each word its tag; or say what plain texts teach: mode = 'words' where spaces part their words, mode = "
            "'punctuation' where marks are to be restored.",
        )

    def _as(self, mode: Mode, example: TaggedLine, place: str, by_character: bool) -> TaggedLine:
        """Return an example as a mode wants it.

        :raises DataError: where it does not say what is to be learned, with its place.
        """
        try:
            if mode == "words":
                return as_words(example, by_character=by_character)
            if mode == "tags" and not example.tags and words_of(example):
                raise DataError("there are words without tags.", do="give each word its tag: tags = ['…', '…'].")
            return example
        except DataError as error:
            raise error.located(place) from None

    def learn(self, examples: Sequence[TaggedLine]) -> TagLabels:
        mode = self._mode(examples)
        words = [(example.text[start:end], tag) for example in examples for start, end, tag in self._right(example, mode)]
        counts = Counter(tag for _, tag in words if tag)
        if not counts:
            what = "mark" if mode == "punctuation" else "word with a tag"
            raise DataError(f"none of {len(examples):,} examples has a {what}.", do="look at the data, or choose another mode.")
        labels = self.options.labels or tuple(sorted(counts))
        if mode == "tags" and len(labels) < 2:
            raise DataError(f"all {len(words):,} words have the tag {labels[0]!r}.", do="give words with other tags too.")
        commonest = min(counts, key=lambda tag: (-counts[tag], tag))
        return TagLabels(
            mode=mode,
            labels=labels,
            scheme=self.options.scheme,
            is_given=mode == "tags" and _shown(examples) < SHOWN,
            commonest=commonest if commonest in labels else labels[0],
            known="" if mode == "punctuation" else packed(word for word, _ in words),
        )

    def adopt(
        self, labels: Sequence[str], *, unit: Unit = "text", is_multi: bool | None = False
    ) -> tuple[TagLabels, Sequence[int]]:
        """The checkpoint's own tags, one a word; those of characters (B, M, E, S or B, I) name words."""
        if unit != "token":
            raise self.refuses(unit, "labels of tokens")
        if is_multi:
            raise NotSupported(
                "each output of the head is a yes or no of its own, and words have one tag each.",
                do="take a tagger of one tag a token.",
            )
        names = [name.strip() for name in labels]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise NotSupported(f"two outputs of the head are called {twice!r}.", do="say what they stand for in id2label.")
        scheme: Literal["BMES", "BI"] | None = "BMES" if {*names} == {*"BMES"} else "BI" if {*names} == {*"BI"} else None
        if scheme is not None and self.options.mode in ("auto", "words"):
            state = TagLabels(mode="words", labels=(WORD,), scheme=scheme, commonest=WORD)
            return state, [names.index(letter) for letter in scheme]
        if self.options.mode in ("words", "punctuation"):
            raise NotSupported(
                f"the head's outputs, {', '.join(names[:6])} …, are no {self.options.mode}.", do="build it with mode = 'tags'."
            )
        return TagLabels(labels=tuple(names), commonest=names[0]), range(len(names))

    def remarks(self, state: TagLabels) -> Sequence[str]:
        if state.mode == "words":
            return ("the outputs say where a character stands in its word",)
        return ("the first token of a word speaks for it",)

    def _right(self, example: TaggedLine, mode: Mode) -> list[Word]:
        """Return the right words of an example, with their tags."""
        if mode == "words":
            return [(span.start, span.end, span.label) for span in example.spans]
        if mode == "tags":
            return [(*place, tag) for place, tag in zip(words_of(example), example.tags, strict=True)] if example.tags else []
        found = punctuated(example.text, self.options.marks, example.offsets)
        return [(*place, mark) for place, mark in zip(found.words, found.after, strict=True)]

    def check(self, example: TaggedLine, state: TagLabels) -> None:
        mode: Mode = "words" if example.spans else "tags" if example.tags else state.mode
        if mode != state.mode:
            names = {"tags": "tags for its words", "words": "words as spans", "punctuation": "punctuation"}
            raise DataError(
                f"the row gives {names[mode]}, and this function learned {names[state.mode]}.",
                do=f"say how rows are read: mode = {state.mode!r}.",
            )
        if state.mode == "punctuation":
            return
        for start, end, tag in self._right(example, state.mode):
            if tag not in state.labels:
                raise DataError(
                    f"unknown tag {tag!r} of {example.text[start:end]!r} (from {start} to {end}).",
                    do=known_labels(tag, state.labels),
                )

    def strata(self, example: TaggedLine) -> tuple[str, ...]:
        """The tags that stand in the row: so every tag has an example in train."""
        return tuple(sorted({*self.labels(example)}))

    def labels(self, example: TaggedLine) -> tuple[str, ...]:
        return tuple(span.label for span in example.spans) or example.tags

    def relabelled(self, example: TaggedLine, names: Mapping[str, str]) -> TaggedLine:
        spans = tuple(
            span.model_copy(update={"label": names.get(span.label, span.label)}) for span in example.spans
        )
        tags = tuple(names.get(tag, tag) for tag in example.tags)
        return example.model_copy(update={"spans": spans, "tags": tags})

    def audit(self, found: Examples) -> Sequence[str]:
        """Say where words are given that no text shows: a text alone could not be tagged as the data are."""
        share = _shown(found)
        if share >= SHOWN:
            return ()
        told = f"spaces and signs show {share:.0%} of the words"
        return (f"{told}: give the function words; mode = 'words' learns to find them too.",)

    def scorer(self, outputs: Sequence[Tagged], examples: Sequence[TaggedLine], state: TagLabels) -> Scorer:
        right = [self._right(example, state.mode) for example in examples]
        return scorer(outputs, right, [example.text for example in examples], state)

    def breakdown(
        self, outputs: Sequence[Tagged], examples: Sequence[TaggedLine], state: TagLabels
    ) -> Mapping[str, Any]:
        return breakdown(outputs, [self._right(example, state.mode) for example in examples], state)

    def judge(self, output: Tagged, example: TaggedLine, state: TagLabels) -> Judgement:
        """How sure: the score of the surest word that is wrong, None where some are only lacking; of a right answer, the
        least sure word's.
        """
        given = [(token.start, token.end, token.tag) for token in output.tokens]
        wanted = self._right(example, state.mode)
        wrong = [token.score for token, word in zip(output.tokens, given, strict=True) if word not in {*wanted}]
        is_right = {*given} == {*wanted}
        sure = min((token.score for token in output.tokens), default=None) if is_right else max(wrong, default=None)
        parts, right = _told(given, example.text), _told(wanted, example.text)
        return Judgement(told(parts), told(right), is_right, sure, parts, right)

    def baseline(self, examples: Sequence[TaggedLine], state: TagLabels) -> Sequence[Tagged]:
        """The commonest tag for each word; each character a word; no mark."""
        return [Tagged(tokens=tuple(_plainly(example, words, state))) for example, words in self._unread(examples, state)]

    def _unread(self, examples: Sequence[TaggedLine], state: TagLabels) -> list[tuple[TaggedLine, list[tuple[int, int]]]]:
        """Return examples with the words that are there before anything is learned."""
        if state.mode == "words":
            return [(example, plain_words(example.text)) for example in examples]
        return [(example, [(start, end) for start, end, _ in self._right(example, state.mode)]) for example in examples]

    def output_schema(self, state: TagLabels) -> dict[str, Any]:
        schema = super().output_schema(state)
        tag = schema["$defs"]["Token"]["properties"]["tag"]
        names = ["", *state.labels] if state.mode == "punctuation" else list(state.labels)
        title, description = tag["title"], tag["description"]
        tag.clear()
        tag.update({"enum": names, "title": title, "description": description})
        return schema

    def golden_inputs(self, state: TagLabels) -> Sequence[Line]:
        return [Line.model_validate(value) for value in GOLDEN]


def _shown(examples: Sequence[TaggedLine]) -> float:
    """Return which share of the given words spaces and signs show; 1 where none is of several characters without spaces."""
    given = [example for example in examples if example.tags and example.tokens]
    words = [(example.text, place) for example in given for place in example.offsets]
    if not any(end - start > 1 and is_unspaced(text[start]) for text, (start, end) in words):
        return 1.0
    return sum(len({*example.offsets} & {*plain_words(example.text)}) for example in given) / len(words)


def _plainly(example: TaggedLine, words: Sequence[tuple[int, int]], state: TagLabels) -> list[Token]:
    """Return words with the tag that reading nothing would give them."""
    tag = "" if state.mode == "punctuation" else state.commonest
    return [Token(text=example.text[start:end], start=start, end=end, tag=tag, score=1.0) for start, end in words]


def _told(words: Sequence[Word], text: str) -> tuple[str, ...]:
    return tuple(f"{text[start:end]} ({tag or 'none'}, {start} to {end})" for start, end, tag in words)

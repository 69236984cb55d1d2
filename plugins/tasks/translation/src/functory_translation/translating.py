"""The formulation: each sentence is a request, and the translation is put together with what stood between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from functory_sdk import (
    BackboneSpec,
    Decoding,
    Encoded,
    OptionError,
    Prompt,
    Reader,
    Request,
    Row,
    Taught,
    sentence_spans,
)
from functory_sdk.writes.write import Side, Write
from functory_translation.detecting import detected
from functory_translation.glossary import BEAMS, best_of, terms_in
from functory_translation.languages import are_alike, has_spaces
from functory_translation.types import AUTO, Source, Translated, TranslationOptions
from functory_translation.ways import way_of


@dataclass(frozen=True)
class Parts(Side):
    """What is kept of a text besides: its languages, and what stands before, between and after its sentences.

    :param between: one more than there are sentences.
    :param terms: of each sentence, those of the glossary that stand in it, with their translations.
    :param counts: how many texts are written for each sentence.
    """

    source: str = ""
    between: tuple[str, ...] = ("", "")
    terms: tuple[tuple[tuple[str, str], ...], ...] = ()
    counts: tuple[int, ...] = ()


class Translating(Write):
    """A request for each sentence.

    :param options: the task's.
    :param spec: the backbone's facts.
    :raises NotSupported: where the backbone does not translate so, or as `Write` has it.
    :raises OptionError: where a language must be named.
    """

    takes_control: ClassVar[bool] = False

    def __init__(self, options: TranslationOptions, spec: BackboneSpec) -> None:
        super().__init__(options, spec, lambda value: str(value.text), "reference")
        self.options: TranslationOptions = options
        self._way = way_of(spec, options.target, is_chat=self._frame.is_chat)
        self._read = "" if options.source == AUTO else self._way.read_from(options.source)
        self._check(self.decoding)

    def using(self, decoding: Decoding) -> Self:
        """:raises OptionError: for draws and samples, where a glossary chooses among the best."""
        self._check(decoding)
        return super().using(decoding)

    def _check(self, how: Decoding) -> None:
        if self.options.glossary and (how.temperature > 0 or how.samples > 1):
            raise OptionError(
                "a glossary takes one of the best translations, and none is drawn.", do="leave temperature and samples out.",
                field="glossary",
            )  # fmt: skip

    def start(self, reader: Reader) -> tuple[int, ...]:
        return self._way.start(reader)

    def encode(self, inputs: Sequence[Source], reader: Reader, state: Any) -> Encoded:
        spans = [self._spans(value.text) for value in inputs]
        sources = [self._source(value.text) for value in inputs]
        of = [index for index, some in enumerate(spans) for _ in some]
        sentences = [inputs[index].text[first:end] for index, some in enumerate(spans) for first, end in some]
        prompts = self._asked(sentences, [sources[index] for index in of], reader)
        notes: list[list[str]] = [[*self._doubts_of(value.text, source)] for value, source in zip(inputs, sources, strict=True)]
        for index, prompt in zip(of, prompts, strict=True):
            notes[index] += prompt.notes
        terms = [terms_in(sentence, self.options.glossary) for sentence in sentences]
        requests = [self._searched(one) if held else one for one, held in zip(self.requests(prompts, reader), terms, strict=True)]
        sides = []
        for index, (value, source, some) in enumerate(zip(inputs, sources, spans, strict=True)):
            own = [place for place, owner in enumerate(of) if owner == index]
            side = self.side(reader, tuple(dict.fromkeys(notes[index])))
            sides.append(
                Parts(**vars(side), source=source, between=_between(value.text, some), terms=tuple(terms[place] for place in own),
                      counts=tuple(requests[place].decoding.samples for place in own))
            )  # fmt: skip
        return Encoded([], [], sides, requests, of)

    def _searched(self, request: Request) -> Request:
        """Return a request whose best translations are all given back."""
        beams = max(self.decoding.beams, BEAMS)
        return replace(request, decoding=request.decoding.model_copy(update={"beams": beams, "samples": beams}))

    def teach(self, examples: Sequence[Any], inputs: Sequence[Source], reader: Reader, state: Any) -> Taught:
        """Return a row for each example: the translation after the whole text, whose sentences nobody paired."""
        prompts = self._asked([value.text for value in inputs], [self._source(value.text) for value in inputs], reader)
        return self.taught(prompts, [example.reference for example in examples], reader)

    def decode(self, side: Parts, outputs: Sequence[Row], state: Any) -> Translated:
        written, lacking = self._chosen(side, outputs)
        texts = [[side.read(row["tokens"].tolist()) for row in rows] for rows in zip(*written, strict=True)] or [[]]
        first, *others = [self._joined(side.between, [text for text, _ in one]) for one in texts]
        finishes = {finish for _, finish in texts[0]}
        own = [rows[0] for rows in written]
        likely = [value for row in own for value in np.asarray(row.get("log_probability", ()), float).tolist()]
        missing = ", ".join(f"{wanted!r} for {term!r}" for term, wanted in lacking)
        return Translated(
            text=first, others=tuple(others), tokens=sum(len(row["tokens"]) for row in own), log_probabilities=tuple(likely),
            finish="length" if "length" in finishes else "stop" if "stop" in finishes else "end",
            notes=(*side.notes, f"the glossary's terms are not all there: {missing}") if missing else side.notes,
            source=side.source, target=self._way.target, sentences=len(side.counts),
        )  # fmt: skip

    def _chosen(self, side: Parts, outputs: Sequence[Row]) -> tuple[list[Sequence[Row]], list[tuple[str, str]]]:
        """Return the rows of each sentence, one where the glossary chose it; and the terms that none of the best holds."""
        found, lacking, first = list[Sequence[Row]](), list[tuple[str, str]](), 0
        for count, terms in zip(side.counts, side.terms, strict=True):
            rows = outputs[first : first + count]
            first += count
            if terms:
                place, missing = best_of([side.read(row["tokens"].tolist())[0] for row in rows], terms)
                rows, lacking = rows[place : place + 1], [*lacking, *missing]
            found.append(rows)
        return found, list(dict.fromkeys(lacking))

    def _asked(self, texts: Sequence[str], sources: Sequence[str], reader: Reader) -> list[Prompt]:
        """Return what the backbone reads for texts."""
        said = [self._way.prompt(text, source) for text, source in zip(texts, sources, strict=True)]
        prompts = reader.prompts(said, self._frame, spare=self.decoding.max_new_tokens)
        return [self._way.told(prompt, source, reader) for prompt, source in zip(prompts, sources, strict=True)]

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Return where the sentences of a text stand; of an empty one there are none."""
        if self.options.by_sentence:
            return sentence_spans(text)
        kept = text.strip()
        first = len(text) - len(text.lstrip())
        return [(first, first + len(kept))] if kept else []

    def _source(self, text: str) -> str:
        """Return the language of a text: found out, or said."""
        if self.options.source != AUTO:
            return self._read
        return detected(text, self._way.spec.languages if len(self._way.spec.languages) > 2 else ()) if text.strip() else ""

    def _doubts_of(self, text: str, source: str) -> tuple[str, ...]:
        """Return what should be said of a text whose language was found out to be another than is read, or than is written."""
        if self.options.source != AUTO or not source:
            return ()
        if are_alike(source, self._way.target):
            return (f"the text seems to be in {source} already",)
        wanted = self._way.read_from("") if len(self._way.spec.languages) == 2 else ""
        is_other = bool(wanted) and not are_alike(source, wanted)
        return (f"the text seems to be in {source}; what is read is {wanted}",) if is_other else ()

    def _joined(self, between: Sequence[str], sentences: Sequence[str]) -> str:
        """Return translated sentences with what stood between them, as the language that is written has it."""
        is_spaced = has_spaces(self._way.target)
        inner = [_gap(gap, is_spaced) for gap in between[1:-1]]
        gaps = [between[0], *inner, between[-1]] if len(between) > 1 else list(between)
        return "".join(gap + sentence.strip() for gap, sentence in zip(gaps, [*sentences, ""], strict=True))


def _gap(between: str, is_spaced: bool) -> str:
    """Return what stands between two sentences: lines stay, a space comes or goes with the language."""
    if "\n" in between:
        return between
    return (between or " ") if is_spaced else between.strip()


def _between(text: str, spans: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Return what stands before, between and after the sentences of a text."""
    starts, ends = [first for first, _ in spans], [end for _, end in spans]
    return tuple(text[end:first] for end, first in zip([0, *ends], [*starts, len(text)], strict=True))

"""Spans by asking: a backbone that writes is asked for what a text names of each type, and held to words of that text.

Apart from `tagging`, which scores tokens and has to be trained. What is written is JSON, for each type a list of stretches in the
order of the text; it always parses, names no other type, and each stretch stands in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from functory.contracts.backbone import BackboneSpec
from functory.contracts.guiding import Guide
from functory.errors import TooLong
from functory.reading.reader import Reader
from functory_sdk.spans.types import Entities, Entity, Span, SpanLabels, SpanOptions
from functory_sdk.writes.held import Held, Said
from functory_sdk.writes.parts import located
from functory_sdk.writes.verbatim import places_of, run_rule, spelled

PROMPT = (
    "Find what the text names of each kind, and write it down in the words of the text, as JSON. A list is empty where there is "
    "none.\n\nKinds: {labels}\n\n{examples}Text: {text}\n\nJSON:\n"
)
"""The prompt; {labels} are the types."""
ITEMS = 16
"""The most stretches of one type in a part of a text."""
LONGEST = 200
"""Characters of the longest stretch."""
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(: )?')


@dataclass(frozen=True)
class Excerpt:
    """A part of a text, with those of its entities that it holds whole; their places are the part's.

    :param start: its first character in the text.
    """

    text: str
    start: int
    entities: tuple[Span, ...] = ()


class SpanAsking(Held):
    """A request for each part of a text.

    :param options: the task's.
    :param spec: the backbone's facts.
    :param example: the task's Example.
    :param standing: whether entities may lie in one another (``nested``), or cross (``overlapping``), as ``flat`` ones may not.
    :raises OptionError: for a prompt without a place for the text.
    """

    def __init__(
        self, options: SpanOptions, spec: BackboneSpec, example: type[BaseModel], standing: str = "flat"
    ) -> None:
        super().__init__(options.write, spec, options.prompt or PROMPT, example)
        self.standing = standing

    def before(self, state: SpanLabels) -> str:
        return self._before.replace("{labels}", ", ".join(state.labels))

    def parts(self, value: Any, reader: Reader, state: SpanLabels) -> tuple[list[Excerpt], tuple[str, ...]]:
        """Return the parts of a long text, none of which has more tokens than may be written.

        :raises TooLong: where it is too long, and the rule is "refuse".
        """
        whole = Excerpt(value.text, 0, getattr(value, "entities", ()))
        if reader.long_text == "cut":
            return [whole], ()
        room = min(self.room(Excerpt("", 0), reader, state), self.decoding.max_new_tokens)
        places = located(value.text, reader.tokenizer, max(1, room))
        if len(places) > 1 and reader.long_text == "refuse":
            raise TooLong("the text does not fit into a prompt with its answer.",
                          do='shorten it, or build the function with long_text = "window" or "cut".')  # fmt: skip
        if len(places) < 2:
            return [whole], ()
        return [_excerpt(whole, *place) for place in places], (f"read in {len(places)} parts",)

    def guide(self, value: Excerpt, state: SpanLabels) -> Guide:
        """Return the grammar of a list for each type, of words of the text."""
        has_words = bool(value.text.strip())
        names = [json.dumps(label, ensure_ascii=False) for label in state.labels]
        lists = [f"{_quoted(f'{before}{name}: [')} several" for before, name in zip(_befores(len(names)), names, strict=True)]
        rules = [f"start: {' '.join(lists)} {_quoted(']}')}"]
        if not has_words:
            return Guide(grammar="\n".join([*rules, 'several: ""']))
        rules += [f'several: (one (", " one){{0,{ITEMS - 1}}})?', 'one: "\\"" WORDS "\\""']
        return Guide(grammar="\n".join([*rules, run_rule("WORDS", value.text, LONGEST, is_json=True)]))

    def written(self, example: Any, state: SpanLabels) -> str:
        found: dict[str, list[str]] = {label: [] for label in state.labels}
        for span in example.entities:
            found[span.label].append(spelled(example.text[span.start : span.end]))
        return json.dumps(found, ensure_ascii=False)

    def read(
        self, value: Any, parts: Sequence[Excerpt], said: Sequence[Said], notes: tuple[str, ...], state: SpanLabels
    ) -> Entities:
        found = [entity for part, one in zip(parts, said, strict=True) for entity in _entities(part, one, state)]
        kept: list[Entity] = []
        for entity in sorted(found, key=lambda one: -one.score):
            if all(self._may_stand(entity, other) for other in kept):
                kept.append(entity)
        return Entities(entities=tuple(sorted(kept, key=lambda one: (one.start, one.end, one.label))), notes=notes)

    def _may_stand(self, one: Entity, other: Entity) -> bool:
        """Return whether two entities may stand beside each other; a stretch has one type."""
        first, second = sorted(((one.start, one.end), (other.start, other.end)), key=lambda span: (span[0], -span[1]))
        if first == second:
            return False
        is_apart, is_within = second[0] >= first[1], second[1] <= first[1]
        return is_apart or self.standing == "overlapping" or (self.standing == "nested" and is_within)


def _befores(count: int) -> list[str]:
    """Return what stands before each of so many lists."""
    return ["{", *["], "] * (count - 1)]


def _quoted(text: str) -> str:
    """Return a text as a grammar has it."""
    return json.dumps(text, ensure_ascii=False)


def _excerpt(whole: Excerpt, start: int, end: int) -> Excerpt:
    """Return a part of a text."""
    held = [span for span in whole.entities if start <= span.start and span.end <= end]
    moved = tuple(span.model_copy(update={"start": span.start - start, "end": span.end - start}) for span in held)
    return Excerpt(whole.text[start:end], start, moved)


def _meant(spelled_out: str) -> str:
    """Return the text that a string of JSON stands for; as it is where it is none, as nobody held it to be."""
    try:
        return str(json.loads(f'"{spelled_out}"'))
    except ValueError:
        return spelled_out


def _entities(part: Excerpt, said: Said, state: SpanLabels) -> Iterator[Entity]:
    """Give what was written, each with its place: the first one of the text that the same stretch of its type has not had."""
    label, had = "", set[tuple[int, int]]()
    for found in _STRING.finditer(said.text):
        told = _meant(found[1])
        if found[2]:
            label, had = told, set()
            continue
        place = next((one for one in places_of(told, part.text) if one not in had), None)
        if place is None or label not in state.labels:
            continue
        had.add(place)
        start, end = place[0] + part.start, place[1] + part.start
        score = round(said.least(*found.span(1)), 6)
        yield Entity(text=part.text[slice(*place)], label=label, start=start, end=end, score=score)

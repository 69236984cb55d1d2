"""The formulation: the fields as JSON after a prompt that tells them, held to their schema while they are written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from functory_extract.evidence import evidence
from functory_extract.schemas import nullable, properties_of
from functory_extract.types import Extraction, ExtractOptions, Filled, Text, described
from functory_extract.verbatim import held_to, marked, without_repeats
from functory_sdk import (
    BackboneSpec,
    Bounded,
    Decoding,
    Demonstration,
    Demonstrations,
    Encoded,
    Frame,
    Guide,
    OptionError,
    Prompt,
    Reader,
    Row,
    Taught,
    bounded,
    template_frame,
)
from functory_sdk.bounds import CHARACTERS
from functory_sdk.writes.write import Side, Write

PROMPT = (
    "Read the text and fill in the fields, as JSON. Write null for what the text does not say.\n\n"
    "Fields:\n{fields}\n\n{examples}Text: {text}\n\nJSON:\n"
)
"""The prompt, which a chat template takes as a user's message. Examples that are shown stand before the text."""
SHOWN = Frame(("Text: ", "\n\nJSON:\n"), ("text",))
"""An example as it is shown."""
UNHELD = "what was written is no such JSON, and nothing of it is kept"
SIZES = (32, 64, 128, CHARACTERS)
"""How many characters a text field has at most: no more than the text that it is taken from, roughly."""


@dataclass(frozen=True)
class Read(Side):
    """What is kept of an input besides: its text, in which values are looked for."""

    text: str = ""


class Extracting(Write):
    """One request a text, guided by the schema.

    :param options: the task's.
    :param output: the type of the answers.
    :param spec: the backbone's facts.
    :raises OptionError: for a prompt without a place for the text, or a system text without a template.
    :raises NotSupported: as `Write` has it.
    """

    takes_control: ClassVar[bool] = False

    def __init__(self, options: ExtractOptions, output: type[Extraction], spec: BackboneSpec) -> None:
        super().__init__(options, spec, lambda value: str(value.text), "")
        self.options: ExtractOptions = options
        self._output = output
        self._names = tuple(properties_of(options.model))
        schema = nullable(options.model)
        self._guides = {size: bounded(Guide(json_schema=schema), size) for size in SIZES if options.model}
        self._words = bounded(Guide(json_schema=marked(schema))) if options.model else None
        fields = "\n".join(_told(name, one) for name, one in properties_of(options.model).items())
        prompt = options.prompt or PROMPT
        prompt = prompt if "{examples}" in prompt else "{examples}" + prompt
        self._frame, self._showing = (
            _within(self._frame, template_frame(one, places), fields)
            for one, places in ((prompt.replace("{examples}", ""), ("text",)), (prompt, ("examples", "text")))
        )

    def using(self, decoding: Decoding) -> Self:
        """:raises OptionError: for a guide of the caller's, and for several samples."""
        if decoding.guide is not None or decoding.samples > 1:
            what = "an extraction has the guide that its `model` makes, and one answer."
            raise OptionError(what, do="leave guide and samples out.", field="guide")
        return super().using(decoding)

    def encode(self, inputs: Sequence[Text], reader: Reader, state: Filled) -> Encoded:
        prompts = self._read(inputs, reader, state)
        held = [self._guide(value.text) for value in inputs]
        notes = [(*prompt.notes, *one.notes) if one else prompt.notes for prompt, one in zip(prompts, held, strict=True)]
        sides = [
            Read(**vars(self.side(reader, told)), text=value.text) for told, value in zip(notes, inputs, strict=True)
        ]
        asked = zip(self.requests(prompts, reader), held, strict=True)
        return Encoded([], [], sides, [replace(request, guide=one and one.guide) for request, one in asked])

    def decode(self, side: Read, outputs: Sequence[Row], state: Filled) -> Extraction:
        text, _ = side.read(outputs[0]["tokens"].tolist())
        fields = self._fields(text)
        if fields is None:
            return self._output(**self._empty(), notes=(*side.notes, UNHELD))
        if self.options.verbatim:
            fields = without_repeats(fields, side.text)
        return self._output(**fields, evidence=evidence(fields, side.text), notes=side.notes)

    def teach(self, examples: Sequence[Any], inputs: Sequence[Text], reader: Reader, state: Filled) -> Taught:
        """Return a row for each example: its fields as JSON after the prompt, as a guide writes it."""
        prompts = self._read(inputs, reader, state)
        return self.taught(prompts, [self.written(one) for one in examples], reader)

    def written(self, example: Any) -> str:
        """Return the fields of an example as they should be written."""
        return json.dumps({name: _plain(getattr(example, name)) for name in self._names}, ensure_ascii=False)

    def _guide(self, text: str) -> Bounded | None:
        """Return what holds the fields of a text; None where nothing does."""
        if not self.options.is_guided:
            return None
        if not self.options.verbatim or self._words is None:
            return self._guides[next((size for size in SIZES if size >= len(text)), SIZES[-1])]
        words = self._words.guide.json_schema or {}
        return Bounded(Guide(json_schema=held_to(words, text)), self._words.notes)

    def _read(self, inputs: Sequence[Text], reader: Reader, state: Filled) -> list[Prompt]:
        """Read texts into the prompt, after the examples that are shown to them."""
        texts, spare = [(value.text,) for value in inputs], self.decoding.max_new_tokens
        if state.shown is None:
            return reader.prompts(texts, self._frame, spare=spare)
        shown = Demonstrations(state.shown, reader, self._demonstrated).written(texts)
        both = [(f"{told}\n\n", text) for told, (text,) in zip(shown, texts, strict=True)]
        return reader.prompts(both, self._showing, spare=spare)

    def _demonstrated(self, example: Mapping[str, Any]) -> Demonstration:
        fields = {name: example.get(name) for name in self._names}
        return Demonstration(SHOWN, (str(example["text"]),), json.dumps(fields, ensure_ascii=False))

    def _fields(self, text: str) -> dict[str, Any] | None:
        """Return the fields that a text spells; None where it has no object with these, as nobody held it to have."""
        # Nobody held it: it may stand in a fence of Markdown.
        held = text if self.options.is_guided else text[max(0, text.find("{")) : text.rfind("}") + 1]
        try:
            found = json.loads(held)
            fields = {name: found.get(name) for name in self._names}
            return self._output.model_validate(fields).fields
        except (ValueError, AttributeError, RecursionError):
            return None

    def _empty(self) -> dict[str, Any]:
        return dict.fromkeys(self._names)


def _within(around: Frame, told: Frame, fields: str) -> Frame:
    """Return a prompt's frame within a chat's, with the fields told."""
    pieces = [piece.replace("{fields}", fields) for piece in told.pieces]
    pieces[0], pieces[-1] = around.pieces[0] + pieces[0], pieces[-1] + around.pieces[1]
    return Frame(tuple(pieces), told.fields, around.is_chat)


def _told(name: str, part: Mapping[str, Any]) -> str:
    """Return a field in a line of the prompt."""
    kinds = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "array": "list"}
    choices = ", ".join(json.dumps(one, ensure_ascii=False) for one in part.get("enum", ()))
    several = [one.get("type", "") for one in part.get("anyOf", ()) if one.get("type") != "null"]
    kind = choices or part.get("format") or kinds.get(str(part.get("type", several[0] if several else "")), "object")
    meant = described(name, part)
    return f"- {name} ({kind})" + (f": {meant}" if meant != name else "")


def _plain(value: Any) -> Any:  # Any: JSON
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value

"""The formulation: the fields as JSON after a prompt that tells them, held to their schema while they are written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from functory_extract.evidence import evidence
from functory_extract.schemas import nullable, properties_of
from functory_extract.types import Extraction, ExtractOptions, Filled, FilledText, Text, described
from functory_extract.verbatim import held_to, marked, without_repeats
from functory_sdk import BackboneSpec, Bounded, Guide, Held, Reader, Said, bounded, template_frame
from functory_sdk.bounds import CHARACTERS

PROMPT = (
    "Read the text and fill in the fields, as JSON. Write null for what the text does not say.\n\n"
    "Fields:\n{fields}\n\n{examples}Text: {text}\n\nJSON:\n"
)
"""The prompt, which a chat template takes as a user's message. Examples that are shown stand before the text."""
UNHELD = "what was written is no such JSON, and nothing of it is kept"
SIZES = (32, 64, 128, CHARACTERS)
"""How many characters a text field has at most: no more than the text that it is taken from, roughly."""


class Extracting(Held):
    """One request a text, guided by the schema.

    :param options: the task's.
    :param output: the type of the answers.
    :param example: that of examples.
    :param spec: the backbone's facts.
    :raises OptionError: for a prompt without a place for the text, or a system text without a template.
    :raises NotSupported: as `Write` has it.
    """

    tells_chances: ClassVar[bool] = False

    def __init__(
        self, options: ExtractOptions, output: type[Extraction], example: type[FilledText], spec: BackboneSpec
    ) -> None:
        super().__init__(options, spec, options.prompt or PROMPT, example)
        template_frame(self._each, ("text",))
        self.options: ExtractOptions = options
        self._output = output
        self._names = tuple(properties_of(options.model))
        schema = nullable(options.model)
        self._guides = {size: bounded(Guide(json_schema=schema), size) for size in SIZES if options.model}
        self._words = bounded(Guide(json_schema=marked(schema))) if options.model else None
        self._told = "\n".join(_told(name, one) for name, one in properties_of(options.model).items())

    def before(self, state: Filled) -> str:
        return super().before(state).replace("{fields}", self._told)

    def each(self, value: Any) -> str:
        return self._each.replace("{fields}", self._told)

    def parts(self, value: Any, reader: Reader, state: Filled) -> tuple[list[Any], tuple[str, ...]]:
        held = self._bounded(value.text)
        return [value], held.notes if held else ()

    def guide(self, value: Text, state: Filled) -> Guide | None:
        held = self._bounded(value.text)
        return held and held.guide

    def read(
        self, value: Any, parts: Sequence[Any], said: Sequence[Said], notes: tuple[str, ...], state: Filled
    ) -> Extraction:
        fields = self._fields(said[0].text)
        if fields is None:
            return self._output(**self._empty(), notes=(*notes, UNHELD))
        if self.options.verbatim:
            fields = without_repeats(fields, value.text)
        return self._output(**fields, evidence=evidence(fields, value.text), notes=notes)

    def written(self, example: Any, state: Filled) -> str:
        """Return the fields of an example as they should be written."""
        return json.dumps({name: _plain(getattr(example, name, None)) for name in self._names}, ensure_ascii=False)

    def _bounded(self, text: str) -> Bounded | None:
        """Return what holds the fields of a text, and the bounds that it has; None where nothing does."""
        if not self.options.is_guided:
            return None
        if not self.options.verbatim or self._words is None:
            return self._guides[next((size for size in SIZES if size >= len(text)), SIZES[-1])]
        words = self._words.guide.json_schema or {}
        return Bounded(Guide(json_schema=held_to(words, text)), self._words.notes)

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

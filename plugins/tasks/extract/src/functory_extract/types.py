"""The types that callers meet: input, output, example; the state; the options.

What is extracted stands in the options, so that each function has an output and an example of its own.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, create_model, field_validator

from functory_extract.schemas import properties_of, read, type_of
from functory_sdk import Guide, Input, InputError, Output, ShowingState, WriteOptions, complaint

M = TypeVar("M", bound=BaseModel)


class Text(Input):
    """What is read."""

    text: str = Field(description="The text that holds the fields.")


class FilledText(Text):
    """A text with the right fields; one that the text does not say is null."""


class Evidence(BaseModel):
    """Where a value stands in the text."""

    start: int = Field(description="Its first character.")
    end: int = Field(description="The character after its last.")
    text: str = Field(description="What stands there.")


class Extraction(Output):
    """The fields, each by its name; null where the text does not say it."""

    evidence: dict[str, Evidence] = Field(
        default={}, description="Where each value stands in the text, by its path (lines.0.title); only where it was found there."
    )

    @property
    def fields(self) -> dict[str, Any]:
        """The fields alone, by name."""
        return {name: value for name, value in self._own().items() if name != "evidence"}

    def into(self, model: type[M]) -> M:
        """Return the fields as an instance of a model.

        :raises InputError: where it takes them not, such as null for a field that may not be None.
        """
        try:
            return model.model_validate(self.fields)
        except ValidationError as error:
            raise InputError(
                f"{model.__name__} does not take what was extracted: {complaint(error)}.",
                do="let fields that a text may not say be None: `customer: str | None`.",
            ) from None

    def in_line(self, top: int = 3) -> str:
        """Each field with its value."""
        return ", ".join(f"{name} {_told(value)}" for name, value in self.fields.items())

    def in_cells(self, top: int | None = None) -> dict[str, Any]:
        """A column for each field."""
        fields = self.fields.items()
        return {name: json.dumps(one, ensure_ascii=False) if isinstance(one, (dict, list)) else one for name, one in fields}


class Filled(ShowingState):
    """Nothing is learned but the examples that are shown."""


class ExtractOptions(WriteOptions):
    """Options of extraction."""

    model: Annotated[dict[str, Any], BeforeValidator(read)] = Field(
        default={},
        description="What is extracted: a pydantic model, its JSON Schema, or a table of fields in a word each: text, number, "
        "whole, yes-no, date, list, or choices ('red, blue'), with what is meant after a colon ('number: what must be paid').",
    )
    prompt: str = Field(
        default="",
        description="What is read before the fields, with {text} and {fields}; what stands after {examples} is what each example "
        "that is shown looks like, too. One of our own when empty.",
    )
    max_new_tokens: int = Field(default=256, ge=1, le=100_000, description="How many tokens the fields have at most.")
    verbatim: bool = Field(
        default=True,
        description="Free texts are words of the text as they stand there, up to 16 in a row: what it does not hold cannot be "
        "written. Without it a model puts them in its own words, and may invent.",
    )
    is_guided: bool = Field(
        default=True,
        description="Hold what is written to the model. Without it what is no such JSON is null: to measure the difference.",
    )

    @field_validator("model")
    @classmethod
    def _named(cls, model: dict[str, Any]) -> dict[str, Any]:
        """Refuse names that no field of an answer can have."""
        for name in model.get("properties", {}):
            if not name.isidentifier() or keyword.iskeyword(name) or name.startswith(("_", "model_")):
                raise ValueError(f"{name!r} is no name of a field: letters, digits and '_', as in Python")
            if name == "text" or hasattr(Extraction, name) or name in Extraction.model_fields:
                raise ValueError(f"a field cannot be called {name!r}: every answer has that already")
        return model

    @field_validator("guide")
    @classmethod
    def _own_guide(cls, guide: Guide | None) -> Guide | None:
        if guide is not None:
            raise ValueError("the guide is what is extracted: say it as `model`")
        return guide

    @field_validator("samples")
    @classmethod
    def _one(cls, samples: int) -> int:
        if samples > 1:
            raise ValueError("one answer is extracted, and not several")
        return samples


def output_of(schema: Mapping[str, Any]) -> type[Extraction]:
    """Return the output's type, with the schema's fields."""
    fields: dict[str, Any] = {
        name: (_optional(type_of(one, schema)), Field(default=None, description=described(name, one)))
        for name, one in properties_of(schema).items()
    }
    return create_model("Extraction", __base__=Extraction, __module__=__name__, __doc__=Extraction.__doc__, **fields)


def example_of(schema: Mapping[str, Any]) -> type[FilledText]:
    """Return the example's type, with the right value of each field."""
    fields: dict[str, Any] = {
        name: (
            Annotated[_optional(type_of(one, schema)), BeforeValidator(_cell_reader(one.get("type") == "string"))],
            Field(default=None, description=described(name, one)),
        )
        for name, one in properties_of(schema).items()
    }
    return create_model("FilledText", __base__=FilledText, __module__=__name__, __doc__=FilledText.__doc__, **fields)


def described(name: str, part: Mapping[str, Any]) -> str:
    """Return what a field is, in words."""
    return str(part.get("description") or "").strip() or name.replace("_", " ")


def _optional(given: Any) -> Any:  # Any: a type
    return given if given is Any or given is None else given | None


def _cell_reader(is_text: bool) -> Any:  # Any: a function of pydantic's
    """Return what reads a value as a table writes it: nothing as null, and what is no text as JSON."""

    def read_cell(value: Any) -> Any:  # Any: a cell
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        if is_text:
            return value
        try:
            return json.loads(value)
        except ValueError:
            return value

    return read_cell


def _told(value: Any) -> str:  # Any: JSON
    return "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


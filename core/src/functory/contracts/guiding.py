"""What a text must be, whatever the backbone would rather write: JSON of a schema, a regular expression's, a choice, a grammar's.

Plain data, which a recipe, a manifest, the command line and a single call all say in the same words; engines compile it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from functory.contracts.component import Options, schema_of


class Guide(Options):
    """What a text must be. It holds one of four: a pydantic model or its JSON Schema (``guide=Invoice``), ``{"regex": …}``, some
    choices (``["yes", "no"]``), or ``{"grammar": …}``.
    """

    json_schema: dict[str, Any] | None = Field(default=None, description="The text is JSON that this schema allows.")
    regex: str | None = Field(default=None, description="The text is one that this regular expression matches as a whole.")
    choices: tuple[str, ...] = Field(default=(), max_length=10_000, description="The text is one of these.")
    grammar: str | None = Field(
        default=None, description="The text is what `start` derives in this context-free grammar, written as Lark has it."
    )

    @model_validator(mode="before")
    @classmethod
    def _said(cls, given: Any) -> Any:  # Any: what a recipe or a caller says
        """Take a model, a schema and a list of choices for what they are; a text is read as JSON."""
        if isinstance(given, str):
            try:
                given = json.loads(given)
            except ValueError:
                what = "a text alone does not say what it is: {regex = '…'}, {grammar = '…'}, ['choice', …], or a JSON Schema"
                raise ValueError(what) from None
        given = schema_of(given)
        if isinstance(given, (list, tuple)):
            return {"choices": given}
        if not isinstance(given, Mapping):
            return given
        if "schema" in given and given.keys() <= {"schema"}:
            given = {"json_schema": given["schema"]}
        if given and given.keys() <= cls.model_fields.keys():
            return {name: schema_of(value) for name, value in given.items()}
        return {"json_schema": dict(given)}

    @field_validator("choices")
    @classmethod
    def _told_apart(cls, choices: tuple[str, ...]) -> tuple[str, ...]:
        if "" in choices:
            raise ValueError("an empty choice is no text")
        return tuple(dict.fromkeys(choices))

    @model_validator(mode="after")
    def _one(self) -> Self:
        held = [name for name in type(self).model_fields if getattr(self, name) not in (None, ())]
        if len(held) != 1:
            what = f"not {' and '.join(held)}" if held else "and this is none"
            raise ValueError(f"a guide is a schema, a regex, choices or a grammar: one of them, {what}")
        return self

    @property
    def key(self) -> str:
        """What tells it from other guides, and spells it; the order of a schema's properties is the text's."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)

    @property
    def told(self) -> str:
        """What it is, in a few words."""
        if self.choices:
            return f"{len(self.choices)} choices"
        kinds = (("JSON Schema", self.json_schema), ("regular expression", self.regex), ("grammar", self.grammar))
        return f"a {next(kind for kind, held in kinds if held is not None)}"

"""The types that callers meet: input, example, output and options."""

from __future__ import annotations

from pydantic import Field, field_validator

from functory_sdk import Input, WriteOptions, Written
from functory_translation.languages import code_of, near_names

AUTO = "auto"


class Source(Input):
    """What is translated."""

    text: str = Field(description="A sentence, or a text of many: each is translated by itself.")


class ReferencedText(Source):
    """A text with its translation."""

    reference: str = Field(description="How it should be translated.")


class Translated(Written):
    """The translation."""

    source: str = Field(default="", description="The language that was read; empty where nobody says.")
    target: str = Field(default="", description="The language that was written; empty where nobody says.")
    sentences: int = Field(default=0, description="How many sentences were translated, each by itself.")


class TranslationOptions(WriteOptions):
    """From which language into which, and how it is written."""

    source: str = Field(
        default="", description="The language that is read: en, zh, pt-BR; 'auto' finds it for each text (needs py3langid)."
    )
    target: str = Field(default="", description="The language that is written; what the backbone writes, where it writes one.")
    by_sentence: bool = Field(
        default=True, description="Each sentence is translated by itself, as translators are trained; line breaks stay."
    )
    glossary: dict[str, str] = Field(
        default={},
        description="How terms are translated: {\"fridge\": \"geladeira\"}. Of a sentence with one, the best of many "
        "translations that holds its term is taken; where none does, the output says so.",
    )
    max_new_tokens: int = Field(default=128, ge=1, le=100_000, description="How many tokens are written for a sentence at most.")

    @field_validator("source", "target")
    @classmethod
    def _known(cls, given: str) -> str:
        code = given if given in ("", AUTO) else code_of(given)
        if given and not code:
            near = near_names(given)
            hint = f"did you mean {', '.join(near)}?" if near else "codes are en, zh, pt-BR"
            raise ValueError(f"{given[:40]!r} is no language's code; {hint}")
        return code

    @field_validator("glossary")
    @classmethod
    def _spelled(cls, given: dict[str, str]) -> dict[str, str]:
        if any(not term.strip() or not wanted.strip() for term, wanted in given.items()):
            raise ValueError("a term, or how it is translated, is empty")
        return given

    @field_validator("target")
    @classmethod
    def _one(cls, given: str) -> str:
        if given == AUTO:
            raise ValueError("what is written cannot be found out; name a language")
        return given

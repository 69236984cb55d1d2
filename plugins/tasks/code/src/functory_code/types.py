"""The types that callers meet: what is wanted, the code, an example with its test, the options."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from functory_sdk import Input, WriteOptions, Written


class CodeOptions(WriteOptions):
    """Options of code: the language, how it is asked for, and whether what was written may be run to measure it."""

    max_new_tokens: int = Field(default=256, ge=1, le=100_000, description="How many tokens are written at most.")
    language: str = Field(default="python", description="What is written. The syntax of python, json and toml is checked.")
    prompt: str = Field(
        default="Write {language} code. {text}",
        description="How a backbone that converses is asked, with a place for {text}, and, if wanted, for {language}.",
    )
    block: bool = Field(
        default=True,
        description="Whether the answer begins within a block of code, so that nothing else comes first. Encoder-decoders answer "
        "freely.",
    )
    allow_execution: bool = Field(
        default=False,
        description="Whether measuring runs what was written, with the examples' tests: behind walls, on Linux; refused where "
        "they cannot be built.",
    )
    seconds: int = Field(default=3, ge=1, le=600, description="Processor time that code may take in a test, in seconds.")
    memory_mb: int = Field(default=512, ge=64, le=65_536, description="Memory that it may take, its interpreter counted, in MiB.")

    @field_validator("language")
    @classmethod
    def _one_word(cls, language: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9+#_.-]{1,32}", language):
            raise ValueError("a language is one word, as it stands at the beginning of a block of code: python, c++, rust")
        return language


class Wanted(Input):
    """What code should do."""

    text: str = Field(default="", description="What the code should do.")
    start: str = Field(
        default="",
        description="How it begins, where that is given: imports, a signature with its docstring. White space at its end is the "
        "backbone's to write.",
    )


class Tested(Wanted):
    """The same with what it is measured by: a test, code that is right, or both."""

    __test__: ClassVar[bool] = False  # for pytest, which would take it for a test

    reference: str = Field(default="", description="Code that is right; where the beginning is given, what comes after it.")
    test: str = Field(
        default="",
        description="Code that raises where the code before it is wrong; a function `check` in it is called with `entry`.",
    )
    entry: str = Field(default="", description="The name of the function that is tested.")

    @field_validator("text", "start", "reference", "test", "entry", mode="before")
    @classmethod
    def _nothing(cls, value: Any) -> Any:  # Any: what a row holds
        return "" if value is None else value

    @field_validator("entry")
    @classmethod
    def _name(cls, entry: str) -> str:
        if entry and not entry.isidentifier():
            raise ValueError(f"{entry!r} is no name of a function")
        return entry

    @model_validator(mode="after")
    def _measured(self) -> Tested:
        if not self.reference.strip() and not self.test.strip():
            raise ValueError("a reference, a test, or both are wanted")
        return self


class Code(Written):
    """Code that was written."""

    code: str = Field(default="", description="The code, from its given beginning, without what stands around it.")
    language: str = Field(default="python", description="What it is written in.")
    is_valid: bool | None = Field(default=None, description="Whether its syntax is right; null where that is not checked.")
    fault: str = Field(default="", description="What is wrong with its syntax, and where.")
    other_codes: tuple[str, ...] = Field(default=(), description="The code of the further samples.")

    def in_line(self, top: int = 3) -> str:
        """The code, as many lines as it has."""
        return self.code

"""The output of tasks that write, and their options."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from functory.contracts.component import Options
from functory.contracts.task import Output


class Written(Output):
    """What was written."""

    text: str = Field(description="The text, without the prompt.")
    tokens: int = Field(description="How many tokens were written.")
    finish: Literal["end", "length"] = Field(description="end: the model ended the text. length: max_new_tokens were written.")

    def in_line(self, top: int = 3) -> str:
        """The text."""
        return self.text


class WriteOptions(Options):
    """Options of every task that writes."""

    max_new_tokens: int = Field(default=64, ge=1, le=100_000, description="How many tokens are written at most.")
    chat: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="on: the prompt is a user's message in the backbone's chat template. off: the text is continued as it "
        "stands. auto: on where the backbone has a template.",
    )
    system: str = Field(default="", description="Told to the model before the prompt, where its template knows such a message.")

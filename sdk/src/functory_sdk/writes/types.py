"""The output of tasks that write, and their options."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from functory.contracts.decoding import Decoding, Finish
from functory.contracts.task import Output


class Written(Output):
    """What was written."""

    text: str = Field(description="The text, without the prompt.")
    tokens: int = Field(description="How many tokens were written.")
    finish: Finish = Field(
        description="end: the model ended the text. stop: a stop string came. length: max_new_tokens were written."
    )
    others: tuple[str, ...] = Field(default=(), description="The further texts, where several samples are asked for.")
    log_probabilities: tuple[float, ...] = Field(
        default=(), description="Of each token after those before it, where likelihoods are asked for; then of the end."
    )
    pieces: tuple[str, ...] = Field(
        default=(), description="What each token adds to the text, where likelihoods are asked for: together they are the text."
    )

    def in_line(self, top: int = 3) -> str:
        """The text."""
        return self.text

    def _own(self) -> dict[str, Any]:
        return {name: value for name, value in super()._own().items() if value != ()}


class WriteOptions(Decoding):
    """Options of every task that writes: how, and how the prompt is put."""

    chat: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="on: the prompt is a user's message in the backbone's chat template. off: the text is continued as it "
        "stands. auto: on where the backbone has a template.",
    )
    system: str = Field(default="", description="Told to the model before the prompt, where its template knows such a message.")

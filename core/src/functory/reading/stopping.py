"""Where a text ends that is being written: stop strings, which may lie across tokens, and characters that are not whole yet.

Apart from engines, which know tokens and no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functory.reading.tokenizer import Tokenizer

UNFINISHED = "\ufffd"
"""What a tokenizer gives for a character whose bytes are not all there."""


@dataclass(frozen=True)
class Stops:
    """The stop strings of a text, and how its tokens are read.

    :param strings: none of them empty.
    """

    tokenizer: Tokenizer
    strings: tuple[str, ...]

    @property
    def is_needed(self) -> bool:
        """Whether anything ends a text here."""
        return bool(self.strings)

    def __call__(self, tokens: Sequence[int]) -> bool:
        """Return whether a stop string stands in the text of these tokens."""
        return self.cut(self.tokenizer.text(tokens)) is not None

    def cut(self, text: str) -> int | None:
        """Return where the first stop string begins; None where there is none."""
        return min((place for place in map(text.find, self.strings) if place >= 0), default=None)

    def text(self, tokens: Sequence[int]) -> tuple[str, bool]:
        """Return the text of tokens up to the first stop string, and whether there is one."""
        whole = self.tokenizer.text(tokens)
        place = self.cut(whole)
        return whole[:place], place is not None

    def told(self, tokens: Sequence[int]) -> str:
        """Return what can be told of a text that may go on: not its last character where bytes of it may be missing, and
        nothing that may turn out to be the beginning of a stop string.
        """
        text, is_stopped = self.text(tokens)
        if is_stopped:
            return text
        text = text.rstrip(UNFINISHED)
        return text[: len(text) - max((_begun(text, stop) for stop in self.strings), default=0)]


def _begun(text: str, stop: str) -> int:
    """Return how many characters at a text's end are the beginning of a stop string."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)

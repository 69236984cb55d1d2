"""Where a text ends that may have so many sentences or words: at the end of one, whatever was written after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functory.reading.sentences import sentence_spans
from functory.reading.stopping import UNFINISHED, Stops
from functory_sdk.writes.metrics import WORDS


@dataclass(frozen=True)
class Limits(Stops):
    """Stop strings, and how long a text may be.

    A text that is over a limit ends with its last whole sentence within it; where there is none, with its last word.

    :param sentences: at most so many; any number when 0.
    :param words: likewise; a Chinese character is one.
    """

    sentences: int = 0
    words: int = 0

    @property
    def is_needed(self) -> bool:
        return super().is_needed or bool(self.sentences or self.words)

    def cut(self, text: str) -> int | None:
        places = (super().cut(text), *self._over(text.rstrip(UNFINISHED)))
        return min((place for place in places if place is not None), default=None)

    def told(self, tokens: Sequence[int]) -> str:
        """Return what can be told of a text that may go on: with a limit only what ends before what may be cut off."""
        text, sentences = super().told(tokens), []
        if self.sentences or self.words:
            text, sentences = text.rstrip(), sentence_spans(text)
        if self.words and self.cut(self.tokenizer.text(tokens)) is None:
            return text[: sentences[-2][1]] if len(sentences) > 1 else ""
        return text

    def _over(self, text: str) -> list[int]:
        """Return where a text ends by each limit that it is over."""
        sentences = sentence_spans(text) if self.sentences or self.words else []
        ends = [sentences[self.sentences - 1][1]] if 0 < self.sentences < len(sentences) else []
        words = list(WORDS.finditer(text)) if self.words else []
        if len(words) > self.words > 0:
            within = [end for _, end in sentences if end <= words[self.words].start()]
            ends.append(within[-1] if within else words[self.words - 1].end())
        return ends

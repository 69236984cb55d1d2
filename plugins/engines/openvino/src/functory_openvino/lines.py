"""Texts in a batch: whose they are, and how much of them the stored keys and values hold."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from functory_sdk import Array, Request, Token
from functory_sdk.choosing import log_probability
from functory_sdk.lines import Alone, Step, Text


@dataclass
class Group:
    """The texts that one caller asked for at once, and their tokens that it has not taken yet.

    :param going: how many texts go on.
    :param error: what one of them failed of.
    """

    going: int = 0
    tokens: deque[Token] = field(default_factory=deque)
    error: BaseException | None = None


class Member:
    """A text in the batch.

    :param text: what chooses its tokens.
    :param group: whose it is.
    """

    def __init__(self, text: Text, group: Group) -> None:
        self.text, self.group = text, group
        self.is_over = False


class Paged(Member):
    """A text after a decoder's prompt, whose rows' keys and values lie in pages."""

    def __init__(self, text: Text, group: Group) -> None:
        super().__init__(text, group)
        self.prompt = text.request.ids
        self.after: list[list[int]] = [list(text.request.start)]
        """Of each row, the tokens after the prompt."""
        self.read = 0
        """The tokens of each row that are read, the prompt's counted."""
        self.pages: list[list[int]] = [[]]
        self.keys: list[bytes] = []
        self.is_on_written = False
        """Whether it goes on from pages that were written token by token."""

    @property
    def is_begun(self) -> bool:
        """Whether it has pages."""
        return bool(self.pages[0])

    @property
    def is_prompt_read(self) -> bool:
        """Whether what comes next is what was written, or what it begins with."""
        return self.read >= len(self.prompt)

    @property
    def is_read(self) -> bool:
        """Whether the next token of its rows can be chosen."""
        return self.read == len(self.prompt) + len(self.after[0])

    def waiting(self, most: int) -> list[Sequence[int]]:
        """Return the tokens that each row reads next: of a prompt so many at most, and never its last one by itself, which would
        be computed in another order than among others; of what comes after it one.
        """
        if self.is_prompt_read:
            place = self.read - len(self.prompt)
            return [row[place : place + 1] for row in self.after]
        end = min(len(self.prompt), self.read + most)
        return [self.prompt[self.read : end - (end == len(self.prompt) - 1)]]

    def go_on(self, step: Step) -> None:
        """Go on with the rows that a step says, each by its token."""
        if list(step.rows) == list(range(len(self.after))):
            for row, token in zip(self.after, step.tokens, strict=True):
                row.append(token)
        else:
            self.after = [[*self.after[row], token] for row, token in zip(step.rows, step.tokens, strict=True)]


class Reread(Text):
    """A text that was written, read again as it was written: its tokens come one by one, so that the same is computed.

    ``likely`` are the log-probabilities of its tokens and, where it ended early, of the likeliest token that ends it.

    :param written: its tokens.
    """

    def __init__(self, request: Request, place: int, written: Sequence[int]) -> None:
        super().__init__(request, place)
        self._left = deque(written)
        self._size = len(request.ids) + len(request.start) + len(written)
        self._ends = len(written) < request.decoding.max_new_tokens and bool(request.stop_ids)
        self.likely: list[float] = []

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is asked of it."""
        return not self._left and not self._ends

    @property
    def size(self) -> int:
        return self._size

    def go_on(self, scores: Array, alone: Alone | None = None) -> Step:
        """Take down how likely its next token is, or its end."""
        if self._left:
            token = self._left.popleft()
            self.likely.append(log_probability(scores[0], token))
            return Step([]) if self.is_nothing else Step([], [0], [token])
        self.likely.append(max(log_probability(scores[0], one) for one in self.request.stop_ids))
        return Step([])

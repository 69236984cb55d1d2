"""Texts as they are being written, or read again as they once were: what each wants computed next, and what comes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from functory_sdk import SURE, Array, Request, Token
from functory_sdk.choosing import choose, log_probability
from functory_sdk.guides import Walk


@dataclass
class Group:
    """The texts that one caller asked for at once, and their tokens that it has not taken yet.

    :param going: how many texts go on.
    :param error: what one of them failed of.
    """

    going: int = 0
    tokens: deque[Token] = field(default_factory=deque)
    error: BaseException | None = None


class Line(ABC):
    """One text, and how much of it the stored keys and values hold.

    :param group: whose it is.
    """

    def __init__(self, request: Request, group: Group) -> None:
        self.request, self.group = request, group
        self.prompt = request.ids
        self.tokens: list[int] = []
        self.read = 0
        self.pages: list[int] = []
        self.keys: list[bytes] = []
        self.is_over = False

    @property
    def is_begun(self) -> bool:
        """Whether it has pages."""
        return bool(self.pages)

    @property
    def most(self) -> int:
        """How many tokens it has at most, the prompt's counted."""
        return len(self.prompt) + len(self.request.start) + self.request.decoding.max_new_tokens

    @property
    def is_prompt_read(self) -> bool:
        """Whether what comes next is what was written, or what it begins with."""
        return self.read >= len(self.prompt)

    @property
    def is_read(self) -> bool:
        """Whether its next token can be chosen."""
        return self.read == len(self.prompt) + len(self.request.start) + len(self.tokens)

    def waiting(self, most: int) -> Sequence[int]:
        """Return the tokens that are to be read next: of a prompt so many at most, and never its last one by itself, which would
        be computed in another order than among others; of what comes after it one.
        """
        if self.is_prompt_read:
            place, start = self.read - len(self.prompt), self.request.start
            return [start[place] if place < len(start) else self.tokens[place - len(start)]]
        end = min(len(self.prompt), self.read + most)
        return self.prompt[self.read : end - (end == len(self.prompt) - 1)]

    @abstractmethod
    def hear(self, scores: Array) -> None:
        """Take the scores of the token after all that was read, float32 (vocabulary,)."""


class Written(Line):
    """A text that is being written.

    :param place: the index of its request.
    :param walk: what holds it to its guide, where it has one.
    """

    def __init__(self, request: Request, group: Group, place: int, sample: int, walk: Walk | None) -> None:
        super().__init__(request, group)
        self.place, self.sample, self.walk = place, sample, walk

    def hear(self, scores: Array) -> None:
        """Choose the next token, and tell it."""
        request, how = self.request, self.request.decoding
        seen = [*self.prompt, *request.start, *self.tokens] if how.repetition_penalty != 1 else ()
        choice = choose(scores, request, self.sample, self.tokens, seen, None if self.walk is None else self.walk.allowed())
        token, lead = choice.token, choice.lead
        if self.walk is not None:
            token = self.walk.take(choice.token, how.max_new_tokens - len(self.tokens) - 1)
            lead = lead if token == choice.token else SURE
        likely = log_probability(scores, token) if how.likelihoods else None
        finish = request.finish_of(self.tokens, token)
        if finish != "end":
            self.tokens.append(token)
        self.is_over = finish is not None
        self.group.tokens.append(Token(self.place, token, self.sample, finish, likely, lead))


class Reread(Line):
    """A text that was written, read again as it was written: its tokens come one by one, so that the same is computed.

    ``likely`` are the log-probabilities of its tokens and, where it ended early, of the likeliest token that ends it.

    :param written: its tokens.
    """

    def __init__(self, request: Request, group: Group, written: Sequence[int]) -> None:
        super().__init__(request, group)
        self._left = deque(written)
        self._ends = len(written) < request.decoding.max_new_tokens and bool(request.stop_ids)
        self.likely: list[float] = []
        self.is_over = not self._left and not self._ends

    @property
    def most(self) -> int:
        return len(self.prompt) + len(self.request.start) + len(self.tokens) + len(self._left)

    def hear(self, scores: Array) -> None:
        """Take down how likely its next token is, or its end."""
        if self._left:
            self.tokens.append(self._left.popleft())
            self.likely.append(log_probability(scores, self.tokens[-1]))
            self.is_over = not self._left and not self._ends
            return
        self.likely.append(max(log_probability(scores, one) for one in self.request.stop_ids))
        self.is_over = True

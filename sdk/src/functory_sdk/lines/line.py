"""One text, token by token: the same whatever else is in its batch."""

from __future__ import annotations

from collections.abc import Sequence

from functory.contracts.decoding import SURE, Request, Token
from functory.contracts.rows import Array
from functory_sdk.choosing import Choice, choose, log_probability
from functory_sdk.guides.walks import Walk
from functory_sdk.lines.text import Alone, Step, Text


class Line(Text):
    """One text: a sample of a request.

    :param sample: which.
    :param tokens: what was written of it.
    """

    def __init__(
        self, request: Request, place: int, walk: Walk | None = None, before: Sequence[int] | None = None, *, sample: int = 0,
        tokens: Sequence[int] = (),
    ) -> None:  # fmt: skip
        super().__init__(request, place, walk, before)
        self.sample, self.tokens = sample, list(tokens)

    @property
    def left(self) -> int:
        """How many tokens may come after the next one, that which ends the text included."""
        return self.request.decoding.max_new_tokens - len(self.tokens) - 1

    def go_on(self, scores: Array, alone: Alone | None = None) -> Step:
        request, choice = self.request, self._chosen(scores[0], alone)
        likely = log_probability(scores[0], choice.token) if request.decoding.likelihoods else None
        finish = request.finish_of(self.tokens, choice.token)
        if finish != "end":
            self.tokens.append(choice.token)
        token = Token(self.place, choice.token, self.sample, finish, likely, choice.lead)
        return Step([token]) if finish is not None else Step([token], [0], [token.id])

    def _chosen(self, scores: Array, alone: Alone | None) -> Choice:
        """Return the next token.

        A margin alone would not do: whatever it is, some score lies on its border. So a close call is decided by reading the
        text again by itself, which is the same computation in every batch.
        """
        seen, may = self.seen(self.tokens), None if self.walk is None else self.walk.allowed()
        choice = choose(scores, self.request, self.sample, self.tokens, seen, may)
        if choice.is_close and alone is not None:
            again = alone(self.request, self.tokens).scores[0]
            choice = Choice(choose(again, self.request, self.sample, self.tokens, seen, may).token, choice.lead)
        return self._in_time(choice)

    def _in_time(self, choice: Choice) -> Choice:
        """Return a choice after which the text can still end in time: where it could not, the next token of its ending."""
        if self.walk is None:
            return choice
        token = self.walk.take(choice.token, self.left)
        return choice if token == choice.token else Choice(token, SURE)

"""One batch that texts join and leave, whoever asked for them.

There is no thread of its own. Who waits for a token, and finds the batch at rest, computes a step for all; the others find
theirs when they come. Apart from what a step computes, which each kind of network says in a session of its own.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np

from functory_openvino.lines import Group, Member, Reread
from functory_sdk import Array, NotSupported, Program, Request, Session, SessionOptions, Token
from functory_sdk.lines import Alone, Step, Text, begun

M = TypeVar("M", bound=Member)


class Together(Session, Generic[M]):
    """A session that writes texts together.

    :param vocabulary: how many tokens have a score.
    :param before: what stands before each text besides its prompt, where that is not seen; see `functory_sdk.lines.Text`.
    """

    def __init__(
        self, program: Program, options: SessionOptions, vocabulary: int, before: Sequence[int] | None = None
    ) -> None:
        super().__init__(program, options)
        self._vocabulary, self._before = vocabulary, before
        self._members: list[M] = []
        self._leaving: deque[M] = deque()
        self._turn = threading.Lock()
        self._is_closed = False

    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        raise NotSupported("this program writes.", do="write with it, `session.generate(requests)`.")

    def generate(self, requests: Sequence[Request]) -> Iterator[Token]:
        texts = [
            text for place, one in enumerate(requests) for text in begun(one, place, self._vocabulary, self._before)
        ]  # all, before the first token
        yield from self._written(texts)

    def likelihood(self, requests: Sequence[Request], written: Sequence[Sequence[int]]) -> list[Array]:
        found = [Reread(request, place, text) for place, (request, text) in enumerate(zip(requests, written, strict=True))]
        for _ in self._written([one for one in found if not one.is_nothing]):
            pass
        return [np.asarray(one.likely, dtype=np.float32) for one in found]

    def close(self) -> None:
        with self._turn:
            self._is_closed = True
            self._let_go()

    @abstractmethod
    def _let_go(self) -> None:
        """Free what is held, at the end."""

    @abstractmethod
    def _member(self, text: Text, group: Group) -> M:
        """Return a text as a member of the batch."""

    @abstractmethod
    def _scored(self) -> Iterator[tuple[M, Array]]:
        """Compute a step; give the texts whose next token can be chosen, each with the scores of its rows."""

    @abstractmethod
    def _go_on(self, member: M, step: Step) -> None:
        """Have a text go on as it says."""

    @abstractmethod
    def _left(self, member: M) -> None:
        """Free what a text that has left holds."""

    def _rest(self) -> None:
        """Free what need not be held while nothing is written."""
        return

    def _alone(self, member: M) -> Alone | None:
        """Return what reads a text by itself; None where scores are the same bits in every batch."""
        return None

    def _written(self, texts: Sequence[Text]) -> Iterator[Token]:
        """Join the batch, and give the tokens of some texts as they come; leave with those that are not over."""
        group = Group(going=len(texts))
        members = [self._member(text, group) for text in texts]
        try:
            with self._turn:
                self._members += members
            while group.tokens or group.going:
                while group.tokens:
                    yield group.tokens.popleft()
                with self._turn:
                    if group.going and not group.tokens and group.error is None:
                        self._step()
                if group.error is not None:
                    raise group.error
                self._tidy()
        finally:
            self._leaving.extend(members)
            self._tidy()

    def _tidy(self) -> None:
        """Take out of the batch who left meanwhile, unless a step is being computed: whoever computes it does so after.

        No turn is waited for: an iterator that nobody holds any more may be closed by the collector within a step of its thread.
        """
        while self._leaving and self._turn.acquire(blocking=False):
            try:
                while self._leaving:
                    self._leave(self._leaving.popleft())
                if not self._members:  # until then others may begin alike
                    self._rest()
            finally:
                self._turn.release()

    def _step(self) -> None:
        """Compute a step, and let each text that has its scores hear them."""
        if self._is_closed:
            raise self._closed()
        for member, scores in self._scored():
            try:
                step = member.text.go_on(scores, self._alone(member))
                if step.rows:
                    self._go_on(member, step)
            except BaseException as error:
                member.group.error, member.is_over = error, True
            else:
                member.group.tokens.extend(step.told)
                member.is_over = not step.rows
            if member.is_over:
                self._leave(member)

    @staticmethod
    def _closed() -> NotSupported:
        return NotSupported("the session is closed.", do="open the program again.")

    def _leave(self, member: M) -> None:
        """Take a text out of the batch."""
        if member in self._members:
            self._members.remove(member)
            member.group.going -= 1
            self._left(member)

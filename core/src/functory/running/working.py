"""A form at work: inputs become rows or requests, a session runs them, and each input gets what came of its own.

Apart from the function, which reads what callers give, and decodes; a composite has no program, and so no work of its own.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from functory.contracts.counted import encode
from functory.contracts.engine import Session, SessionOptions
from functory.contracts.rows import Encoded, Row
from functory.contracts.spent import spend
from functory.reading.ngrams import NGRAMS
from functory.reading.reader import Reader
from functory.running.about import About
from functory.running.opened import Opened
from functory.running.waiting import check_left, leaving

if TYPE_CHECKING:
    from functory.contracts.batching import Told
    from functory.contracts.decoding import Request, Token
    from functory.running.forms import ProgramForm
    from functory.running.rounds import Round
    from functory.running.streaming import Stream


@dataclass(frozen=True, slots=True)
class Work:
    """One form, with the state that it encodes by and the session that it runs in.

    :param state: the task's.
    :param about: of which the rule for long texts counts.
    :param opened: whose session is opened when it is first needed.
    :param options: how.
    """

    form: ProgramForm
    state: Any
    about: About
    opened: Opened
    options: SessionOptions

    @property
    def reader(self) -> Reader:
        """What turns texts into rows for the form's backbone."""
        has_ngrams = any(port in NGRAMS for port in self.form.program.inputs)
        return Reader(self.form.tokenizer, self.form.spec, self.about.long_text, self.about.max_tokens, has_ngrams)

    @property
    def session(self) -> Session:
        """The opened program."""
        return self.opened.session(self.form, self.options)

    def trace(self, values: Sequence[Any], told: Told | None) -> list[tuple[Any, list[Row]]]:
        """Return, for each Input, its side data and the program's outputs for its rows.

        :param told: told of each part that is done, as its share of the whole.
        """
        if self.form.program.kind == "generate":
            return [(some[-1].side, some[-1].rows) for some in self.rounds(values, told)]
        encoded = self._encoded(values)
        with self.form.reading():
            outputs = self.session.run(encoded.rows, told)
        return list(zip(encoded.side, encoded.rows_of(outputs), strict=True))

    def rounds(self, values: Sequence[Any], told: Told | None) -> list[list[Round]]:
        """Return all that is written for each Input, round after round.

        :param told: as for `trace`.
        """
        from functory.running.rounds import Writer, rounds

        write = Writer(self._called if len(values) == 1 else self._generated, told)
        found = rounds(self.form.formulation, self._encoded(values), self.reader, self.state, write)
        write.finish()
        return found

    def stream(self, value: Any) -> Stream:
        """Return what is written for one Input, as it is written."""
        from functory.running.rounds import last_of
        from functory.running.streaming import Stream, told

        put = self.form.formulation
        tokens = last_of(put, self._encoded([value]), self.reader, self.state, self._joined)
        return Stream(told(tokens, put.stops(self.form.tokenizer)))

    def _encoded(self, values: Sequence[Any]) -> Encoded:
        return encode(self.form.formulation, values, self.reader, self.state)

    def _generated(self, requests: Sequence[Request]) -> Generator[Token]:
        """Give the tokens of many inputs' requests, which have a batch of their own."""
        spend(read=sum(len(request.ids) for request in requests))
        with self.form.reading():
            for token in self.session.generate([leaving(request) for request in requests]):
                spend(written=1)
                yield token

    def _called(self, requests: Sequence[Request]) -> Generator[Token]:
        """Give the tokens of one input's requests when each has all of its own."""
        return self._joined([replace(request, at_end=True) for request in requests])

    def _joined(self, requests: Sequence[Request]) -> Generator[Token]:
        """Give the tokens of one input's requests, which join what is being written for others."""
        spend(read=sum(len(request.ids) for request in requests))
        with self.form.reading(), ExitStack() as closing:
            asked = [self.session.submit(leaving(request)) for request in requests]
            for tokens in asked:
                closing.callback(getattr(tokens, "close", lambda: None))
            for place, tokens in enumerate(asked):
                for token in tokens:
                    check_left()
                    spend(written=1)
                    yield replace(token, request=place) if place else token

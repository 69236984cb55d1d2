"""Writes with the graphs of an encoder-decoder: texts after sources.

What a batch computes of a text is off by a rounding from what the text alone gives, since sums run over padding too. So, as the
torch engine does it, a close call is decided by reading that text by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from functory_openvino.lines import Group, Member
from functory_openvino.pairs import opened
from functory_openvino.rows import Rows
from functory_openvino.settings import device_of, settings_of
from functory_openvino.together import Together
from functory_sdk import Array, Program, Request, SessionOptions
from functory_sdk.lines import Alone, Apart, Step, Text

BUDGET, WRITTEN = 1024, 8
"""Tokens of a batch where nothing is said; so many times as many are held of texts that are written together."""


class Placed(Member):
    """A text in rows.

    :param start: the token that stands before every text.

    ``rows`` are its own, none before its source is read; ``due`` are the tokens that each of them reads next.
    """

    def __init__(self, text: Text, group: Group, start: int) -> None:
        super().__init__(text, group)
        self.rows: list[int] = []
        self.due: list[list[int]] = [[start, *text.request.start]]

    @property
    def cost(self) -> int:
        """The tokens that its rows hold at most."""
        return self.text.most * self.text.size


class TranslatingSession(Together[Placed]):
    """Two compiled graphs, and the batch that is being written.

    :raises ArtefactCorrupt: when the program's files cannot be read.
    :raises NotSupported: for a device that is not there.
    """

    def __init__(self, program: Program, options: SessionOptions, folder: Path) -> None:
        # In whole numbers are the weights alone: what they meet stays as it is, or the rounding of a batch would show.
        pair = opened(folder, device_of(options), settings_of(options) | {"DYNAMIC_QUANTIZATION_GROUP_SIZE": 0})
        self._start = pair.facts.start
        super().__init__(program, options, pair.facts.vocabulary, (self._start,))
        self._rows: Rows | None = Rows(pair)  # None once it is closed
        self._apart: Rows | None = Rows(pair)
        self._budget = WRITTEN * (options.budget or BUDGET)

    def _member(self, text: Text, group: Group) -> Placed:
        return Placed(text, group, self._start)

    def _scored(self) -> Iterator[tuple[Placed, Array]]:
        rows = self._open(self._rows)
        going = [member for member in self._members if member.rows]
        lying = iter(rows.choose([row for member in going for row in member.rows]))
        for member in going:
            member.rows = [next(lying) for _ in member.rows]
        joining = self._admitted(going)
        for member, row in zip(joining, rows.join([member.text.request.ids for member in joining]), strict=True):
            member.rows = [row]
        tokens = [0] * len(rows)
        for member in (*going, *joining):
            for row, due in zip(member.rows, member.due, strict=True):
                tokens[row] = due[0]
        scores = rows.advance(tokens)
        for member in (*going, *joining):
            member.due = [due[1:] for due in member.due]
            if not member.due[0]:
                yield member, scores[member.rows]

    def _admitted(self, going: Sequence[Placed]) -> list[Placed]:
        """Return the texts that join, the first that came, as many as there is room for; one where nobody is there."""
        held, found = sum(member.cost for member in going), list[Placed]()
        for member in self._members:
            if member.rows:
                continue
            held += member.cost
            if held > self._budget and (going or found):
                break
            found.append(member)
        return found

    def _go_on(self, member: Placed, step: Step) -> None:
        member.rows = [member.rows[row] for row in step.rows]
        member.due = [[token] for token in step.tokens]

    def _left(self, member: Placed) -> None:
        member.rows = []

    def _rest(self) -> None:
        if self._rows is not None:
            self._rows.choose([])

    def _let_go(self) -> None:
        self._rows = self._apart = None

    def _open(self, rows: Rows | None) -> Rows:
        if rows is None:
            raise self._closed()
        return rows

    def _alone(self, member: Placed) -> Alone | None:
        return self.by_itself

    def by_itself(self, request: Request, written: Sequence[int]) -> Apart:
        """Return a text that is read by itself, after tokens that were written of it. It lasts until the next one is asked for.

        :raises NotSupported: once the session is closed.
        """
        return _Apart(self._open(self._apart), request, [self._start, *request.start, *written])


class _Apart(Apart):
    """A text in rows where nothing else is.

    :param tokens: what stands before the next one.
    """

    def __init__(self, rows: Rows, request: Request, tokens: Sequence[int]) -> None:
        self._rows = rows
        rows.choose([])
        self._places = rows.join([request.ids])
        for token in tokens:
            self._found = rows.advance([token])

    @property
    def scores(self) -> Array:
        return self._found

    def go_on(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        self._places = self._rows.choose([self._places[row] for row in rows])
        due = dict(zip(self._places, tokens, strict=True))
        self._found = self._rows.advance([due[row] for row in range(len(due))])[self._places]

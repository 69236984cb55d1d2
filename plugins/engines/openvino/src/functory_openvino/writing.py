"""Writes with a decoder's graph, whose keys and values lie in pages.

What a text's step computes is the same bits whatever the other texts are: a prompt is read in stretches of two tokens or more,
what is written token by token, and neither kind of step minds its company. A page that was written token by token is off by a
rounding from one that was read as a prompt, so a close call after such pages is decided by reading the text again without them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from functory_openvino.graph import FACTS, LONGEST, PAGING, Facts, compiled
from functory_openvino.lines import Group, Paged, Reread
from functory_openvino.pages import Pages
from functory_openvino.settings import device_of, settings_of
from functory_openvino.together import Together
from functory_sdk import Array, Program, Request, SessionOptions
from functory_sdk.lines import Alone, Apart, Line, Step, Text

STRETCH = 512
"""Tokens of a prompt that are read in one step at most."""
BUDGET = 1024
"""Tokens of a step, all texts' together, beyond which those that have not begun wait for the next one."""

Due = tuple[Sequence[int], int, Sequence[int]]
"""What a row reads in a step: its pages, how many of its tokens are read, and those that come next."""


class WritingSession(Together[Paged]):
    """One compiled decoder, its pages, and the batch that is being written.

    :raises ArtefactCorrupt: when the program's files cannot be read.
    :raises NotSupported: for a device that is not there.
    """

    def __init__(self, program: Program, options: SessionOptions, folder: Path) -> None:
        facts, is_exact = Facts.read(folder / FACTS), program.precision == "fp32"
        super().__init__(program, options, facts.vocabulary)
        stored = {"KV_CACHE_PRECISION": "f32" if is_exact else "f16"}
        graph = compiled(folder, facts, device_of(options), settings_of(options) | stored, is_rounded=not is_exact)
        self._request: Any = graph.create_infer_request()  # None once it is closed
        self._pages = Pages(graph, options.remembered * 2**20)
        self._keeps_written = is_exact and options.remembered > 0

    def _member(self, text: Text, group: Group) -> Paged:
        return Paged(text, group)

    def _scored(self) -> Iterator[tuple[Paged, Array]]:
        turn = list(self._having_turn())
        scores = self._scores([
            (pages, member.read, tokens) for member, due in turn for pages, tokens in zip(member.pages, due, strict=True)
        ])
        scores = scores.copy() if any(member.is_on_written for member, _ in turn) else scores  # reading again overwrites them
        first = 0
        for member, due in turn:
            own, first = scores[first : first + len(due)], first + len(due)
            self._keep(member, member.read + len(due[0]))
            if member.is_read:
                yield member, own

    def _having_turn(self) -> Iterator[tuple[Paged, list[Sequence[int]]]]:
        """Give the texts of the next step, each with the tokens that its rows read: all that were begun, then as many others as
        there is room for. One whose beginning another reads just now waits, and has it read then.
        """
        tokens, being_read, most = 0, set[bytes](), max(2, min(STRETCH, self.options.budget or STRETCH))
        promised = sum(self._needed(member) for member in self._members if member.is_begun)
        for member in sorted(self._members, key=lambda member: not member.is_begun):
            if not member.is_begun:
                needed = self._needed(member)
                is_full = tokens >= (self.options.budget or BUDGET) or promised + needed > self._pages.most
                if tokens and (is_full or self._is_being_read(member, being_read)):
                    continue
                self._begin(member)
                promised += needed
            due = member.waiting(most)
            being_read.update(() if member.is_prompt_read else member.keys[len(member.pages[0]) :])
            self._make_room(member, len(due[0]))
            tokens += sum(map(len, due))
            yield member, due

    def _needed(self, member: Paged) -> int:
        """Return how many pages a text takes at most."""
        return self._pages.count(member.text.size) * member.text.most

    def _make_room(self, member: Paged, more: int) -> None:
        """Give the rows of a text pages for so many more tokens."""
        for pages in member.pages:
            while len(pages) < self._pages.count(member.read + more):
                pages.append(self._pages.take(self._request))

    def _is_being_read(self, member: Paged, being_read: set[bytes]) -> bool:
        """Whether the first page of a text's prompt that is not there yet is read in this step."""
        member.keys = member.keys or self._pages.keys(member.prompt)
        return any(key in being_read for key in member.keys)

    def _begin(self, member: Paged, *, is_again: bool = False) -> None:
        """Let a text begin with the pages that hold the beginning of its prompt; two of its tokens at least are read anew.

        :param is_again: without those that were written token by token, of which a search has none either.
        """
        member.keys = member.keys or self._pages.keys(member.prompt)
        keys = member.keys[: max(0, len(member.prompt) - 2) // self._pages.size]
        pages = self._pages.shared(keys, written=isinstance(member.text, Line) and not is_again)
        member.pages, member.read = [pages], len(pages) * self._pages.size
        member.is_on_written = self._pages.holds_written(pages)

    def _keep(self, member: Paged, read: int) -> None:
        """Note how much of a text was read, and remember the pages that its tokens fill."""
        size = self._pages.size
        for number in range(member.read // size, read // size):
            is_written = number >= len(member.keys)
            if is_written and (len(member.pages) > 1 or not self._keeps_written):
                break
            if is_written:
                ids = [*member.prompt, *member.after[0]][number * size : (number + 1) * size]
                member.keys.append(self._pages.key(member.keys[-1] if member.keys else b"", ids))
            self._pages.know(member.pages[0][number], member.keys[number], is_written=is_written or member.is_on_written)
        member.read = read

    def _go_on(self, member: Paged, step: Step) -> None:
        if list(step.rows) != list(range(len(member.pages))):
            member.pages = self._pages.forked(member.pages, step.rows, member.read, self._request)
        member.go_on(step)

    def _left(self, member: Paged) -> None:
        for pages in member.pages:
            self._pages.leave(pages)
        member.pages = [[]]

    def _rest(self) -> None:
        self._pages.trim()

    def _let_go(self) -> None:
        self._request = None

    def _alone(self, member: Paged) -> Alone | None:
        return self._again if member.is_on_written else None

    def _again(self, request: Request, written: Sequence[int]) -> Apart:
        return _Again(self, request, written)

    def read_again(self, request: Request, written: Sequence[int]) -> Array:
        """Return the scores of the token after some that were written, (vocabulary,), read by themselves after their prompt,
        without any page that was written token by token.
        """
        member = Paged(Reread(request, 0, written), Group())
        member.after[0] += written
        self._begin(member, is_again=True)
        try:
            while True:
                [due] = member.waiting(STRETCH)
                self._make_room(member, len(due))
                scores = self._scores([(member.pages[0], member.read, due)])
                member.read += len(due)
                if member.is_read:
                    found: Array = scores[0].copy()
                    return found
        finally:
            self._left(member)

    def _scores(self, rows: Sequence[Due]) -> Array:
        """Return the scores of the token after those of each row, float32 (rows, vocabulary), storing what was computed."""
        sizes = [len(tokens) for _, _, tokens in rows]
        ends = np.cumsum([0, *sizes])
        reads = [read for _, read, _ in rows]
        given = {
            "input_ids": np.fromiter((one for _, _, tokens in rows for one in tokens), np.int64, int(ends[-1])),
            "position_ids": np.concatenate([np.arange(read, read + size) for read, size in zip(reads, sizes, strict=True)]),
            "last": ends[1:] - 1,
        }
        pages = [pages[: self._pages.count(read + len(tokens))] for pages, read, tokens in rows]
        told = (
            reads, ends, [page for some in pages for page in some], np.cumsum([0, *map(len, pages)])
        )  # fmt: skip
        given |= {name: np.asarray(each, np.int32) for name, each in zip(PAGING, told, strict=True)}
        given[LONGEST] = np.asarray(max(read + size for read, size in zip(reads, sizes, strict=True)), np.int32)
        for name, array in given.items():
            self._request.set_tensor(name, ov.Tensor(array))
        self._request.infer()
        found: Array = self._request.get_output_tensor(0).data
        return found


class _Again(Apart):
    """A text that is read again, without what others wrote."""

    def __init__(self, session: WritingSession, request: Request, written: Sequence[int]) -> None:
        self._session, self._request, self._rows = session, request, [list(written)]

    @property
    def scores(self) -> Array:
        return np.stack([self._session.read_again(self._request, row) for row in self._rows])

    def go_on(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        self._rows = [[*self._rows[row], token] for row, token in zip(rows, tokens, strict=True)]

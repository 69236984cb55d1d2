"""Writes with a decoder's graph: one batch that texts join and leave, whoever asked for them.

There is no thread of its own. Who waits for a token, and finds the batch at rest, computes a step for all; the others find
theirs when they come. What a text's step computes is the same bits whatever the other texts are: a prompt is read in stretches
of two tokens or more, what is written token by token, and neither kind of step minds its company.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from functory_openvino.graph import FACTS, LONGEST, PAGING, Facts, compiled
from functory_openvino.lines import Group, Line, Reread, Written
from functory_openvino.pages import Pages
from functory_openvino.settings import device_of, settings_of
from functory_sdk import Array, NotSupported, Program, Request, Session, SessionOptions, Token
from functory_sdk.guides import walk

STRETCH = 512
"""Tokens of a prompt that are read in one step at most."""
BUDGET = 1024
"""Tokens of a step, all texts' together, beyond which those that have not begun wait for the next one."""


class WritingSession(Session):
    """One compiled decoder, its pages, and the batch that is being written.

    :raises ArtefactCorrupt: when the program's files cannot be read.
    :raises NotSupported: for a device that is not there.
    """

    def __init__(self, program: Program, options: SessionOptions, folder: Path) -> None:
        super().__init__(program, options)
        self._facts = Facts.read(folder / FACTS)
        stored = {"KV_CACHE_PRECISION": "f16" if program.precision != "fp32" else "f32"}
        graph = compiled(folder, self._facts, device_of(options), settings_of(options) | stored)
        self._request: Any = graph.create_infer_request()  # None once it is closed
        self._pages = Pages(graph, options.remembered * 2**20)
        self._lines: list[Line] = []
        self._leaving: deque[Line] = deque()
        self._turn = threading.Lock()

    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        raise NotSupported("this program writes.", do="write with it, `session.generate(requests)`.")

    def generate(self, requests: Sequence[Request]) -> Iterator[Token]:
        walks = [walk(one, self._facts.vocabulary) for one in requests]  # all, before the first token
        for request in requests:
            _check(request)
        group = Group()
        lines = [
            Written(one, group, place, sample, held and held.fork())
            for place, (one, held) in enumerate(zip(requests, walks, strict=True))
            for sample in range(one.decoding.samples)
        ]
        yield from self._written(group, lines)

    def likelihood(self, requests: Sequence[Request], written: Sequence[Sequence[int]]) -> list[Array]:
        group = Group()
        lines = [Reread(request, group, text) for request, text in zip(requests, written, strict=True)]
        for _ in self._written(group, lines):
            pass
        return [np.asarray(line.likely, dtype=np.float32) for line in lines]

    def _written(self, group: Group, lines: Sequence[Line]) -> Iterator[Token]:
        """Join the batch, and give the tokens of some texts as they come; leave with those that are not over."""
        going = [line for line in lines if not line.is_over]
        try:
            with self._turn:
                group.going = len(going)
                self._lines += going
            while group.tokens or group.going:
                while group.tokens:
                    yield group.tokens.popleft()
                with self._turn:
                    if group.going and not group.tokens:
                        self._step()
                if group.error is not None:
                    raise group.error
                self._tidy()
        finally:
            self._leaving.extend(lines)
            self._tidy()

    def _tidy(self) -> None:
        """Take out of the batch who left meanwhile, unless a step is being computed: whoever computes it does so after.

        No turn is waited for: an iterator that nobody holds any more may be closed by the collector within a step of its thread.
        """
        while self._leaving and self._turn.acquire(blocking=False):
            try:
                while self._leaving:
                    self._leave(self._leaving.popleft())
                if not self._lines:  # until then others may begin alike
                    self._pages.trim()
            finally:
                self._turn.release()

    def _step(self) -> None:
        """Read the next tokens of all texts that have their turn, and let each hear its scores."""
        if self._request is None:
            raise NotSupported("the session is closed.", do="open the program again.")
        turn = list(self._having_turn())
        scores = self._scores([line for line, _ in turn], [tokens for _, tokens in turn])
        for row, (line, tokens) in enumerate(turn):
            self._keep(line, line.read + len(tokens))
            if not line.is_read:
                continue
            try:
                line.hear(scores[row])
            except BaseException as error:
                line.group.error, line.is_over = error, True
            if line.is_over:
                self._leave(line)

    def _having_turn(self) -> Iterator[tuple[Line, Sequence[int]]]:
        """Give the texts of the next step, each with the tokens that are read: all that were begun, then as many others as there
        is room for. One whose beginning another reads just now waits, and has it read then.
        """
        tokens, being_read, most = 0, set[bytes](), max(2, min(STRETCH, self.options.budget or STRETCH))
        promised = sum(self._pages.count(line.most) for line in self._lines if line.is_begun)
        for line in sorted(self._lines, key=lambda line: not line.is_begun):
            if not line.is_begun:
                needed = self._pages.count(line.most)
                is_full = tokens >= (self.options.budget or BUDGET) or promised + needed > self._pages.most
                if tokens and (is_full or self._is_being_read(line, being_read)):
                    continue
                self._begin(line)
                promised += needed
            chosen = line.waiting(most)
            being_read.update(() if line.is_prompt_read else line.keys[len(line.pages) :])
            while len(line.pages) < self._pages.count(line.read + len(chosen)):
                line.pages.append(self._pages.take(self._request))
            tokens += len(chosen)
            yield line, chosen

    def _is_being_read(self, line: Line, being_read: set[bytes]) -> bool:
        """Whether the first page of a text's prompt that is not there yet is read in this step."""
        line.keys = line.keys or self._pages.keys(line.prompt)
        return any(key in being_read for key in line.keys)

    def _begin(self, line: Line) -> None:
        """Let a text begin with the pages that hold the beginning of its prompt; two of its tokens at least are read anew."""
        line.keys = line.keys or self._pages.keys(line.prompt)
        line.pages = self._pages.shared(line.keys[: max(0, len(line.prompt) - 2) // self._pages.size])
        line.read = len(line.pages) * self._pages.size

    def _keep(self, line: Line, read: int) -> None:
        """Note how much of a text was read, and remember pages that a prompt fills."""
        for number in range(line.read // self._pages.size, min(read // self._pages.size, len(line.keys))):
            self._pages.know(line.pages[number], line.keys[number])
        line.read = read

    def _leave(self, line: Line) -> None:
        """Take a text out of the batch."""
        if line in self._lines:
            self._lines.remove(line)
            line.group.going -= 1
            self._pages.leave(line.pages)
            line.pages = []

    def _scores(self, lines: Sequence[Line], tokens: Sequence[Sequence[int]]) -> Array:
        """Return the scores of the token after those of each text, float32 (texts, vocabulary), storing what was computed."""
        sizes = [len(some) for some in tokens]
        ends = np.cumsum([0, *sizes])
        reads = [line.read for line in lines]
        given = {
            "input_ids": np.fromiter((one for some in tokens for one in some), np.int64, int(ends[-1])),
            "position_ids": np.concatenate([np.arange(read, read + size) for read, size in zip(reads, sizes, strict=True)]),
            "last": ends[1:] - 1,
        }
        pages = [line.pages[: self._pages.count(line.read + size)] for line, size in zip(lines, sizes, strict=True)]
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

    def close(self) -> None:
        with self._turn:
            self._request = None


def _check(request: Request) -> None:
    """Refuse what is not done here.

    :raises NotSupported: naming it.
    """
    if request.decoding.beams > 1:
        raise NotSupported(
            f"the openvino engine follows no beams; {request.decoding.beams} are asked for.",
            do="leave beams out, or open the function's torch form.",
        )

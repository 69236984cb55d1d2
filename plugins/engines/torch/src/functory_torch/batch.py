"""Texts that are written together: they join and leave between two tokens, and none of them hangs on the others.

Apart from who asks: `Session.generate` has a batch of its own for a call, `Session.submit` one for all threads (`joining`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from functory_sdk import Request, Token
from functory_sdk.lines import Line, Text
from functory_sdk.torch import Network, Writing, advance, matching, read
from functory_torch.alike import Alike, kind
from functory_torch.alone import Alone, numbers, padded
from functory_torch.branches import PASS, SHARED, Branches, Prompts

PART = 4
"""Texts that wait join where so large a part of the batch is free, and a pass for them is worth it."""

Begun = tuple[int, ...]
"""Tokens that texts begin with."""
Going = tuple[Text, Sequence[int], Sequence[int]]
"""A text that goes on, which rows of those before are its, and the next token of each."""


class Batch:
    """Texts that are written together.

    :param branches: what reads prompts.
    :param budget: tokens of all rows, padding counted; a text that has more is written alone.
    """

    def __init__(self, branches: Branches, budget: int) -> None:
        self._branches, self._budget = branches, budget
        self._network, self._device = branches.network, branches.device
        self._kinds: dict[int, Alike] = {}
        self._begins: list[tuple[Sequence[Text], list[Prompts]]] = []  # what the next step reads beside what it writes
        self._states: dict[Text, list[Tensor]] = {}  # of each token that a text wrote and the network read

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, text: object) -> bool:
        return any(one is text for one in self._all)

    @property
    def _all(self) -> list[Text]:
        """The texts that are written, and those that begin in the next step."""
        going = (alike.texts for alike in self._kinds.values())
        return [text for texts in (*going, *(texts for texts, _ in self._begins)) for text in texts]

    def admits(self, waiting: Sequence[Text]) -> int:
        """Return how many of the texts that wait, the first ones, there is room for; one at least where nothing is written."""
        texts, common = self._all, self._common
        rows, longest = Counter[int](), Counter[int]()  # of each kind
        for number, text in enumerate([*texts, *waiting], -len(texts)):
            like = kind(text, self._network)
            rows[like], longest[like] = rows[like] + text.most, max(longest[like], text.size)
            if number < 0:
                continue
            common = _alike(common, text)
            once = len(common) if len(common) >= SHARED else 0
            if once + sum(rows[one] * (longest[one] - once) for one in rows) > self._budget and (number or texts):
                return number
        return len(waiting)

    @property
    def _common(self) -> Begun | None:
        """What all texts that are written begin with and what is kept once; None where none is written and it can be."""
        if not self._kinds:
            return None if self._network.shares_beginnings else ()
        first, *others = (alike.writing.common for alike in self._kinds.values())
        return first[: min((matching(first, one) for one in others), default=len(first))]

    def join(self, texts: Sequence[Text]) -> None:
        """Have texts written: from the next step on, which then reads their prompts, where something is written; from their
        prompts on, which are read now, where nothing is.
        """
        for size in sorted({len(text.request.start) for text in texts}):
            self._join([text for text in texts if len(text.request.start) == size])

    def _join(self, texts: Sequence[Text]) -> None:
        requests = [text.request for text in texts]
        with torch.inference_mode():
            if self._network.spec.architecture != "decoder" or not self._network.has_branches:
                self._take(texts, *read_alike(self._network, requests, self._device))
                return
            common = self._common
            for text in texts if common is not None or sum(text.most for text in texts) > 1 else ():
                common = _alike(common, text)
            size = len(common or ())
            whole = [np.asarray([*one.ids, *one.start], dtype=np.int64) for one in requests]
            prompts = self._branches.prompts(whole, size if size >= SHARED else 0)
            if self._kinds:
                self._begins.append((texts, list(prompts)))
                return
            for one in prompts:
                self._take(texts, *one.begun(*read([one.unread])))

    def _take(self, texts: Sequence[Text], order: Sequence[int], writing: Writing) -> None:
        """Write rows from now on, of the texts of these numbers."""
        kinds: dict[int, list[int]] = {}
        for row, number in enumerate(order):
            kinds.setdefault(kind(texts[number], self._network), []).append(row)
        for like, rows in kinds.items():
            new = Alike(writing if len(kinds) == 1 else writing.parted(rows), [texts[order[row]] for row in rows])
            if like in self._kinds:
                self._kinds[like].join(new)
            else:
                self._kinds[like] = new

    def step(self) -> Iterator[tuple[Text, Token | Exception | None]]:
        """Write the next token of each text, and give it with its text; None where it has ended, or what went wrong with that
        text alone. Whoever goes through all of them can take the next step.
        """
        kinds, first = self._kinds, 0
        if not kinds:
            return
        with torch.inference_mode():
            hidden = torch.cat([alike.writing.hidden for alike in kinds.values()])
            scores, alone = numbers(self._network.logits(hidden)), partial(Alone, self._network, self._device)
        staying: dict[int, list[Going]] = {like: [] for like in kinds}
        for like, alike in kinds.items():
            for text, row, count in alike.placed():
                if text.has_left:
                    continue
                self._note(text, alike.writing.hidden[row])
                try:
                    step = text.go_on(scores[first + row : first + row + count], alone)
                except Exception as error:
                    yield text, error
                    continue
                for token in step.told:
                    yield text, token
                if step.rows:
                    staying[like].append((text, [row + one for one in step.rows], step.tokens))
                else:
                    self._remember(text, alike.writing, row)
                    yield text, None
            first += sum(alike.counts)
        self._go_on(staying)

    def _note(self, text: Text, hidden: Tensor) -> None:
        """Note the last state of a text's row, which is that of the token that it wrote last, where it has written one."""
        if self._branches.is_remembering and isinstance(text, Line) and text.tokens:
            self._states.setdefault(text, []).append(hidden)

    def _remember(self, text: Text, writing: Writing, row: int) -> None:
        """Keep what a text that has ended wrote for the next prompt that goes on from it: a dialogue's next turn."""
        states, request = self._states.get(text), text.request
        if states and isinstance(text, Line):
            ids = (*request.ids, *request.start, *text.tokens[: len(states)])
            with torch.inference_mode():
                self._branches.keep(ids, torch.stack(states), writing.last(row, len(states)))

    def _go_on(self, staying: Mapping[int, Sequence[Going]]) -> None:
        """Go on with texts of each kind, and read the prompts of those that begin."""
        self._kinds = {like: alike for like, alike in self._kinds.items() if staying[like]}
        going = {text for some in staying.values() for text, _, _ in some}
        self._states = {text: states for text, states in self._states.items() if text in going}
        begins, self._begins = self._begins, []
        begun = [(texts, prompts) for texts, several in begins for prompts in several]
        sums = np.cumsum([prompts.tokens for _, prompts in begun])
        few = int((sums <= PASS).sum()) if self._kinds else 0  # of more, a pass beside what is written saves little
        beside = [prompts.unread for _, prompts in begun[:few]]
        with torch.inference_mode():
            tokens = [alike.go_on(staying[like]) for like, alike in self._kinds.items()]
            hidden = advance([alike.writing for alike in self._kinds.values()], tokens, beside) if tokens else []
            for (texts, prompts), found in zip(begun, hidden, strict=False):
                self._take(texts, *prompts.begun(found))
            for texts, prompts in begun[few:]:
                self._take(texts, *prompts.begun(*read([prompts.unread])))


def _alike(common: Begun | None, text: Text) -> Begun:
    """Return what a text begins with as others do, without its last token, which is always read.

    :param common: what they begin with; None where there are none.
    """
    own = (*text.request.ids, *text.request.start)[:-1] if common is None or len(common) >= SHARED else ()
    return own if common is None else common[: matching(common, own)]


def written(batch: Batch, texts: Sequence[Text]) -> Iterator[tuple[Text, Token]]:
    """Write texts, as many together as there is room for; others join where some have left.

    :raises Exception: what went wrong with one of them.
    """
    waiting = sorted(texts, key=lambda text: -text.size)
    while waiting or len(batch):
        room = batch.admits(waiting)
        if room and (not len(batch) or room == len(waiting) or PART * room >= len(batch)):
            batch.join(waiting[:room])
            del waiting[:room]
        for text, found in batch.step():
            if isinstance(found, Exception):
                raise found
            if found is not None:
                yield text, found


def read_alike(network: Network, requests: Sequence[Request], device: torch.device) -> tuple[list[int], Writing]:
    """Read sources, or the prompts of a decoder whose rows do not branch, each once.

    :param requests: with as many tokens to start with.
    """
    whole = {key: number for number, key in enumerate(dict.fromkeys((one.ids, one.start) for one in requests))}
    rows = [whole[one.ids, one.start] for one in requests]
    ids, mask = padded([ids for ids, _ in whole], device)
    started = [list(start) for _, start in whole]
    begun = torch.tensor(started, dtype=torch.long, device=device) if started[0] else None
    writing = Writing(network, ids, mask, begun)
    if rows != list(range(len(whole))):
        writing.choose(rows)
    return list(range(len(requests))), writing

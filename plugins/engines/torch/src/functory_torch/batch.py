"""Texts that are written together: they join and leave between two tokens, and none of them hangs on the others.

Apart from who asks: `Session.generate` has a batch of its own for a call, `Session.submit` one for all threads (`joining`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from functory_sdk import Request, Token
from functory_sdk.lines import Line, Text
from functory_sdk.torch import Network, Unread, Writing, read
from functory_torch.alone import Alone, numbers, padded
from functory_torch.branches import PASS, SHARED, Branches, Prompts

PART = 4
"""Texts that wait join where so large a part of the batch is free, and a pass for them is worth it."""

Begun = tuple[int, ...]
"""Tokens that texts begin with."""


class Batch:
    """Texts that are written together.

    :param branches: what reads prompts.
    :param budget: tokens of all rows, padding counted; a text that has more is written alone.
    """

    def __init__(self, branches: Branches, budget: int) -> None:
        self._branches, self._budget = branches, budget
        self._network, self._device = branches.network, branches.device
        self._texts: list[Text] = []
        self._counts: list[int] = []  # the rows of each
        self._writing: Writing | None = None
        self._begins: list[tuple[Sequence[Text], list[Prompts]]] = []  # what the next step reads beside what it writes
        self._states: dict[Text, list[Tensor]] = {}  # of each token that a text wrote and the network read

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, text: object) -> bool:
        return any(one is text for one in self._all)

    @property
    def _all(self) -> list[Text]:
        """The texts that are written, and those that begin in the next step."""
        return [*self._texts, *(text for texts, _ in self._begins for text in texts)]

    def admits(self, waiting: Sequence[Text]) -> int:
        """Return how many of the texts that wait, the first ones, there is room for; one at least where nothing is written."""
        texts, common = self._all, self._common
        rows, longest = sum(text.most for text in texts), max((text.size for text in texts), default=0)
        for number, text in enumerate(waiting):
            rows, longest = rows + text.most, max(longest, text.size)
            common = _alike(common, text)
            once = len(common) if len(common) >= SHARED else 0
            if once + rows * (longest - once) > self._budget and (number or texts):
                return number
        return len(waiting)

    @property
    def _common(self) -> Begun | None:
        """What all texts that are written begin with and what is kept once; None where none is written and it can be."""
        if self._writing is not None:
            return self._writing.common
        return None if self._network.shares_beginnings else ()

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
            if self._writing is not None:
                self._begins.append((texts, list(prompts)))
                return
            for one in prompts:
                self._take(texts, *one.begun(*read([one.unread])))

    def _take(self, texts: Sequence[Text], order: Sequence[int], writing: Writing) -> None:
        """Write rows from now on, of the texts of these numbers."""
        if self._writing is None:
            self._writing = writing
        else:
            self._writing.join(writing)
        self._texts += [texts[number] for number in order]
        self._counts += [1] * len(order)

    def step(self) -> Iterator[tuple[Text, Token | Exception | None]]:
        """Write the next token of each text, and give it with its text; None where it has ended, or what went wrong with that
        text alone. Whoever goes through all of them can take the next step.
        """
        writing = self._writing
        if writing is None:
            return
        staying, counts, rows, tokens = list[Text](), list[int](), list[int](), list[int]()
        first, scores, alone = 0, numbers(writing.logits), partial(Alone, self._network, self._device)
        for text, count in zip(self._texts, self._counts, strict=True):
            if not text.has_left:
                self._note(text, writing.hidden[first])
                try:
                    step = text.go_on(scores[first : first + count], alone)
                except Exception as error:
                    yield text, error
                else:
                    for token in step.told:
                        yield text, token
                    if step.rows:
                        staying.append(text)
                        counts.append(len(step.rows))
                        rows += [first + row for row in step.rows]
                        tokens += step.tokens
                    else:
                        self._remember(text, writing, first)
                        yield text, None
            first += count
        self._states = {text: self._states[text] for text in staying if text in self._states}
        self._go_on(staying, counts, rows, tokens)

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

    def _go_on(self, staying: list[Text], counts: list[int], rows: list[int], tokens: list[int]) -> None:
        """Go on with texts, the rows of those before and the next token of each."""
        if len(rows) == len(staying) < sum(self._counts):
            order = filled(rows)
            staying = [staying[place] for place in order]
            rows, tokens = [rows[place] for place in order], [tokens[place] for place in order]
        is_same = rows == list(range(sum(self._counts)))
        self._texts, self._counts, begins, self._begins = staying, counts, self._begins, []
        begun = [(texts, prompts) for texts, several in begins for prompts in several]
        sums = np.cumsum([prompts.tokens for _, prompts in begun])
        few = int((sums <= PASS).sum()) if staying else 0  # of more, a pass beside what is written saves little
        unread = [prompts.unread for _, prompts in begun]
        if not staying:
            self._writing = None
        with torch.inference_mode():
            hidden = self._advance(rows, tokens, is_same, unread[:few]) if staying else []
            for (texts, prompts), found in zip(begun, hidden, strict=False):
                self._take(texts, *prompts.begun(found))
            for texts, prompts in begun[few:]:
                self._take(texts, *prompts.begun(*read([prompts.unread])))

    def _advance(self, rows: Sequence[int], tokens: Sequence[int], is_same: bool, beside: Sequence[Unread]) -> list[Tensor]:
        """Read the next token of each row that goes on, and prompts beside; return the last hidden states of these."""
        if self._writing is None:
            return []
        if not is_same:
            self._writing.choose(rows)
        return self._writing.advance(torch.tensor(tokens, device=self._device), beside)


def _alike(common: Begun | None, text: Text) -> Begun:
    """Return what a text begins with as others do, without its last token, which is always read.

    :param common: what they begin with; None where there are none.
    """
    own = (*text.request.ids, *text.request.start)[:-1] if common is None or len(common) >= SHARED else ()
    if common is None or own[: len(common)] == common:
        return own if common is None else common
    return common[: next((place for place, (one, other) in enumerate(zip(common, own, strict=False)) if one != other), len(own))]


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


def filled(rows: Sequence[int]) -> list[int]:
    """Return in which order rows go on so that the fewest are moved: those that stay in place where they are, and the others,
    the last ones, where some have left.

    :param rows: ascending.
    """
    here = {row: place for place, row in enumerate(rows) if row < len(rows)}
    others = iter(place for place, row in enumerate(rows) if row >= len(rows))
    return [here[row] if row in here else next(others) for row in range(len(rows))]


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

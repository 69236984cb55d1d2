"""Texts that are written together: they join and leave between two tokens, and none of them hangs on the others.

Apart from who asks: `Session.generate` has a batch of its own for a call, `Session.submit` one for all threads (`joining`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from functory_sdk import Request, Token
from functory_sdk.torch import Network, Writing
from functory_torch.branches import Branches

PART = 4
"""Texts that wait join where so large a part of the batch is free, and a pass for them is worth it."""


@dataclass(frozen=True)
class Step:
    """What one step of a text gives.

    :param told: its tokens.
    :param rows: which of its rows go on, of which one may come several times; none where it ended.
    :param tokens: the next token of each.
    """

    told: Sequence[Token]
    rows: Sequence[int] = ()
    tokens: Sequence[int] = ()


class Text(ABC):
    """What is written of a request: one sample, or all that beams find. It has some rows of a batch.

    :param place: the index of its request.
    """

    request: Request
    place: int
    most: int = 1
    """The rows that it may have."""
    has_left = False
    """Whether nobody wants more of it."""

    @abstractmethod
    def go_on(self, network: Network, logits: Tensor) -> Step:
        """Take the next token of each of its rows, from their scores (rows, vocabulary)."""

    @property
    def size(self) -> int:
        """The most tokens of one of its rows."""
        return len(self.request.ids) + len(self.request.start) + self.request.decoding.max_new_tokens


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

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, text: object) -> bool:
        return any(one is text for one in self._texts)

    def admits(self, waiting: Sequence[Text]) -> int:
        """Return how many of the texts that wait, the first ones, there is room for; one at least where nothing is written."""
        rows, longest = sum(text.most for text in self._texts), max((text.size for text in self._texts), default=0)
        for number, text in enumerate(waiting):
            rows, longest = rows + text.most, max(longest, text.size)
            if rows * longest > self._budget and (number or self._texts):
                return number
        return len(waiting)

    def join(self, texts: Sequence[Text]) -> None:
        """Read the prompts of texts, and have them written from the next step on."""
        for size in sorted({len(text.request.start) for text in texts}):
            self._join([text for text in texts if len(text.request.start) == size])

    def _join(self, texts: Sequence[Text]) -> None:
        with torch.inference_mode():
            order, writing = self._read([text.request for text in texts])
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
        first = 0
        for text, count in zip(self._texts, self._counts, strict=True):
            if not text.has_left:
                try:
                    step = text.go_on(self._network, writing.logits[first : first + count])
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
                        yield text, None
            first += count
        self._go_on(staying, counts, rows, tokens)

    def _go_on(self, staying: list[Text], counts: list[int], rows: list[int], tokens: list[int]) -> None:
        """Go on with texts, the rows of those before and the next token of each."""
        if len(rows) == len(staying) < sum(self._counts):
            order = filled(rows)
            staying = [staying[place] for place in order]
            rows, tokens = [rows[place] for place in order], [tokens[place] for place in order]
        is_same = rows == list(range(sum(self._counts)))
        self._texts, self._counts = staying, counts
        if not staying or self._writing is None:
            self._writing = None
            return
        with torch.inference_mode():
            if not is_same:
                self._writing.choose(rows)
            self._writing.advance(torch.tensor(tokens, device=self._device))

    def _read(self, requests: Sequence[Request]) -> tuple[list[int], Writing]:
        """Read prompts; return the number of the request that each row is of, and the rows."""
        if self._network.spec.architecture == "decoder" and self._network.has_branches:
            return self._branches.prompts([np.asarray([*one.ids, *one.start], dtype=np.int64) for one in requests])
        return read_alike(self._network, requests, self._device)


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
    numbers = {key: number for number, key in enumerate(dict.fromkeys((one.ids, one.start) for one in requests))}
    rows = [numbers[one.ids, one.start] for one in requests]
    ids, mask = padded([list(ids) for ids, _ in numbers], device)
    started = [list(start) for _, start in numbers]
    begun = torch.tensor(started, dtype=torch.long, device=device) if started[0] else None
    writing = Writing(network, ids, mask, begun)
    if rows != list(range(len(numbers))):
        writing.choose(rows)
    return list(range(len(requests))), writing


def padded(texts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the ids and the mask of texts, (rows, tokens), padded on the right."""
    size = max(map(len, texts))
    ids = torch.zeros(len(texts), size, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    return ids.to(device), mask.to(device)

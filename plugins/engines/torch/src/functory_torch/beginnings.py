"""What texts begin with, read once: the states of beginnings are kept for whatever begins alike, within a call and after it.

A system prompt, a template, demonstrations, a context that many questions share: nobody has to say so, it is found by the tokens.
What was read lies in a tree of stretches, so that a beginning which many texts have is kept once; what was used longest ago goes
when there is too much. The same tokens come out as without: a batch's rounding decides nothing, nor does this (see `writing`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import torch
from torch import Tensor

from functory_sdk import Array

LEAST = 8
"""A beginning of fewer tokens is read again."""
SHARE = 0.75
"""Where there is too much, so much of what may be is left."""


@dataclass(frozen=True)
class States:
    """What a decoder made of tokens that stand one after the other.

    :param hidden: the last hidden states, (tokens, width).
    :param layers: of each layer keys and values, (heads, tokens, width of a head) both.
    """

    hidden: Tensor
    layers: tuple[tuple[Tensor, Tensor], ...]

    def __len__(self) -> int:
        return len(self.hidden)

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(one.numel() * one.element_size() for one in (self.hidden, *(each for pair in self.layers for each in pair)))

    def part(self, first: int, stop: int) -> States:
        """Return those of some of the tokens; nothing is copied."""
        layers = tuple((keys[:, first:stop], values[:, first:stop]) for keys, values in self.layers)
        return States(self.hidden[first:stop], layers)

    def copied(self) -> States:
        """Return the same in memory of its own: a part would hold the whole."""
        return States(self.hidden.clone(), tuple((keys.clone(), values.clone()) for keys, values in self.layers))

    @staticmethod
    def joined(parts: Sequence[States]) -> States:
        """Return those of stretches that follow each other."""
        if len(parts) == 1:
            return parts[0]
        layers = tuple(
            (torch.cat([keys for keys, _ in layer], 1), torch.cat([values for _, values in layer], 1))
            for layer in zip(*(part.layers for part in parts), strict=True)
        )
        return States(torch.cat([part.hidden for part in parts]), layers)


@dataclass
class Stretch:
    """Tokens that follow each other in all that was read, and what may come after them, by its first token."""

    ids: Array
    states: States
    after: dict[int, Stretch] = field(default_factory=dict)
    used: int = 0


class Beginnings:
    """The beginnings that a session keeps. Safe to use from many threads.

    :param most: bytes that they may take; nothing is kept when 0.
    """

    def __init__(self, most: int) -> None:
        self.most, self._size = most, 0
        self._after: dict[int, Stretch] = {}
        self._clock, self._lock = count(1), threading.Lock()

    @property
    def size(self) -> int:
        """The bytes that are taken."""
        return self._size

    def known(self, ids: Array) -> int:
        """Return how many tokens of a text are known from its first on; 0 where they are too few."""
        with self._lock:
            return _enough(sum(size for _, size in self._path(ids)))

    def take(self, ids: Array) -> States | None:
        """Return the states of a text's first tokens, as many as are known; None where they are too few."""
        with self._lock:
            path = self._path(ids)
            if not _enough(sum(size for _, size in path)):
                return None
            for stretch, _ in path:
                stretch.used = next(self._clock)
            parts = [stretch.states.part(0, size) for stretch, size in path]
        return States.joined(parts)

    def keep(self, ids: Array, states: States) -> None:
        """Keep the states of a text's last tokens; what comes before them was kept, or else nothing is."""
        if not self.most or not len(states):
            return
        first = len(ids) - len(states)
        with self._lock:
            path = self._path(ids)
            reached = sum(size for _, size in path)
            if reached < first or reached == len(ids):
                return
            after = self._parted(*path[-1]) if path else self._after
            rest = states.part(reached - first, len(states))
            room = max(1, int(self.most * SHARE) // max(1, rest.size // len(rest)))  # tokens
            rest = rest.part(0, min(len(rest), room)).copied()
            made = Stretch(ids[reached : reached + len(rest)], rest, used=next(self._clock))
            after[int(made.ids[0])] = made
            self._size += rest.size
            if self._size > self.most:
                self._forget()

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._after, self._size = {}, 0

    def _path(self, ids: Array) -> list[tuple[Stretch, int]]:
        """Return the stretches that a text begins with, each with how many of its tokens are the text's."""
        found: list[tuple[Stretch, int]] = []
        after, place = self._after, 0
        while place < len(ids) and (stretch := after.get(int(ids[place]))) is not None:
            size = in_common(stretch.ids, ids[place:])
            found.append((stretch, size))
            if size < len(stretch.ids):
                break
            after, place = stretch.after, place + size
        return found

    def _parted(self, stretch: Stretch, size: int) -> dict[int, Stretch]:
        """Return what may come after so many tokens of a stretch, which is parted there."""
        if size < len(stretch.ids):
            rest = Stretch(stretch.ids[size:], stretch.states.part(size, len(stretch.ids)).copied(), stretch.after, stretch.used)
            stretch.ids, stretch.states = stretch.ids[:size], stretch.states.part(0, size).copied()
            stretch.after = {int(rest.ids[0]): rest}
        return stretch.after

    def _forget(self) -> None:
        """Forget what was used longest ago, ends first, until there is room again."""
        while self._size > SHARE * self.most:
            leaves = sorted(_leaves(self._after), key=lambda leaf: leaf[1].used)
            for after, leaf in leaves[: max(1, len(leaves) // 2)]:
                if self._size <= SHARE * self.most:
                    return
                del after[int(leaf.ids[0])]
                self._size -= leaf.states.size


def _leaves(after: dict[int, Stretch]) -> Iterator[tuple[dict[int, Stretch], Stretch]]:
    """Give the stretches that nothing comes after, each with where it stands."""
    waiting = [after]
    while waiting:
        here = waiting.pop()
        for stretch in here.values():
            if stretch.after:
                waiting.append(stretch.after)
            else:
                yield here, stretch


def _enough(size: int) -> int:
    return size if size >= LEAST else 0


def in_common(one: Array, other: Array) -> int:
    """Return how many tokens two texts begin with alike."""
    size = min(len(one), len(other))
    differing = np.flatnonzero(one[:size] != other[:size])
    return int(differing[0]) if len(differing) else size

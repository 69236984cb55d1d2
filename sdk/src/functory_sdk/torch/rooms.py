"""The keys and values of one layer: they grow in place, and rows join and leave without the others' moving.

Apart from what is kept of a batch (`keeping`), because this is a layer as transformers has it, which nobody needs to list things.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicLayer

ROOM = 32
"""Places that are made at least where a layer is full; a quarter of what it holds where that is more."""

MORE = 4
"""Where rows join and there is no room, it is made for this part of the others besides."""


class Roomy(DynamicLayer):  # type: ignore[no-untyped-call]
    """The keys and values of one layer, with room for more after them: a step writes its own, and copies nothing.

    ``keys`` and ``values`` (rows, heads, places, width) are views of larger tensors once something was appended. ``shared`` are
    those of what all rows begin with before them, (1, heads, places, width) both; None where that is nothing.
    """

    keys: Any  # Any: a tensor, once something was read
    values: Any
    shared: tuple[Tensor, Tensor] | None = None
    _spacious: tuple[Tensor, Tensor] | None = None  # what they are views of, where that is the layer's own

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append new tokens, and return all that is kept."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        size = self.get_seq_length()
        if not size:
            self.keys, self.values = key_states, value_states
            return self.keys, self.values
        rows, most = len(self.keys), size + key_states.shape[-2]
        if self._spacious is None or self._spacious[0].shape[-2] < most:
            self._hold(rows, most + max(ROOM, most // 4), self.keys, self.values)
        self.keys, self.values = (
            _appended(room, new, size) for room, new in zip(self._rooms, (key_states, value_states), strict=True)
        )
        return self.keys, self.values

    @property
    def _rooms(self) -> tuple[Tensor, Tensor]:
        return self._spacious or (self.keys, self.values)

    def _hold(self, rows: int, most: int, *held: Tensor) -> None:
        """Make room for so many rows of so many places, and put what is held at its beginning."""
        rooms = []
        for one in held:
            room = one.new_empty(rows, one.shape[1], most, one.shape[-1])
            room[: len(one), :, : one.shape[-2]] = one
            rooms.append(room)
        self._spacious = rooms[0], rooms[1]
        self.keys, self.values = (room[: len(one), :, : one.shape[-2]] for room, one in zip(rooms, held, strict=True))

    def choose(self, rows: Sequence[int]) -> None:
        """Go on with these rows. Where some leave, and those after the last that stays fill their places, only they are moved."""
        moved = [(place, row) for place, row in enumerate(rows) if row != place]
        if self._spacious is not None and all(row >= len(rows) for _, row in moved):
            for kept in (self.keys, self.values):
                for place, row in moved:
                    kept[place] = kept[row]
            self.keys, self.values = self.keys[: len(rows)], self.values[: len(rows)]
            return
        chosen = torch.as_tensor(list(rows), dtype=torch.long, device=self.keys.device)
        self.keys, self.values, self._spacious = self.keys[chosen], self.values[chosen], None

    def trim(self, first: int, stop: int) -> None:
        """Forget the places before the first and from the stop on: padding in every row."""
        self._spacious = self._spacious and (self._spacious[0][:, :, first:], self._spacious[1][:, :, first:])
        self.keys, self.values = self.keys[:, :, first:stop], self.values[:, :, first:stop]

    def part(self, size: int) -> None:
        """Share no more than so many of the places that all rows begin with: the others become each row's own."""
        if self.shared is None:
            return
        own = (torch.cat([one[:, :, size:].expand(len(held), -1, -1, -1), held], 2)
               for one, held in zip(self.shared, (self.keys, self.values), strict=True))  # fmt: skip
        self.keys, self.values = own
        self._spacious = None
        self.shared = (self.shared[0][:, :, :size], self.shared[1][:, :, :size]) if size else None

    def join(self, other: Roomy, *, from_first: bool) -> None:
        """Put the rows of another after these.

        :param from_first: rows begin together, and the shorter ones are padded at their ends: those of sources.
        """
        rows, size, theirs = len(self.keys), self.keys.shape[-2], other.keys.shape[-2]
        most, more = max(size, theirs), len(other.keys)
        is_moved = size < most and not from_first
        if self._spacious is None or len(self._spacious[0]) < rows + more or self._spacious[0].shape[-2] < most or is_moved:
            before = self.keys, self.values
            room = 0 if from_first else max(ROOM, most // 4)
            self._hold(rows + more + rows // MORE, most + room, *(_begun(one, most, from_first) for one in before))
        made = []
        for room, own in zip(self._rooms, (other.keys, other.values), strict=True):
            first = 0 if from_first else most - theirs
            new = room[rows : rows + more, :, :most]
            new[:, :, :first], new[:, :, first : first + theirs], new[:, :, first + theirs :] = 0, own, 0
            made.append(room[: rows + more, :, :most])
        self.keys, self.values = made


def _appended(room: Tensor, new: Tensor, size: int) -> Tensor:
    end = size + new.shape[-2]
    room[: len(new), :, size:end] = new
    return room[: len(new), :, :end]


def _begun(held: Tensor, most: int, from_first: bool) -> Tensor:
    """Return keys or values with padding before them, or after, so that they have so many places."""
    lacking = most - held.shape[-2]
    return torch.nn.functional.pad(held, (0, 0, 0, lacking) if from_first else (0, 0, lacking, 0)) if lacking else held

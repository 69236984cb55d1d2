"""Which stretches of a context are the likeliest answers: over all windows of a long one, none overlapping another.

A window's scores are log-probabilities over its own tokens and "none here". What a stretch has above "none here" may be
compared between windows, and all of them together, with "no answer", make one distribution: that of p(start) · p(end) over
the stretches that can be an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from functory_sdk import Array

NEVER = -np.inf
BLOCK = 1 << 22
"""Stretches that are looked at at once."""


@dataclass(frozen=True, slots=True)
class View:
    """What one window holds of the context.

    :param row: which row of the input it is.
    :param start: the first of the context's units that it holds.
    :param stop: the one after the last.
    :param places: (stop − start,) where in the row each of them stands.
    :param decided: the units, from and up to, at which an answer may begin here; elsewhere another window decides.
    :param none: the place in the row that stands for "none here".
    """

    row: int
    start: int
    stop: int
    places: Array
    decided: tuple[int, int]
    none: int


@dataclass(frozen=True, slots=True)
class Sight:
    """A context as it is looked at: its units are the tokens that have characters to themselves.

    :param text: as it was given.
    :param starts: (units,) first character of each.
    :param ends: (units,) the character after its last.
    :param begins: (units,) an answer may begin here: no character as people see it is cut.
    :param closes: (units,) an answer may end here.
    :param views: one for each window.
    """

    text: str
    starts: Array
    ends: Array
    begins: Array
    closes: Array
    views: tuple[View, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of units, both ends included.

    :param gain: its log-probability above that of no answer.
    """

    gain: float
    view: int
    first: int
    last: int


@dataclass(slots=True)
class Table:
    """The scores of all windows, above "none here".

    :param begins: for each window, (units,) of its part of the context; `NEVER` where no answer may begin.
    :param closes: likewise, where one may end.
    :param longest: characters of the longest stretch, but for one of a single unit.
    """

    sight: Sight
    begins: list[Array]
    closes: list[Array]
    longest: int
    taken: list[tuple[int, int]] = field(default_factory=list)

    def likeliest(self) -> Iterator[Found]:
        """Give stretches, the likeliest first, none overlapping one before it; of two as likely the first in the context."""
        best = {view: self._best(view) for view in range(len(self.begins))}
        while True:
            found = [one for one in best.values() if one is not None]
            if not found:
                return
            chosen = max(found, key=lambda one: (one.gain, -one.first, -one.last))
            yield chosen
            self.taken.append((chosen.first, chosen.last))
            for number, view in enumerate(self.sight.views):
                if view.start <= chosen.last and view.stop > chosen.first:
                    best[number] = self._best(number)

    def runner_up(self, chosen: Found) -> float:
        """Return the gain of the likeliest other stretch of all windows, whether it overlaps or not."""
        best = float(NEVER)
        for number, view in enumerate(self.sight.views):
            for first, gains in self._gains(number):
                row = chosen.first - view.start - first
                if number == chosen.view and 0 <= row < len(gains):
                    gains[row, chosen.last - chosen.first] = NEVER
                best = max(best, float(gains.max()))
        return best

    def weight(self, *, may_lack: bool) -> float:
        """Return the logarithm of what all stretches weigh together, in units of no answer's: a stretch's gain above it is the
        logarithm of its probability.

        :param may_lack: no answer is one of them.
        """
        found = [0.0] if may_lack else []
        for number in range(len(self.begins)):
            for _, gains in self._gains(number):
                most = float(gains.max())
                found += [most + float(np.log(np.exp(gains - most).sum()))] if most > NEVER else []
        return float(np.logaddexp.reduce(found or [0.0]))

    def _best(self, view: int) -> Found | None:
        """Return a window's likeliest stretch that overlaps none that is taken."""
        best: Found | None = None
        start = self.sight.views[view].start
        for first, gains in self._gains(view):
            for one, other in self.taken:  # a stretch from i over l tokens meets it where i ≤ other and i + l ≥ one
                places = first + start + np.arange(len(gains))[:, None]
                gains[(places <= other) & (places + np.arange(gains.shape[1]) >= one)] = NEVER
            place = int(gains.argmax())
            row, length = divmod(place, gains.shape[1])
            if gains[row, length] > (NEVER if best is None else best.gain):
                begin = start + first + row
                best = Found(float(gains[row, length]), view, begin, begin + length)
        return best

    def _gains(self, view: int) -> list[tuple[int, Array]]:
        """Return the gains of a window's stretches: for blocks of starts the first of them, and (starts, lengths)."""
        begins, closes = self.begins[view], self.closes[view]
        if not len(begins):
            return []
        width = min(len(begins), self.longest)
        ends = np.lib.stride_tricks.sliding_window_view(np.pad(closes, (0, width - 1), constant_values=NEVER), width)
        step = max(1, BLOCK // width)
        lengths = self._lengths(view, width)
        parts = [(first, slice(first, first + step)) for first in range(0, len(begins), step)]
        return [(first, np.where(lengths[part], begins[part, None] + ends[part], NEVER)) for first, part in parts]

    def _lengths(self, view: int, width: int) -> Array:
        """Return which stretches are no longer than the longest answer, in characters, (starts, lengths)."""
        part = slice(self.sight.views[view].start, self.sight.views[view].stop)
        starts, ends = self.sight.starts[part], self.sight.ends[part]
        padded = np.lib.stride_tricks.sliding_window_view(np.pad(ends, (0, width - 1), mode="edge"), width)
        within: Array = padded - starts[:, None] <= self.longest
        within[:, 0] = True  # one unit is never too long: there is nothing shorter
        return within


def table(sight: Sight, outputs: Sequence[Array], longest: int) -> Table:
    """Return the scores of all windows above "none here".

    :param outputs: for each row, (2, tokens) log-probabilities of starts and ends.
    :param longest: as `Table` has it.
    """
    begins, closes = [], []
    for view in sight.views:
        scores = np.asarray(outputs[view.row], dtype=np.float64)
        above = scores[:, view.places] - scores[:, view.none, None]
        units, part = np.arange(view.start, view.stop), slice(view.start, view.stop)
        decides = (units >= view.decided[0]) & (units < view.decided[1])
        begins.append(np.where(sight.begins[part] & decides, above[0], NEVER))
        closes.append(np.where(sight.closes[part], above[1], NEVER))
    return Table(sight, begins, closes, longest)

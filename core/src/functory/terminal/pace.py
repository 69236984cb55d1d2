"""How long work will still take, by the steps that were measured last."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

WINDOW_SECONDS = 20.0
"""What lies further back tells nothing: lengths, threads and other programs change."""
MEASURED_SECONDS = 0.5
"""The least that must have been measured before anything is guessed."""
APART_SECONDS = 0.1


class Pace:
    """The marks of the last while: when, and how many steps were done.

    The first mark is set when the first step is done, for that one may load a model and tells nothing of the others.
    """

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque()

    def mark(self, now: float, done: float) -> None:
        """So many steps are done."""
        marks = self._marks
        if len(marks) > 1 and now - marks[-2][0] < APART_SECONDS:
            marks.pop()
        marks.append((now, done))
        while len(marks) > 2 and marks[1][0] <= now - WINDOW_SECONDS:
            marks.popleft()

    def left(self, now: float, total: float) -> float | None:
        """Return the seconds that are left; None while too little was measured to tell, and where all is done.

        A step that takes longer than any of the window slows the pace while it lasts.
        """
        if len(self._marks) < 2:
            return None
        (began, first), (ended, done) = self._marks[0], self._marks[-1]
        seconds = ended - began
        if seconds < MEASURED_SECONDS or done <= first or done >= total:
            return None
        longest = max(later - sooner for (sooner, _), (later, _) in pairwise(self._marks))
        since = now - ended
        seconds += max(0.0, since - longest)
        return max(0.0, seconds / (done - first) * (total - done) - min(since, longest))

"""How fast a function works here: measured while it does, so that waiting can be foretold."""

from __future__ import annotations

KEPT = 0.9
"""The share of what was measured before that each batch leaves."""


class Pace:
    """Cost done in a second, by the last ten batches or so; those that took longer weigh more, as they should."""

    def __init__(self) -> None:
        self._cost = self._seconds = 0.0

    def saw(self, cost: int, seconds: float) -> None:
        """Take in a batch that ran."""
        self._cost = self._cost * KEPT + cost
        self._seconds = self._seconds * KEPT + max(seconds, 0.0)

    def seconds(self, cost: float) -> float:
        """Return how long so much may take; 0 before anything ran."""
        return cost * self._seconds / self._cost if self._cost else 0.0

    def within(self, seconds: float) -> float:
        """Return how much cost so long is enough for; 0 before anything ran."""
        return seconds * self._cost / self._seconds if self._seconds else 0.0

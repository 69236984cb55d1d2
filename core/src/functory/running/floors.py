"""What a simple method without a backbone answers that learned from the same examples: fitted when first asked, and once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from functory.contracts.counted import misfit
from functory.contracts.task import Floor, Task


class Floored:
    """The floor of a function.

    :param task: whose `floor` it is.
    :param state: what the task learned.
    :param examples: those that the function learned from.
    """

    def __init__(self, task: Task[Any], state: Any, examples: Sequence[Any]) -> None:
        self._task, self._state, self._examples = task, state, list(examples)
        self._fitted: Floor | None = None
        self._is_fitted = False
        self._lock = threading.Lock()

    def answers(self, found: Sequence[Any]) -> Sequence[Any] | None:
        """Return the output for each example; None where there is no such method.

        :raises PluginError: when the task gives another number of them.
        """
        with self._lock:
            if not self._is_fitted:
                self._fitted = self._task.floor(self._examples, self._state) if self._examples else None
                self._is_fitted = True
        if self._fitted is None:
            return None
        answers = self._fitted(found)
        if len(answers) != len(found):
            raise misfit(self._task.floor, f"answers {len(answers)} times to {len(found)} examples", "give one answer for each.")
        return answers

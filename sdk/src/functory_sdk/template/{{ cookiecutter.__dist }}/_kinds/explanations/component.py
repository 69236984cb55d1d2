"""The contract: the weight of each word for one target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functory_sdk import Attribution, Explanation, Function, NoOptions, Target, Word, attribution, values_of, without


class {{ cookiecutter.__class }}(Explanation[NoOptions]):
    """What the target gains when a word stands alone."""

    def explain(self, function: Function, value: Any, target: Target) -> Attribution:
        def weigh(words: Sequence[Word]) -> list[float]:
            alone = [without(value, [other for other in words if other != word]) for word in words]
            nothing, *gains = values_of(function, [without(value, words), *alone], target)
            return [gain - nothing for gain in gains]

        return attribution(function, value, target, self.name, weigh)

"""Whether each function answers here as it did where it was made: its golden examples are replayed before it is called ready."""

from __future__ import annotations

import time
from dataclasses import dataclass

from functory_sdk import Function, prove
from functory_serve.costs import cost_of, written_by
from functory_serve.serving import Serving


@dataclass(slots=True)
class Health:
    """What is known of one function.

    :param is_proven: whether its golden examples came out as they should.
    :param fault: what is wrong where they did not: its kind, without what only the log may have.
    """

    is_proven: bool = False
    fault: str = ""

    def state(self, serving: Serving, is_draining: bool) -> str:
        """Return one word: ``ready``, ``warming``, ``draining``, ``failing`` or ``hanging``."""
        if is_draining:
            return "draining"
        if self.fault:
            return "failing"
        if serving.batcher.is_hanging:
            return "hanging"
        return "ready" if self.is_proven else "warming"


def warmed(function: Function) -> tuple[int, float]:
    """Replay a function's golden examples; return what they cost, and the seconds that computing them once took.

    :raises GoldenMismatch: when they come out differently here.
    """
    if not function.golden:
        return 0, 0.0
    prove(function)
    values = [function.coerce(one.value) for one in function.golden]
    begun, cost = time.perf_counter(), sum(map(cost_of, values)) + written_by(function) * len(values)
    list(function.map(values, progress=False))
    return cost, time.perf_counter() - begun

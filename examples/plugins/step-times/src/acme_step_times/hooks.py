"""Wraps each step and says how long it took; after `adapt` also how many numbers φ holds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from typing import Any

from functory_sdk import Event, hookimpl


class StepTimes:
    """Tells the time of each step when it ends, and of training what it reports.

    :param tell: where the lines go; stderr by default.
    """

    name = "step-times"

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        self._tell = tell or (lambda line: print(line, file=sys.stderr))

    def _timed(self, step: str) -> Generator[None, Any, Any]:
        started = time.perf_counter()
        result = yield
        self._tell(f"{step}: {time.perf_counter() - started:.3f} s")
        return result

    @hookimpl(wrapper=True)
    def load_backbone(self) -> Generator[None, Any, Any]:
        return (yield from self._timed("load_backbone"))

    @hookimpl(wrapper=True)
    def adapt(self) -> Generator[None, Any, Any]:
        model = yield from self._timed("adapt")
        numbers = sum(parameter.numel() for parameter in model.phi().values())
        self._tell(f"adapt: φ holds {numbers:,} numbers")
        return model

    @hookimpl(wrapper=True)
    def train(self) -> Generator[None, Any, Any]:
        return (yield from self._timed("train"))

    @hookimpl(wrapper=True)
    def evaluate(self) -> Generator[None, Any, Any]:
        return (yield from self._timed("evaluate"))

    @hookimpl(wrapper=True)
    def optimize(self) -> Generator[None, Any, Any]:
        return (yield from self._timed("optimize"))

    @hookimpl(wrapper=True)
    def explain(self) -> Generator[None, Any, Any]:
        return (yield from self._timed("explain"))

    @hookimpl(wrapper=True)
    def package(self) -> Generator[None, Any, Any]:
        return (yield from self._timed("package"))

    @hookimpl
    def progress(self, event: Event) -> None:
        if event.kind in ("start", "done"):
            self._tell(f"progress: {event.kind} {event.text}".rstrip())

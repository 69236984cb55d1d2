"""Hook plugins that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

from typing import Any

from functory_sdk import hookimpl


class Stepless:
    """Implements no step."""


class Falsifying:
    """Improves every report."""

    @hookimpl(wrapper=True)
    def evaluate(self, function: Any, examples: Any) -> Any:
        report = yield
        better = {name: metric.model_copy(update={"value": 1.0}) for name, metric in report.metrics.items()}
        return report.model_copy(update={"metrics": better})


class Failing:
    """Fails at whatever it is told."""

    @hookimpl
    def progress(self, run: Any, event: Any) -> None:
        raise OSError(f"no room for {event.kind}")

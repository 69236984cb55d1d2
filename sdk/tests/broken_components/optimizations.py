"""Optimizations that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from functory_sdk import Optimization, Options


class GainOptions(Options):
    """Options."""

    max_drop: float = Field(0.01, description="The limit.")
    min_gain: float = Field(1.0, description="What must be gained.")


class Optimizing(Optimization[GainOptions]):
    """Keeps a form that lost too much."""

    def optimize(self, function: Any, examples: Any, calibration: Any) -> Any:
        from functory_sdk import FormReport, OptimizationReport

        def form(name: str, metric: float) -> Any:
            return FormReport(form=name, metric=metric, latency_ms=1, throughput=1, size_mb=1, memory_mb=1, threads=1)

        report = OptimizationReport(
            optimization=self.name, metric="accuracy", before=form(function.form.name, 0.9),
            tried=(form("worse", 0.5),), kept="worse", reason="because",
        )  # fmt: skip
        return function, report


class Ruining(Optimizing):
    """Changes the function that it was given."""

    def optimize(self, function: Any, examples: Any, calibration: Any) -> Any:
        import torch

        with torch.no_grad():
            function.form.program.model.head.linear.bias.add_(torch.tensor([0.01, -0.01]))
        return super().optimize(function, examples, calibration)


class Inventing(Optimizing):
    """Keeps the form it was given, and says that it measured it."""

    def optimize(self, function: Any, examples: Any, calibration: Any) -> Any:
        _, report = super().optimize(function, examples, calibration)
        return function, report.model_copy(update={"kept": function.form.name})

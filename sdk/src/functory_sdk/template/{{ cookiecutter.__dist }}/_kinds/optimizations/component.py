"""The contract: function → faster function, and a report of what it cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from functory_sdk import Examples, Function, FormReport, Optimization, OptimizationReport, Options, cpu
from pydantic import Field


class {{ cookiecutter.__class }}Options(Options):
    """Options of {{ cookiecutter.__entry }}."""

    budgets: tuple[int, ...] = Field((256, 1024, 4096), description="Token budgets of one batch that are tried.")


class {{ cookiecutter.__class }}(Optimization[{{ cookiecutter.__class }}Options]):
    """Finds the token budget with which `map` is fastest here, and keeps it."""

    def optimize(
        self, function: Function, examples: Examples, calibration: Sequence[Any]
    ) -> tuple[Function, OptimizationReport]:
        items = list(examples)
        metric, before = _report(function, items, function.form.name)
        tried = []
        for budget in self.options.budgets:
            candidate = function.opened(budget=budget)
            tried.append((candidate, _report(candidate, items, f"{function.form.name}, budget {budget}")[1]))
        best, report = max(tried, key=lambda pair: pair[1].throughput)
        is_better = report.throughput > before.throughput
        told = before.model_copy(update={"throughput": max(before.throughput, report.throughput)}) if is_better else before
        return (best if is_better else function), OptimizationReport(
            optimization=self.name,
            metric=metric,
            before=told,
            tried=tuple(one for _, one in tried),
            kept=function.form.name,
            reason=f"{report.form} was the fastest." if is_better else "no budget was faster.",
            cpu=cpu(),
        )


def _report(function: Function, items: list[Any], form: str) -> tuple[str, FormReport]:
    """Return the metric that decides, and what a form measured."""
    list(function.map(items, progress=False))
    started = time.perf_counter()
    outputs = list(function.map(items, progress=False))
    seconds = time.perf_counter() - started
    metrics = function.task.scorer(outputs, items, function.state)(np.arange(len(items)))
    metric = function.task.deciding(metrics)
    return metric, FormReport(
        form=form, metric=metrics[metric], latency_ms=1000 * seconds / len(items),
        throughput=len(items) / seconds, size_mb=0.0, memory_mb=0.0, threads=function.session_options.threads,
    )  # fmt: skip

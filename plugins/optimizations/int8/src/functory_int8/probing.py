"""Measures the forms side by side on this processor: they take turns, and medians count."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from functory_int8.forms import Candidate
from functory_sdk import Examples, FormReport, SessionOptions

if TYPE_CHECKING:
    from functory_int8.optimization import Int8Options

SINGLE = 20
"""Single calls whose median is the latency."""
HOPELESS = 0.6
"""A thread count whose first round is slower than this share of the best is not timed again."""


def compare(
    first: Candidate, candidates: Sequence[Candidate], examples: Examples, options: Int8Options, threads: Sequence[int]
) -> tuple[FormReport, list[tuple[Candidate, FormReport]]]:
    """Measure every form on held-out examples: the metric on all of them, speed on some."""
    inputs = [examples[index * len(examples) // options.probe_inputs] for index in range(options.probe_inputs)]
    if len(examples) < options.probe_inputs:
        inputs = list(examples) * (options.probe_inputs // max(1, len(examples)) + 1)
    memory: dict[str, float] = {}
    for one in (first, *candidates):
        started = resident()
        list(one.function.map(inputs, progress=False))
        memory[one.form_name] = max(0.0, resident() - started)
    for one in candidates:
        _settle(one, inputs, threads)
    seconds = _rounds([first, *candidates], inputs, options.rounds)
    reports = {
        one.form_name: _report(
            one, examples, len(inputs) / statistics.median(seconds[one.form_name]), memory[one.form_name]
        )
        for one in (first, *candidates)
    }
    before = reports[first.form_name]
    judged = [(one, _judge(reports[one.form_name], before, options)) for one in candidates]
    return before, judged


def _settle(one: Candidate, inputs: Sequence[object], threads: Sequence[int]) -> None:
    """Find the fastest thread count of a form, and keep it with the budget that was found on the way."""
    best: tuple[float, int, int] | None = None
    for count in threads:
        trial = one.function.opened(threads=count)
        list(trial.map(inputs, progress=False))  # opens, and begins to find the budget
        took = []
        for _ in range(2):
            started = time.perf_counter()
            list(trial.map(inputs, progress=False))
            took.append(time.perf_counter() - started)
            if best is not None and best[0] < HOPELESS * took[0]:
                break
        if best is None or min(took) < best[0]:
            best = (min(took), count, trial.session.planner.budget)
        trial.close()
    if best is not None:
        one.function.close()
        one.function.form.options = SessionOptions(threads=best[1], budget=best[2])
        list(one.function.map(inputs, progress=False))


def _rounds(forms: Sequence[Candidate], inputs: Sequence[object], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each form in each round."""
    seconds: dict[str, list[float]] = {one.form_name: [] for one in forms}
    for _ in range(rounds):
        for one in forms:
            started = time.perf_counter()
            list(one.function.map(inputs, progress=False))
            seconds[one.form_name].append(time.perf_counter() - started)
    return seconds


def _report(one: Candidate, examples: Examples, throughput: float, memory: float) -> FormReport:
    """Return what a form measured."""
    function = one.function
    items = list(examples)
    outputs = list(function.map(items, progress=False))
    metrics = function.task.scorer(outputs, items, function.state)(np.arange(len(items)))
    latency = []
    for item in items[:SINGLE]:
        started = time.perf_counter()
        function(function.coerce(item))
        latency.append(time.perf_counter() - started)
    return FormReport(
        form=one.form_name,
        metric=float(metrics[function.task.metric]),
        latency_ms=1000 * statistics.median(latency),
        throughput=throughput,
        size_mb=one.megabytes,
        memory_mb=memory,
        threads=function.session.options.threads,
    )


def _judge(report: FormReport, before: FormReport, options: Int8Options) -> FormReport:
    """Return the report with the reason why its form is not taken, where there is one."""
    lost = before.metric - report.metric
    gain = report.throughput / before.throughput
    if lost > options.max_drop + 1e-12:
        return report.model_copy(update={"note": f"loses {lost:.3f}, more than {options.max_drop:g}"})
    if gain < options.min_gain:
        return report.model_copy(
            update={"note": f"{gain:.2f} times the original's speed, less than {options.min_gain:g}"}
        )
    return report


def resident() -> float:
    """Return the process's resident memory in megabytes (10⁶ bytes); 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    import resource

    return pages * resource.getpagesize() / 1e6

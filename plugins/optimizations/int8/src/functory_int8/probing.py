"""Measures the forms side by side on this processor: they take turns, and medians count."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from functory_int8.forms import Candidate
from functory_sdk import FormReport, Progress, SessionOptions, progress

if TYPE_CHECKING:
    from functory_int8.optimization import Int8Options

INPUTS, TEXTS = 256, 16
"""Inputs that speed is measured on; where a text is written for each."""
SINGLE, SINGLE_TEXTS = 20, 5
"""Single calls whose median is the latency; likewise."""
WARM = 32
"""Inputs that run before anything is timed: runtimes compile and allocate on their first batches."""
BUDGETS = (512, 256, 1024)
"""Tokens of a batch that are tried; what inputs are too few to tell while working is settled here."""
HOPELESS = 0.6
"""What takes so long in its first turn that the best is below this share of it is not timed again."""
SLOWER = 1.1
"""How many times as long a single call may take: a form that answers many faster and one slower is not taken."""


def compare(
    first: Candidate,
    candidates: Sequence[Candidate],
    examples: Sequence[Any],
    options: Int8Options,
    threads: Sequence[int],
) -> tuple[FormReport, list[tuple[Candidate, FormReport]]]:
    """Measure every form on held-out examples: the metric on all of them, speed on some."""
    count = options.probe_inputs or (TEXTS if first.is_writing else INPUTS)
    inputs = [examples[index * len(examples) // count] for index in range(count)]
    if len(examples) < count:
        inputs = list(examples) * (count // max(1, len(examples)) + 1)
    forms = (first, *candidates)
    memory: dict[str, float] = {}
    reports: dict[str, FormReport] = {}
    settling = len(threads) + len(_budgets(first)) - 1
    bar: Progress[Any]
    with progress(
        len(forms) * (options.rounds + 2) + len(candidates) * settling, f"{first.function.name}: measuring"
    ) as bar:
        for one in forms:
            bar.say(one.form_name)
            started = resident()
            list(one.function.map(inputs, progress=False))
            memory[one.form_name] = max(0.0, resident() - started)
            bar.advance()
        for one in candidates:
            bar.say(f"{one.form_name}, threads and batches")
            _settle(one, inputs, threads, bar)
        seconds = _rounds(forms, inputs, options.rounds, bar)
        for one in forms:
            bar.say(f"{one.form_name}, all examples")
            throughput = len(inputs) / statistics.median(seconds[one.form_name])
            reports[one.form_name] = _report(one, examples, throughput, memory[one.form_name])
            bar.advance()
        bar.say("")
    before = reports[first.form_name]
    judged = [(one, _judge(reports[one.form_name], before, options)) for one in candidates]
    return before, judged


def _budgets(one: Candidate) -> tuple[int, ...]:
    """Return the batches to try, in tokens. What writes makes its own: texts join and leave."""
    return (0,) if one.is_writing else BUDGETS


def _settle(one: Candidate, inputs: Sequence[object], threads: Sequence[int], bar: Progress[Any]) -> None:
    """Find a form's fastest thread count, then its fastest budget with that, and keep both."""
    tried: list[tuple[float, int, int]] = []

    def attempt(count: int, budget: int) -> None:
        best = min(tried)[0] if tried else float("inf")
        tried.append((_seconds(one, inputs, count, budget, best), count, budget))
        bar.advance()

    first, *others = _budgets(one)
    for count in threads:
        attempt(count, first)
    count = min(tried)[1]
    for budget in others:
        attempt(count, budget)
    _, count, budget = min(tried)
    one.function.close()
    form: Any = one.function.form  # Any: an EngineForm or a TorchForm
    form.options = SessionOptions(threads=count, budget=budget)
    list(one.function.map(inputs[:WARM], progress=False))


def _seconds(one: Candidate, inputs: Sequence[object], threads: int, budget: int, best: float = float("inf")) -> float:
    """Return the seconds that a form needs for the inputs: the better of two turns, of one where that is hopeless."""
    trial = one.function.opened(threads=threads, budget=budget)
    list(trial.map(inputs[:WARM], progress=False))
    took: list[float] = []
    for _ in range(2):
        started = time.perf_counter()
        list(trial.map(inputs, progress=False))
        took.append(time.perf_counter() - started)
        if best < HOPELESS * took[0]:
            break
    trial.close()
    return min(took)


def _rounds(
    forms: Sequence[Candidate], inputs: Sequence[object], rounds: int, bar: Progress[Any]
) -> dict[str, list[float]]:
    """Return the seconds of each form in each round."""
    seconds: dict[str, list[float]] = {one.form_name: [] for one in forms}
    for number in range(rounds):
        for one in forms:
            bar.say(f"{one.form_name}, round {number + 1}")
            started = time.perf_counter()
            list(one.function.map(inputs, progress=False))
            seconds[one.form_name].append(time.perf_counter() - started)
            bar.advance()
    return seconds


def _report(one: Candidate, examples: Sequence[Any], throughput: float, memory: float) -> FormReport:
    """Return what a form measured."""
    function = one.function
    items = list(examples)
    outputs = list(function.map(items, progress=False))
    metrics = function.task.scorer(outputs, items, function.state)(np.arange(len(items)))
    one.metric = function.task.deciding(metrics)
    latency = []
    for is_timed in (False, True):  # some runtimes compile for each new length: a service meets all of them soon
        for item in items[: SINGLE_TEXTS if one.is_writing else SINGLE]:
            started = time.perf_counter()
            function(function.coerce(item))
            if is_timed:
                latency.append(time.perf_counter() - started)
    return FormReport(
        form=one.form_name,
        metric=float(metrics[one.metric]),
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
    if report.latency_ms > SLOWER * before.latency_ms:
        note = f"one call takes {report.latency_ms:.1f} ms, where it took {before.latency_ms:.1f}"
        return report.model_copy(update={"note": note})
    return report


def resident() -> float:
    """Return the process's resident memory in megabytes (10⁶ bytes); 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    import resource

    return pages * resource.getpagesize() / 1e6

"""The contract: options, what is tried, what is kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from functory_int8.forms import Candidate, converted, original
from functory_int8.probing import compare
from functory_sdk import (
    ArtefactError,
    Function,
    NotSupported,
    Optimization,
    OptimizationReport,
    Options,
    TorchForm,
    cpu,
    prove,
)


class Int8Options(Options):
    """Options of the int8 optimization."""

    max_drop: float = Field(
        0.005, ge=0, le=1, description="The loss in the task's metric that is borne, on held-out data."
    )
    min_gain: float = Field(
        1.05, ge=1, le=1e6, description="A form is kept when its throughput is at least so many times the original's."
    )
    engines: tuple[str, ...] = Field(
        (), description="Engines to try; all installed ones that can convert when not given."
    )
    precisions: tuple[Literal["int8", "fp32"], ...] = Field(("int8", "fp32"), description="Precisions to try.")
    threads: tuple[int, ...] = Field(
        (), description="Thread counts to try; all cores, and half of them, when not given."
    )
    probe_inputs: int = Field(
        0, ge=0, le=100_000, description="Held-out inputs that speed is measured on; 256 when 0, or 16 of a function that writes."
    )
    rounds: int = Field(3, ge=1, le=100, description="Timed rounds; the forms take turns in each, and medians count.")


class Int8(Optimization[Int8Options]):
    """Tries every installed engine in int8 and fp32 on this processor, and keeps the fastest that is good enough.

    Which engine and precision win depends on the processor (VNNI or not), so they are measured, not guessed. Where
    nothing is faster, or everything faster loses more than `max_drop`, the original stays.
    """

    paper: ClassVar[str] = "Jacob et al. 2018, Quantization and Training of Neural Networks (arXiv 1712.05877)"
    examples: ClassVar[tuple[str, ...]] = ("functory optimize sentiment --data test.csv --output sentiment-fast",)

    def optimize(
        self, function: Function, examples: Sequence[Any], calibration: Sequence[Any]
    ) -> tuple[Function, OptimizationReport]:
        form = function.form
        if not isinstance(form, TorchForm):
            raise NotSupported(
                f"int8 starts from the torch form of a function; this is {form.name}.",
                do="optimize the function that `build` gave, or the parts of a composite one by one.",
            )
        first = original(function)
        candidates, failures = converted(function, calibration, self.options)
        if not candidates:
            raise NotSupported(
                "no engine could convert the function: " + "; ".join(failures.values()) + ".",
                do="pip install 'functory-openvino[convert]' or 'functory-onnxruntime[convert]'.",
            )
        before, tried = compare(first, candidates, examples, self.options, threads_of(self.options))
        kept, reason = self._proved(first, before, tried)
        for one in candidates:
            if one is not kept:
                one.drop()
        reports = tuple(report for _, report in tried)
        reason += "".join(f" {name} was set aside: {why}." for name, why in failures.items())
        report = OptimizationReport(
            optimization=self.name or "int8",
            metric=first.metric,
            before=before,
            tried=reports,
            kept=kept.form_name,
            reason=reason,
            cpu=cpu(),
        )
        return kept.function, report

    def _proved(self, first: Candidate, before: Any, tried: list[tuple[Candidate, Any]]) -> tuple[Candidate, str]:
        """Return what `_choose` does, passing over forms whose golden examples come out otherwise as they are run now: those
        could not be saved.
        """
        while True:
            kept, reason = self._choose(first, before, tried)
            if kept is first:
                return kept, reason
            try:
                prove(kept.function)
            except ArtefactError as error:
                note = f"cannot be kept: {error.what.rstrip('.')}"
                tried[:] = [
                    (one, report.model_copy(update={"note": note}) if one is kept else report) for one, report in tried
                ]
            else:
                return kept, reason

    def _choose(self, first: Candidate, before: Any, tried: list[tuple[Candidate, Any]]) -> tuple[Candidate, str]:
        """Return the fastest form that is good enough and faster, or the original, and why."""
        options = self.options
        good = [(one, report) for one, report in tried if not report.note]
        if not good:
            return first, "nothing was faster and within the limit, so the original stays."
        one, report = max(good, key=lambda pair: pair[1].throughput)
        gain = report.throughput / before.throughput
        return one, (
            f"{report.form} runs {gain:.1f} times as many inputs per second, and its {one.metric} is "
            f"{report.metric:.3f} where it was {before.metric:.3f} (a loss of {options.max_drop:g} is borne)."
        )


def threads_of(options: Int8Options) -> tuple[int, ...]:
    """Return the thread counts to try."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return options.threads or tuple(dict.fromkeys((cores, max(1, cores // 2))))

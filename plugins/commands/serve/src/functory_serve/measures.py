"""What is measured while functions are served, in the form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
COSTS = (16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144)


class Measures:
    """The counts and times of one server; `of` gives those of one function."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.answers = self._counter("functory_requests", "Requests that have an answer, by its status.", "status")
        self.seconds = Histogram(
            "functory_request_seconds", "Seconds of answered requests: waiting for their last batch, in it, and whole.",
            ("function", "stage"), buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self.batch_inputs = self._sizes("functory_batch_inputs", "Inputs that were computed together.", SIZES)
        self.batch_tokens = self._sizes("functory_batch_tokens", "Tokens, as they are estimated, that were.", COSTS)
        self.abstained = self._counter("functory_abstained", "Outputs in which the function declined to answer.")
        self.outputs = self._counter("functory_outputs", "Outputs.")
        self.waiting = Gauge(
            "functory_waiting_requests", "Requests without an answer.", ("function",), registry=self._registry
        )  # fmt: skip
        self.waiting_tokens = Gauge(
            "functory_waiting_tokens", "Tokens, as they are estimated, that no batch has taken.", ("function",),
            registry=self._registry,
        )  # fmt: skip

    def of(self, function: str) -> FunctionMeasures:
        """Return what is measured of one function."""
        return FunctionMeasures(self, function)

    def watch(self, function: str, requests: Callable[[], float], tokens: Callable[[], float]) -> None:
        """Ask for what waits whenever the page is made."""
        self.waiting.labels(function).set_function(requests)
        self.waiting_tokens.labels(function).set_function(tokens)

    def page(self) -> bytes:
        """Return all that was measured."""
        return generate_latest(self._registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, ("function", *labels), registry=self._registry)

    def _sizes(self, name: str, what: str, sizes: tuple[int, ...]) -> Histogram:
        return Histogram(name, what, ("function",), buckets=sizes, registry=self._registry)


class FunctionMeasures:
    """What is measured of one function."""

    def __init__(self, measures: Measures, function: str) -> None:
        self._answers, self._function = measures.answers, function
        self._stages = {stage: measures.seconds.labels(function, stage) for stage in ("waiting", "computing", "whole")}
        self._inputs, self._tokens = measures.batch_inputs.labels(function), measures.batch_tokens.labels(function)
        self._outputs, self._abstained = measures.outputs.labels(function), measures.abstained.labels(function)

    def answered(self, status: int) -> None:
        """Count a request that has its answer."""
        self._answers.labels(self._function, str(status)).inc()

    def took(self, whole: float, computing: float) -> None:
        """Note how long a request took, and how long its last batch did."""
        self._stages["whole"].observe(whole)
        self._stages["computing"].observe(computing)
        self._stages["waiting"].observe(max(0.0, whole - computing))

    def batch(self, inputs: int, tokens: int) -> None:
        """Note a batch that ran."""
        self._inputs.observe(inputs)
        self._tokens.observe(tokens)

    def gave(self, outputs: int, abstained: int) -> None:
        """Count outputs, and those that decline to answer."""
        self._outputs.inc(outputs)
        self._abstained.inc(abstained)

"""What is measured while functions are served, in the form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from functory_sdk import Spent
from functory_serve.drift import Drift

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
COSTS = (16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144)


class Measures:
    """The counts and times of one server; `of` gives those of one function."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.answers = self._counter("functory_requests", "Requests that have an answer, by its status.", "status")
        self.refusals = self._counter(
            "functory_refusals", "Requests that got an error for an answer, of no function's too.", "status", "error"
        )
        self.seconds = Histogram(
            "functory_request_seconds", "Seconds of answered requests: waiting for their last batch, in it, and whole.",
            ("function", "stage"), buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self.batch_inputs = self._sizes("functory_batch_inputs", "Inputs that were computed together.", SIZES)
        self.batch_tokens = self._sizes("functory_batch_tokens", "Tokens, as they are estimated, that were.", COSTS)
        self.abstained = self._counter("functory_abstained", "Outputs in which the function declined to answer.")
        self.tokens = self._counter(
            "functory_tokens", "Tokens of batches: read, written, and places of padding beside those that were read.", "kind"
        )
        self.outputs = self._counter("functory_outputs", "Outputs.")
        self.waiting = Gauge(
            "functory_waiting_requests", "Requests without an answer.", ("function",), registry=self._registry
        )  # fmt: skip
        self.waiting_tokens = Gauge(
            "functory_waiting_tokens", "Tokens, as they are estimated, that no batch has taken.", ("function",),
            registry=self._registry,
        )  # fmt: skip
        self._drifts = Drifts()
        self._registry.register(self._drifts)

    def of(self, function: str) -> FunctionMeasures:
        """Return what is measured of one function."""
        return FunctionMeasures(self, function)

    def watch(
        self, function: str, requests: Callable[[], float], tokens: Callable[[], float], drift: Callable[[], Drift]
    ) -> None:
        """Ask for what waits, and for what has drifted, whenever the page is made."""
        self._drifts.of[function] = drift
        self.waiting.labels(function).set_function(requests)
        self.waiting_tokens.labels(function).set_function(tokens)

    def refused(self, function: str, status: int, error: str) -> None:
        """Count a request that got an error.

        :param function: that it used; empty when none.
        :param error: its kind.
        """
        self.refusals.labels(function, str(status), error).inc()

    def page(self) -> bytes:
        """Return all that was measured."""
        return generate_latest(self._registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, ("function", *labels), registry=self._registry)

    def _sizes(self, name: str, what: str, sizes: tuple[int, ...]) -> Histogram:
        return Histogram(name, what, ("function",), buckets=sizes, registry=self._registry)


class Drifts(Collector):
    """How far inputs and answers of late are from what each function was measured on; nothing where that is not known."""

    def __init__(self) -> None:
        self.of: dict[str, Callable[[], Drift]] = {}

    def collect(self) -> Iterator[Metric]:
        shifts = GaugeMetricFamily(
            "functory_drift", "How otherwise lengths and best scores of the last outputs are spread than where the function was"
            " measured: population stability index, .1 some, .25 much.", labels=("function", "of"),
        )  # fmt: skip
        chances = GaugeMetricFamily(
            "functory_drift_by_chance", "What chance alone would make of it, with so many outputs.", labels=("function", "of")
        )
        for function, drift in self.of.items():
            for of, (shift, chance) in drift().told().items():
                shifts.add_metric((function, of), shift)
                chances.add_metric((function, of), chance)
        yield shifts
        yield chances


class FunctionMeasures:
    """What is measured of one function."""

    def __init__(self, measures: Measures, function: str) -> None:
        self._answers, self._function = measures.answers, function
        self._answered: dict[int, Counter] = {}
        """How many answers had a status."""
        self._stages = {stage: measures.seconds.labels(function, stage) for stage in ("waiting", "computing", "whole")}
        self._inputs, self._tokens = measures.batch_inputs.labels(function), measures.batch_tokens.labels(function)
        self._spent = {kind: measures.tokens.labels(function, kind) for kind in asdict(Spent())}
        self._outputs, self._abstained = measures.outputs.labels(function), measures.abstained.labels(function)

    def answered(self, status: int) -> None:
        """Count a request that has its answer."""
        if status not in self._answered:
            self._answered[status] = self._answers.labels(self._function, str(status))
        self._answered[status].inc()

    def took(self, whole: float, computing: float) -> None:
        """Note how long a request took, and how long its last batch did."""
        self._stages["whole"].observe(whole)
        self._stages["computing"].observe(computing)
        self._stages["waiting"].observe(max(0.0, whole - computing))

    def batch(self, inputs: int, tokens: int) -> None:
        """Note a batch that ran."""
        self._inputs.observe(inputs)
        self._tokens.observe(tokens)

    def spent(self, spent: Spent) -> None:
        """Count the tokens that a batch took."""
        for kind, counter in self._spent.items():
            counter.inc(getattr(spent, kind))

    def gave(self, outputs: int, abstained: int) -> None:
        """Count outputs, and those that decline to answer."""
        self._outputs.inc(outputs)
        self._abstained.inc(abstained)

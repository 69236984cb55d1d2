"""What every optimization owes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from functory.contracts.optimization import Optimization, OptimizationReport
from functory_sdk.testing.suite import ComponentSuite, TorchSuite
from functory_sdk.testing.toy import rows
from functory_sdk.testing.toybox import toy_function

ROUNDING = 1.5
"""By how many examples a metric may be off when it is measured again: integer forms round by the batch."""


class OptimizationSuite(TorchSuite, ComponentSuite):
    """Optimizes the toy function on rows that it was not trained on.

    Give `options` that keep the work small, such as few probes.
    """

    kind: ClassVar[str] = "optimizations"

    def test_it_is_an_optimization(self) -> None:
        """The class derives from the contract.

        If this fails: derive it from `functory_sdk.Optimization`.
        """
        assert issubclass(self.load(), Optimization)

    def test_what_it_returns_is_no_worse_than_it_says(self) -> None:
        """The kept form is in the report, is as fast as it says it must be, and loses no more than the limit.

        If this fails: return the function you were given where nothing is gained, and say why in `reason`.
        """
        function = toy_function()
        made = function.optimize(self.component, rows(48, seed=5), **dict(self.options))
        report = made.optimization
        assert isinstance(report, OptimizationReport), f"the report is a {type(report).__name__}."
        forms = {form.form: form for form in (report.before, *report.tried)}
        assert report.kept in forms, f"the kept form {report.kept!r} is not among those that were measured."
        assert report.reason, "the report gives no reason."
        kept = forms[report.kept]
        limit = getattr(self.configured().options, "max_drop", 0.0)
        lost = report.before.metric - kept.metric
        assert lost <= limit + 1e-9, f"the kept form lost {lost:.4g} of {report.metric}; the limit is {limit}."
        is_faster = kept.throughput >= report.before.throughput or not report.changed
        assert is_faster, (
            f"the kept form does {kept.throughput:.4g} per second, the original {report.before.throughput:.4g}."
        )
        assert made.form.name == report.kept, f"the report keeps {report.kept!r}; the function is {made.form.name!r}."

    def test_its_figures_are_measured(self) -> None:
        """What the report says of the form it was given, and of the one it kept, is found again on the same examples.

        If this fails: measure each form by the task's own `scorer` on the examples that `optimize` was given, all of them,
        and let `metric` name what was measured.
        """
        function, examples = toy_function(), rows(48, seed=5)
        made = function.optimize(self.component, examples, **dict(self.options))
        assert made.optimization is not None, "the function carries no report."
        report = made.optimization
        forms = {form.form: form for form in (report.before, *report.tried)}
        for one, form in self.each(((function, report.before), (made, forms[report.kept]))):
            measured = score(one, examples)
            assert report.metric in measured, f"it reports {report.metric!r}; the task measures {', '.join(measured)}."
            found = measured[report.metric]
            assert abs(form.metric - found) <= ROUNDING / len(examples), (
                f"it reports {report.metric} {form.metric:.4g} for {form.form}; measured again it is {found:.4g}."
            )

    def test_a_limit_that_nothing_passes_keeps_the_original(self) -> None:
        """Where nothing is good enough, the form given comes back, and the report says so.

        If this fails: compare with `min_gain` and `max_drop` before choosing.
        """
        if "min_gain" not in self.load().Options.model_fields:
            pytest.skip("the optimization has no option min_gain")
        function = toy_function()
        made = function.optimize(self.component, rows(48, seed=5), **{**self.options, "min_gain": 1e6})
        assert made.optimization is not None, "the function carries no report."
        assert not made.optimization.changed, f"{made.optimization.kept!r} was kept although nothing gains 100 times."
        assert made.form.name == function.form.name, f"the function became {made.form.name!r}."
        texts = [row["text"] for row in rows(12, seed=3)]
        assert [made(text) for text in texts] == [function(text) for text in texts], "its outputs are others."

    def test_the_given_function_is_untouched(self) -> None:
        """The function that was optimized gives the same outputs as before.

        If this fails: convert a copy of its model.
        """
        function = toy_function()
        texts = [row["text"] for row in rows(12, seed=3)]
        before = [function(text) for text in texts]
        function.optimize(self.component, rows(48, seed=5), **dict(self.options))
        assert [function(text) for text in texts] == before, "the function that was given gives other outputs now."


def score(function: Any, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
    """Return the task's metrics of a function on rows."""
    examples = [function.task.Example.model_validate(row) for row in rows]
    outputs = list(function.map([row["text"] for row in rows], progress=False))
    scored: Mapping[str, float] = function.task.scorer(outputs, examples, function.state)(np.arange(len(examples)))
    return scored

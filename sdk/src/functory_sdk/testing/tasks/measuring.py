"""How a task is measured: right answers score best, and every figure is told."""

from __future__ import annotations

import json

import numpy as np
import pytest

from functory_sdk.testing.tasks.made import TaskChecks


class MeasuringChecks(TaskChecks):
    """Metrics are fair, and plain data."""

    def test_right_outputs_score_best(self) -> None:
        """The task's own metric is highest for the right outputs, lower for wrong ones, and finite on any resample.

        If this fails: compare outputs with the examples' gold in the same order, and divide by nothing that can be 0. The
        metric grows with what is right: of an error take the negative; errors beside it stand in `lower_is_better`.
        """
        task, examples = self.task, self.made_examples()
        if not task.metric:
            pytest.skip("the task declares no metric")
        state = task.learn(examples)
        right = [self.perfect(example, state) for example in examples]
        wrong = right[1:] + right[:1]
        everything = np.arange(len(examples))
        best = task.scorer(right, examples, state)(everything)
        assert task.metric in best, f"the metric {task.metric!r} is not among {', '.join(best)}."
        assert task.metric not in task.lower_is_better, f"{task.metric!r} is in lower_is_better, and functions are chosen by it."
        shifted = task.scorer(wrong, examples, state)(everything)
        worse = shifted[task.metric]
        for name in task.lower_is_better:
            errors = f"{best[name]:.4g} for right outputs, {shifted[name]:.4g} for shifted ones"
            assert best[name] <= shifted[name], f"{name}, which is in lower_is_better, is {errors}."
        assert best[task.metric] > worse, f"right outputs score {best[task.metric]:.4g}, shifted ones {worse:.4g}."
        for put in self.each(self.puts()):
            inputs = [put.task.Input(**{n: getattr(e, n) for n in put.task.Input.model_fields}) for e in examples]
            got = task.scorer(put.compute(inputs), examples, state)(everything)[task.metric]
            assert got <= best[task.metric] + 1e-9, f"{put.name}: untrained outputs score {got:.4g}, above right ones."
        for resample in (everything[:1], np.zeros(5, dtype=np.int64), everything[::-1]):
            for name, value in task.scorer(right, examples, state)(resample).items():
                assert np.isfinite(value), f"{name} of {len(resample)} resampled examples is {value}."

    def test_right_outputs_are_judged_right(self) -> None:
        """The right output of an example is judged right, that of an example with another answer wrong.

        If this fails: give Output and Example a field of one name for the answer, or override `judge`.
        """
        task, examples = self.task, self.made_examples()
        if not task.metric:
            pytest.skip("the task declares no metric")
        state = task.learn(examples)
        right = [self.perfect(example, state) for example in examples]
        judged = [task.judge(output, example, state) for output, example in zip(right, examples, strict=True)]
        for example, one in zip(examples, judged, strict=True):
            assert one.is_right is not False, f"the right output of {example!r} is judged wrong: {one}."
        for output, example, one in zip(right[1:] + right[:1], examples, judged, strict=True):
            found = task.judge(output, example, state)
            assert found.is_right is None or found.is_right is (found.given == one.given), f"{output!r}: {found}."

    def test_metrics_are_told(self) -> None:
        """Where a task tells its metrics, it tells all that its scorer gives, the one that decides among them.

        If this fails: give `metrics` the missing name with a few words on what it is.
        """
        task, examples = self.task, self.made_examples()
        if not task.metrics:
            pytest.skip("the task does not tell its metrics")
        state = task.learn(examples)
        scored = task.scorer([self.perfect(example, state) for example in examples], examples, state)
        lacking = {task.metric, *scored(np.arange(len(examples)))} - task.metrics.keys()
        assert not lacking, f"metrics does not tell {', '.join(sorted(lacking))}."

    def test_every_interval_holds_its_own_value(self) -> None:
        """The metrics of a mixed lot of answers lie within their own intervals.

        If this fails: let `scorer` count the same labels in every resample, all those of the whole, and take the whole's figure
        for what a resample says nothing of; `functory_sdk.Tally` does both.
        """
        from functory.measuring.intervals import evaluate_with_intervals

        task, examples = self.task, self.made_examples()
        if not task.metric:
            pytest.skip("the task declares no metric")
        state = task.learn(examples)
        right = [self.perfect(example, state) for example in examples]
        pairs = zip(right, right[1:] + right[:1], strict=True)
        outputs = [one if index % 3 else other for index, (one, other) in enumerate(pairs)]
        found = evaluate_with_intervals(
            task.scorer(outputs, examples, state), len(examples), seed=0, resamples=200, budget_seconds=60
        )
        for name, metric in found.metrics.items():
            assert metric.low is not None, f"{name} is undefined in every resample."
            assert metric.high is not None
            assert metric.low - 1e-9 <= metric.value <= metric.high + 1e-9, f"{name}: {metric} holds not its own value."

    def test_the_breakdown_is_plain_data(self) -> None:
        """`breakdown` gives rows and a confusion matrix that JSON and the report can hold.

        If this fails: turn numpy's numbers into Python's.
        """
        task, examples = self.task, self.made_examples()
        if not task.metric:
            pytest.skip("the task declares no metric")
        state = task.learn(examples)
        found = task.breakdown([self.perfect(example, state) for example in examples], examples, state)
        json.dumps(dict(found))
        assert found.keys() <= {"per_class", "confusion"}, f"breakdown gives {', '.join(found)}."

"""Whether a function is worth more than an answer that reads nothing, said where it is not."""

from __future__ import annotations

from collections.abc import Mapping

from functory.measuring.report import Metric

NOTHING = "an answer that reads nothing"


def against_baseline(metrics: Mapping[str, Metric], chosen: str) -> tuple[str, ...]:
    """Return what is to be said of each metric that does not beat its baseline.

    The chosen metric must be above it with its whole interval; of the others only what is below it is told.

    :param chosen: the metric by which functions are chosen; the first, where empty.
    """
    chosen = chosen or next(iter(metrics), "")
    told = (_told(name, metric, is_chosen=name == chosen) for name, metric in metrics.items())
    return tuple(note for note in told if note)


def _told(name: str, metric: Metric, *, is_chosen: bool) -> str:
    """Return the note on one metric; nothing where there is no baseline, or it is beaten."""
    if metric.baseline is None:
        return ""
    value, baseline = f"{metric.value:.3f}", f"the {metric.baseline:.3f} of {NOTHING}"
    if _is_worse(metric, metric.baseline):
        side = "below" if metric.higher_is_better else "above"
        return f"{name} is {value}, {side} {baseline}: as it is, this function is worth less than none. {_REMEDY}"
    if is_chosen and metric.beats_baseline() is False:
        side = "above" if metric.higher_is_better else "below"
        interval = f" ({metric.low:.3f}–{metric.high:.3f})"
        return f"{name} is {value}{interval}, not clearly {side} {baseline}: more test examples would tell. {_REMEDY}"
    return ""


_REMEDY = "Look at the mistakes and the labels, give more training examples, or try another backbone or adaptation."


def _is_worse(metric: Metric, baseline: float) -> bool:
    return metric.value < baseline if metric.higher_is_better else metric.value > baseline

"""Whether a function is worth more than an answer that reads nothing, or than a simple method, said where it is not."""

from __future__ import annotations

from collections.abc import Mapping

from functory.measuring.report import Metric

NOTHING = "an answer that reads nothing"


def doubts(metrics: Mapping[str, Metric], chosen: str, floored_by: str = "a simple method") -> tuple[str, ...]:
    """Return what is to be said of each metric that does not beat its baseline, and of the chosen one that does not beat its
    floor.

    The chosen metric must be above them with its whole interval; of the others only what is below the baseline is told.

    :param chosen: the metric by which functions are chosen; the first, where empty.
    :param floored_by: what the floor is.
    """
    chosen = chosen or next(iter(metrics), "")
    told = [_against_nothing(name, metric, is_chosen=name == chosen) for name, metric in metrics.items()]
    if chosen in metrics and not any(told):
        told.append(_against_floor(chosen, metrics[chosen], floored_by))
    return tuple(note for note in told if note)


def _against_nothing(name: str, metric: Metric, *, is_chosen: bool) -> str:
    """Return the note on one metric; nothing where there is no baseline, or it is beaten."""
    if metric.baseline is None:
        return ""
    value, baseline = f"{metric.value:.3f}", f"the {metric.baseline:.3f} of {NOTHING}"
    if _is_worse(metric, metric.baseline):
        side = "below" if metric.higher_is_better else "above"
        return f"{name} is {value}, {side} {baseline}: as it is, this function is worth less than none. {_REMEDY}"
    if is_chosen and metric.beats_baseline() is False:
        return f"{_unclear(name, metric, baseline)} {_REMEDY}"
    return ""


def _against_floor(name: str, metric: Metric, floored_by: str) -> str:
    """Return the note on the chosen metric; nothing where there is no floor, or it is beaten."""
    if metric.floor is None:
        return ""
    floor = f"the {metric.floor:.3f} of {floored_by} that learned from the same examples"
    if _is_worse(metric, metric.floor):
        side = "below" if metric.higher_is_better else "above"
        better = "for these data that is the better function, and far cheaper"
        return f"{name} is {metric.value:.3f}, {side} {floor}: {better}. {_OTHER}"
    return f"{_unclear(name, metric, floor)} {_OTHER}" if metric.beats(metric.floor) is False else ""


def _unclear(name: str, metric: Metric, other: str) -> str:
    """Say that an interval holds a number that it should be clear of."""
    side = "above" if metric.higher_is_better else "below"
    interval = f" ({metric.low:.3f}–{metric.high:.3f})"
    return f"{name} is {metric.value:.3f}{interval}, not clearly {side} {other}: more test examples would tell."


_REMEDY = "Look at the mistakes and the labels, give more training examples, or try another backbone or adaptation."
_OTHER = "Try another adaptation or backbone (`functory list --kind adaptations`)."


def _is_worse(metric: Metric, other: float) -> bool:
    return metric.value < other if metric.higher_is_better else metric.value > other

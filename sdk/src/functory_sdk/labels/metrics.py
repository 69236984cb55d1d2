"""How well: accuracy and F1 from counts, so that a thousand resamples cost milliseconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from functory.contracts.judging import NOTHING
from functory.contracts.rows import Array
from functory.contracts.task import Scorer
from functory_sdk.labels import scope
from functory_sdk.labels.paths import above, tree
from functory_sdk.labels.types import Classification, Labels
from functory_sdk.tally import Tally

Part = Callable[[Array], dict[str, float]]
"""Some of the metrics, as a function of which examples count."""

TOLD: Mapping[str, str] = {
    "accuracy": "the share of inputs whose label, or whose every label, is right",
    "macro_f1": "the mean of the labels' F1: a rare label counts as much as a common one",
    "f1": "the F1 of the label that is looked for (binary)",
    "precision": "how many of those that were given that label have it (binary)",
    "recall": "how many of those that have that label were given it (binary)",
    "micro_f1": "the F1 of all labels given, counted together (multi-label)",
    "quadratic_kappa": "agreement beyond chance, mistakes weighed by squared distance; decides where mode = ordinal (Cohen 1968)",
    "mean_absolute_error": "how far the given label's number is from the right one's (ordinal)",
    "hierarchical_f1": "the F1 of all steps of all paths, each with those above it (path; Kiritchenko et al. 2005)",
    "hierarchical_precision": "how many of the steps given are right (path)",
    "hierarchical_recall": "how many of the right steps were given (path)",
    "level_1_accuracy": "the share of inputs whose path is right down to the first level; and so on for the others (path)",
    "level_1_macro_f1": "the mean of the F1 of the first level's labels; and so on for the others (path)",
    "in_scope_accuracy": "of the inputs that are in scope, the share whose label is right: declined is wrong (out_of_scope)",
    "abstained": "the share of inputs that the function declined to answer (abstain)",
    "out_of_scope_recall": "of the inputs that are out of scope, the share that was declined (out_of_scope)",
    "out_of_scope_precision": "of the inputs that were declined, the share that is out of scope (out_of_scope)",
    "auroc": "how often an input in scope is surer than one out of it, whatever the limit (out_of_scope)",
}
"""Every metric of tasks that label."""
ROUNDING = 1e-12
"""Below it a number is nothing but what rounding left."""
DEEPEST = 9
"""So many levels of a hierarchy are measured each by itself."""
LEVELS: Mapping[str, str] = {
    name: what
    for level in range(2, DEEPEST + 1)
    for name, what in (
        (f"level_{level}_accuracy", f"the share of inputs whose path is right down to level {level} (path)"),
        (f"level_{level}_macro_f1", f"the mean of the F1 of the labels of level {level} (path)"),
    )
}
"""Those of the levels of a hierarchy below the first."""


def scorer(outputs: Sequence[Classification], right: Sequence[Sequence[str]], state: Labels) -> Scorer:
    """Return the metrics as a function of which examples count.

    :param right: the right labels of each example.
    """
    parts = [_common(outputs, right, state)]
    if state.mode == "ordinal":
        parts.insert(0, rating_metrics([output.labels[0] for output in outputs], [labels[0] for labels in right], state))
    if state.mode == "path":
        parts.append(path_metrics([output.labels for output in outputs], right, state))
    if state.scope:
        parts.append(scope_metrics(outputs, right, state))
    return lambda indices: {name: value for part in parts for name, value in part(indices).items()}


def _common(outputs: Sequence[Classification], right: Sequence[Sequence[str]], state: Labels) -> Part:
    """Return what every function that labels is measured by."""
    given, wanted = [output.labels for output in outputs], right
    tally = _tally(given, wanted, state.answers)
    all_right = np.asarray([{*one} == {*other} for one, other in zip(given, wanted, strict=True)])

    def score(indices: Array) -> dict[str, float]:
        metrics = {"accuracy": float(all_right[indices].mean()), "macro_f1": tally.macro_f1(indices)}
        if state.mode == "binary":
            rates = tally.each(indices)
            metrics |= {name: float(getattr(rates, name)[1]) for name in ("f1", "precision", "recall")}
        if state.mode == "multi":
            metrics["micro_f1"] = float(tally.together(indices).f1)
        return metrics

    return score


def breakdown(outputs: Sequence[Classification], right: Sequence[Sequence[str]], state: Labels) -> Mapping[str, Any]:
    """Return precision, recall, F1 and support of each label, and the confusion matrix where one label is right.

    In a hierarchy every path has a row, those that lead to others too.
    """
    given = [output.labels for output in outputs]
    if state.mode == "path":
        names = all_paths(state)
        rows = _tally(through(given, state), through(right, state), names).rows(names)
    else:
        rows = _tally(given, right, state.answers).rows(state.answers)
    if state.mode == "multi":
        return {"per_class": rows}
    labels = [*state.answers, *([NOTHING] if any(not one for one in given) else [])]
    place = {label: i for i, label in enumerate(labels)}
    pairs = Counter((place[one[0]], place[other[0] if other else NOTHING]) for one, other in zip(right, given, strict=True))
    counts = [[true, said, count] for (true, said), count in sorted(pairs.items())]
    return {"per_class": rows, "confusion": {"labels": labels, "counts": counts}}


def _tally(given: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]], labels: Sequence[str]) -> Tally:
    """Return what was given, what is wanted, and what is both."""
    place = {label: i for i, label in enumerate(labels)}
    said, true = ([[place[label] for label in dict.fromkeys(labels)] for labels in some] for some in (given, wanted))
    both = [[label for label in one if label in other] for one, other in zip(said, true, strict=True)]
    return Tally(both, said, true, len(place))


def through(found: Sequence[Sequence[str]], state: Labels) -> list[list[str]]:
    """Return, for each example, the paths of its labels and those above them."""
    return [[path for label in labels for path in above(label, state.separator)] for labels in found]


def all_paths(state: Labels) -> list[str]:
    """Return every path, those that lead to others before them."""
    return sorted({path for label in state.answers for path in above(label, state.separator)})


def path_metrics(given: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]], state: Labels) -> Part:
    """Return the metrics of paths: all steps counted together, and each level by itself.

    A path that ended above a level is right there where all of it is.
    """
    said, true = through(given, state), through(wanted, state)
    tally = _tally(said, true, all_paths(state))
    names = [level.paths for level in tree(state.answers, state.separator)][:DEEPEST]
    at = [
        _tally([one[depth : depth + 1] for one in said], [one[depth : depth + 1] for one in true], paths)
        for depth, paths in enumerate(names)
    ]
    pairs = list(zip(said, true, strict=True))
    agree = [np.asarray([one[: depth + 1] == other[: depth + 1] for one, other in pairs]) for depth in range(len(names))]

    def score(indices: Array) -> dict[str, float]:
        whole = tally.together(indices)
        metrics = {f"hierarchical_{name}": float(getattr(whole, name)) for name in ("f1", "precision", "recall")}
        for depth in range(len(names)):
            metrics[f"level_{depth + 1}_accuracy"] = float(agree[depth][indices].mean())
            metrics[f"level_{depth + 1}_macro_f1"] = at[depth].macro_f1(indices)
        return metrics

    return score


def rating_metrics(given: Sequence[str], wanted: Sequence[str], state: Labels) -> Part:
    """Return the metrics of labels that have an order, by their numbers."""
    number = dict(zip(state.labels, state.numbers, strict=True))
    said, true = (np.asarray([number[label] for label in labels]) for labels in (given, wanted))
    whole = _kappa(said, true, 0.0)

    def score(indices: Array) -> dict[str, float]:
        away = np.abs(said[indices] - true[indices])
        return {"quadratic_kappa": _kappa(said[indices], true[indices], whole), "mean_absolute_error": float(away.mean())}

    return score


def _kappa(said: Array, true: Array, otherwise: float) -> float:
    """Return kappa weighted by squared distances (Cohen 1968); where chance never errs, another number.

    :param said: (examples,) the numbers given; `true` the right ones.
    """
    by_chance = float((said**2).mean() + (true**2).mean() - 2 * said.mean() * true.mean())
    if by_chance <= ROUNDING:
        return otherwise
    kappa = 1 - float(((said - true) ** 2).mean()) / by_chance
    return kappa if abs(kappa) > ROUNDING else 0.0  # one answer for all is no better than chance, and no worse


def scope_metrics(outputs: Sequence[Classification], right: Sequence[Sequence[str]], state: Labels) -> Part:
    """Return the metrics of a function that may decline; what needs inputs out of scope is told where there are some."""
    inside = scope.inside(right, state)
    declined = np.asarray([output.abstained for output in outputs])
    is_right = np.asarray([{*output.labels} == {*labels} for output, labels in zip(outputs, right, strict=True)])
    order = scope.Order(np.asarray([getattr(output, "in_scope", 0.0) for output in outputs]), inside)
    everything = np.arange(len(outputs))
    whole = order.auroc(everything)
    kinds = {"in_scope_accuracy": (is_right, inside), "abstained": (declined, np.ones_like(declined))}
    if not inside.all():
        kinds |= {"out_of_scope_recall": (declined, ~inside), "out_of_scope_precision": (~inside, declined)}
    shares = {name: (hit, among, _share(hit, among, everything, 0.0)) for name, (hit, among) in kinds.items() if among.any()}

    def score(indices: Array) -> dict[str, float]:
        metrics = {name: _share(hit, among, indices, value) for name, (hit, among, value) in shares.items()}
        if whole is not None:
            metrics["auroc"] = found if (found := order.auroc(indices)) is not None else whole
        return metrics

    return score


def _share(hit: Array, among: Array, indices: Array, otherwise: float) -> float:
    """Return the share of hits among some of the examples; where none of those is drawn, another number."""
    chosen = hit[indices][among[indices]]
    return float(chosen.mean()) if len(chosen) else otherwise


def best_thresholds(given: Array, wanted: Array) -> tuple[float, ...]:
    """Return, for each score, the threshold with the best F1.

    :param given: (examples, scores) probabilities.
    :param wanted: (examples, scores) 0 or 1.
    """
    return tuple(_best_threshold(given[:, i], wanted[:, i]) for i in range(given.shape[1]))


def _best_threshold(given: Array, wanted: Array) -> float:
    """Return the middle between the two neighbouring scores where F1 is best; 0.5 where nothing can be learned."""
    if not wanted.any():
        return 0.5
    order = np.argsort(-given, kind="stable")
    hits = np.cumsum(wanted[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + wanted.sum())
    last = np.append(given[order][1:] < given[order][:-1], True)  # ties are given together
    best = int(np.where(last, f1, -1).argmax())
    below = given[order][best + 1] if best + 1 < len(order) else 0.0
    return float((given[order][best] + below) / 2)

"""The mathematics: one affine map fitted to stored features by full-batch L-BFGS, or a hidden layer and a map (`hidden`)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from functory_head.hidden import fit_hidden, steps_of
from functory_head.prior import FIRM, STAYED, is_better, scaled
from functory_head.tables import Table
from functory_head.telling import Stage
from functory_sdk import Fit, NotSupported, Port, Row, Run, Taught, TrainingError, TrainingSession, pad
from functory_sdk.torch import AttentionPooling, LinearHead, Numbered, Pooled, Shape, drawing, linear

if TYPE_CHECKING:
    from functory_head.adaptation import HeadOptions

PENALTIES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
"""Strongest first: each fit starts where the stronger penalty ended."""
LARGE = 8_000_000
"""Elements of a feature table above which the penalty is chosen on a part of it: there the choice matters least."""
CHUNK_ROWS = 4096
"""Rows whose features are asked for at once, so that those of ignored tokens are never in memory together."""
TRIED = 2000
"""Units on which the hidden layer is fitted to be held against one map: more folds of a small table, one of a large."""
WIDEST = 1536
"""Units of a hidden layer at most: it costs its own square."""
GAIN = 0.03
"""By what part the held-out loss must fall for a hidden layer: a tie is one map's, whose φ is a few kilobytes."""


def is_linear(head: Any) -> bool:
    """Whether the head is one affine map of its features, as the task makes it."""
    return isinstance(head, LinearHead)


def attend(head: Any) -> None:
    """Let a head that reads one vector a row read the mean by learned weights.

    :raises NotSupported: by a head that reads otherwise.
    """
    reading = head.reading
    beside = reading if isinstance(reading, Numbered) else None
    if not is_linear(head) or not isinstance(reading if beside is None else beside.of, Pooled):
        raise NotSupported(f"{type(head).__name__} reads no pooled vector.", do="leave out the option pooling.")
    mean = AttentionPooling(head.spec.width)
    head.read_as(mean if beside is None else Numbered(mean, beside.array, beside.count))


def is_of_units(model: Any, *, of_stored: bool = True) -> bool:
    """Whether the head is one affine map of what is fixed, and each of its golds belongs to a row or a token that it maps.

    :param of_stored: all that it maps is stored; else there may be something beside it.
    """
    head = model.head
    return is_linear(head) and (head.reading.is_stored or not of_stored) and linear.is_of_units(head, model.gold)


@dataclass(frozen=True)
class Folds:
    """How a table is cut into blocks of whole examples, and of whole groups.

    :param of_example: (bundles,) the block of each example, with those that it shares a group with.
    :param trials: which blocks to fit on and which to hold out, for the choice of the penalty.
    :param share: the part of the table that the trials see.
    """

    of_example: np.ndarray
    trials: tuple[tuple[tuple[int, ...], int], ...]
    share: float = 1.0


def fit_stored(session: TrainingSession, options: HeadOptions) -> tuple[Fit, int]:
    """Fit the head to stored features and leave it in the model.

    :return: how it went, and the units of the hidden layer that the head has now.
    :raises TrainingError: when nothing can be learned from, or the loss is not finite.
    """
    head: LinearHead = session.model.head
    kept = [_kept(session, row) for row in session.train.rows]
    bundle = bundles(session.train)
    units = np.bincount(bundle, weights=[mask.sum() for mask in kept]).astype(np.int64)  # (bundles,)
    if not units.sum():
        raise TrainingError(
            "no token of the training data has a gold.", do="look at the task's gold arrays, or its data."
        )
    seed = session.run.seed
    is_one_each = 1 < units.sum() <= head.linear.out_features  # what is held out is of a label that the rest has none of
    of = 0 if options.penalty is not None or is_one_each else options.folds
    folds = folds_of(units, head.reading.width(session.model.network.spec), of, seed)
    table = table_of(session, kept, folds.of_example[bundle])
    shape = Shape.of(options, head, [table.gold])
    mean, deviation = linear.standardise(table.features)
    if options.standardise is False:
        deviation = linear.alike(table.features, deviation)
    prior = scaled(head, table.blocks, deviation, shape)
    fit = Fit()
    hidden = options.hidden or 0
    penalty = options.penalty
    if not hidden and penalty is None:
        chosen = choose(head, table, folds, options, deviation, shape, fit, session.run, prior)
        deviation, penalty, losses = chosen.deviation, chosen.penalty, chosen.losses
        if prior is None and options.hidden is None and _hidden_pays(head, table, folds, losses, shape, fit, session.run):
            hidden = _units(table)
            fit.notes.append(
                f"φ has a hidden layer of {hidden} units: it predicts held-out examples clearly better than one map"
            )
            _add_hidden(head, hidden, seed)
    if hidden:
        stage = Stage(session.run, "training", steps_of(len(table.features)))
        fit.metrics.update(loss=fit_hidden(head, table.whole, seed, stage.step, shape), hidden=float(hidden))
    elif penalty is not None:
        linear.start(head, prior)
        stage = Stage(session.run, "training", linear.looks(options.iterations))
        loss = linear.minimise(head, [table.whole], penalty, options.iterations, told=stage.step, shape=shape, prior=prior)
        fit.metrics.update(loss=loss, penalty=penalty)
    linear.fold(head, mean, deviation)
    if scores := session.scores():
        fit.metrics.update(scores)
        stage.measured(**scores)
    return fit, hidden


def _add_hidden(head: LinearHead, units: int, seed: int) -> None:
    """Put a hidden layer on a head, drawn from the seed."""
    with drawing(seed):
        head.add_hidden(units)


def bundles(taught: Taught) -> np.ndarray:
    """Return which bundle each row belongs to, (rows,), from 0: rows of one example, or of one group, are in one."""
    owner, group = (np.unique(one, return_inverse=True)[1] for one in (taught.owner, taught.group))
    found = owner
    while True:
        least = np.full(len(group), len(group))
        before = found
        for one in (group, owner):
            np.minimum.at(least, one, found)
            found = least[one]
            least[:] = len(group)
        if (found == before).all():
            bundle: np.ndarray = np.unique(found, return_inverse=True)[1]
            return bundle


def _units(table: Table) -> int:
    """Return the units of a hidden layer that nobody named: the width of the features, and no more than `WIDEST`."""
    return min(table.features.shape[1], WIDEST)


def _hidden_pays(
    head: LinearHead, table: Table, folds: Folds, losses: Sequence[float], shape: Shape, fit: Fit, run: Run
) -> bool:
    """Whether a hidden layer, as wide as the features or `WIDEST`, predicts held-out blocks clearly better than one map.

    :param losses: of one map with its best penalty, for each trial.
    """
    width = _units(table)
    found: list[float] = []
    sizes = [sum(len(table.blocks[block].features) for block in fitted) for fitted, _ in folds.trials]
    count = sum(not place or (place + 1) * size <= TRIED for place, size in enumerate(sizes))
    stage = Stage(run, "hidden layer", sum(map(steps_of, sizes[:count])))
    for fitted, held in folds.trials[:count]:
        tried = deepcopy(head)
        _add_hidden(tried, width, run.seed)
        fit_hidden(tried, table.of(fitted), run.seed, stage.step, shape)
        found.append(linear.mean_loss(tried, [table.blocks[held]], shape))
    if not found:
        return False
    fit.history.append({"hidden": float(width), "held_out_loss": float(np.mean(found))})
    stage.measured(held_out_loss=float(np.mean(found)))
    return float(np.mean(found)) < (1 - GAIN) * float(np.mean(losses[: len(found)]))


def _kept(session: TrainingSession, row: Row) -> np.ndarray:
    """Return which units of a row count, (units,) bool: all, but for tokens without gold."""
    model = session.model
    if model.head.reading.unit == "row":
        return np.ones(1, dtype=bool)
    return linear.taught(row, len(row[model.network.written]), model.gold)


def folds_of(units: np.ndarray, width: int, folds: int, seed: int) -> Folds:
    """Cut bundles of examples into blocks: equal folds, or for a large table a held-out, a fitted and an unseen part.

    :param folds: how many; none below two.
    """
    having = np.flatnonzero(units)  # an example without units, such as an empty text, is in no fold that needs some
    of_example = np.zeros(len(units), dtype=np.int64)
    count = len(having)
    folds = min(folds, count)
    if folds < 2:
        return Folds(of_example, ())
    order = np.random.default_rng(seed).permutation(count)
    elements = int(units.sum()) * width
    if elements <= LARGE:
        everything = range(folds)
        of_example[having] = order % folds
        return Folds(of_example, tuple((tuple(b for b in everything if b != held), held) for held in everything))
    share = LARGE / elements
    seen = max(2, int(count * share))
    held_out = max(1, seen // folds)
    of_example[having] = np.where(order < seen, np.where(order < held_out, 0, 1), 2)
    return Folds(of_example, (((1,), 0),), share * (1 - 1 / folds))


def table_of(session: TrainingSession, kept: Sequence[np.ndarray], block: np.ndarray) -> Table:
    """Return the features of all units that count, in blocks. They are in memory once.

    :param block: (rows,) the block of each row.
    """
    rows, head = session.train.rows, session.model.head
    sizes = np.asarray([mask.sum() for mask in kept])
    block_of_unit = np.repeat(block, sizes)
    place = np.empty(len(block_of_unit), dtype=np.int64)  # where each unit goes: the units of a block lie together
    place[np.argsort(block_of_unit, kind="stable")] = np.arange(len(place))
    features = torch.empty(len(place), head.reading.width(session.model.network.spec))
    filled = 0
    for start in range(0, len(rows), CHUNK_ROWS):
        stop = start + CHUNK_ROWS
        mask = torch.from_numpy(np.concatenate(kept[start:stop]))
        found = session.features(rows[start:stop])
        count = int(sizes[start:stop].sum())
        features[torch.from_numpy(place[filled : filled + count])] = found[mask]
        filled += count
    order = np.argsort(place)
    gold = {port.name: torch.from_numpy(_stacked(head, rows, port, kept)[order]) for port in session.model.gold}
    if head.together == "group":
        gold["group"] = torch.from_numpy(np.repeat(session.train.group, sizes)[order])
    ends = np.cumsum(np.bincount(block_of_unit, minlength=int(block.max()) + 1)).tolist()
    return Table(features, gold, tuple(slice(start, stop) for start, stop in pairwise([0, *ends])))


def _stacked(head: LinearHead, rows: Sequence[Row], port: Port, kept: Sequence[np.ndarray]) -> np.ndarray:
    """Return one gold array of all units that count, padded by its port."""
    if head.reading.unit == "row":
        return pad(rows, [port])[port.name]
    parts = [row[port.name][mask] for row, mask in zip(rows, kept, strict=True)]
    if not any(isinstance(axis, str) for axis in port.axes[1:]):
        return np.concatenate(parts)
    of_unit = replace(port, axes=port.axes[1:])
    return pad([{port.name: unit} for part in parts for unit in part], [of_unit])[port.name]


@dataclass(frozen=True)
class Chosen:
    """What folds decided.

    :param deviation: (width,) what each feature of the table is divided by now.
    :param penalty: of the map.
    :param losses: the least losses of each trial.
    """

    deviation: Tensor
    penalty: float
    losses: list[float]


def choose(
    head: LinearHead, table: Table, folds: Folds, options: Entering, deviation: Tensor, shape: Shape, fit: Fit, run: Run,
    prior: Tensor | None = None,
) -> Chosen:  # fmt: skip
    """Return how features enter the head, and the penalty, by the least held-out loss; the table's features are left so.

    Each with the same spread, or all as the backbone gives them: one that was trained to be compared by cosine, and normalises
    as its `modules.json` says, means something by how far a feature spreads; of others a few features spread so far that the
    rest is not heard (Timkey and van Schijndel 2021).

    :param deviation: (width,) what each of the features, which are standardised, was divided by.
    """
    is_free = options.standardise is None and prior is None
    if is_free and not folds.trials:  # how far a feature spreads over so few rows tells nothing of it
        deviation = linear.alike(table.features, deviation)
    one = Chosen(deviation, *_penalty_of("folds", head, table, folds, options.iterations, shape, fit, run, prior))
    if not is_free or not folds.trials:
        return one
    whole = linear.alike(table.features, deviation)
    other = Chosen(whole, *_penalty_of("folds, as given", head, table, folds, options.iterations, shape, fit, run, prior))
    fit.metrics["standardised"] = float(np.mean(one.losses) < np.mean(other.losses))
    if not fit.metrics["standardised"]:
        return other
    table.features.mul_(whole / deviation)
    return one


class Entering(Protocol):
    """The options that decide how features enter a head."""

    @property
    def iterations(self) -> int: ...
    @property
    def standardise(self) -> bool | None: ...


def _penalty_of(
    name: str, head: LinearHead, table: Table, folds: Folds, iterations: int, shape: Shape, fit: Fit, run: Run,
    prior: Tensor | None,
) -> tuple[float, list[float]]:
    """Return the penalty with the least held-out loss, going from strong to weak until that loss has risen twice.

    A head that has a prior stays there unless what it learns predicts held-out examples surely better (`is_better`).

    Between the penalties tried it is where the parabola through the least loss and its two neighbours is lowest. What
    was chosen on a part of the data is weakened by that part's share: a prior on the weights weighs the less the more
    it is set against.

    :param name: of the stage.
    :return: the penalty, and the least losses of each trial.
    """
    if not folds.trials:
        return PENALTIES[0] if prior is None else FIRM, []
    linear.start(head, prior)
    known = [linear.mean_loss(head, [table.blocks[held]], shape) for _, held in folds.trials] if prior is not None else []
    at = [_weights(head)] * len(folds.trials)  # each trial goes on from where it ended at the stronger penalty
    losses: list[list[float]] = []
    stage = Stage(run, name, len(PENALTIES) * len(folds.trials))
    parts = [table.some(fitted) for fitted, _ in folds.trials]
    for penalty in PENALTIES:
        losses.append([])
        for trial, (_, held) in enumerate(folds.trials):
            _put(head, at[trial])
            linear.minimise(head, parts[trial], penalty, iterations, tolerance=1e-5, shape=shape, prior=prior)
            at[trial] = _weights(head)
            losses[-1].append(linear.mean_loss(head, [table.blocks[held]], shape))
            stage.step()
        means = [float(np.mean(one)) for one in losses]
        fit.history.append({"penalty": penalty, "held_out_loss": means[-1]})
        stage.measured(penalty=penalty, held_out_loss=means[-1])
        if len(means) > 2 and means[-1] > means[-2] > means[-3]:
            break
    least = losses[int(np.argmin(means))]
    if known and not is_better(least, known):
        fit.notes.append(STAYED)
        return FIRM, least
    return _lowest(means) * folds.share, least


def _lowest(losses: Sequence[float]) -> float:
    """Return the penalty of the least loss, on the parabola over log(penalty) through it and its neighbours.

    :param losses: held-out losses at the first of PENALTIES.
    """
    least = int(np.argmin(losses))
    if not 0 < least < len(losses) - 1:
        return PENALTIES[least]
    around = np.log(PENALTIES[least - 1 : least + 2])
    bend, slope, _ = np.polyfit(around, losses[least - 1 : least + 2], 2)
    if bend <= 0:  # three equal losses
        return PENALTIES[least]
    return float(np.exp(np.clip(-slope / (2 * bend), around[-1], around[0])))


def _weights(head: LinearHead) -> tuple[Tensor, ...]:
    return tuple(parameter.detach().clone() for parameter in head.linear.parameters())


def _put(head: LinearHead, weights: tuple[Tensor, ...]) -> None:
    with torch.no_grad():
        for parameter, kept in zip(head.linear.parameters(), weights, strict=True):
            parameter.copy_(kept)

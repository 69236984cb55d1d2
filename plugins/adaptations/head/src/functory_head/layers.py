"""The mathematics: one affine map fitted to stored features by full-batch L-BFGS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from functory_sdk import Fit, LabelledRows, TrainingError, TrainingSession
from functory_sdk.torch import LinearHead

if TYPE_CHECKING:
    from functory_head.adaptation import HeadOptions

PENALTIES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
"""Strongest first: each fit starts where the stronger penalty ended."""
LARGE = 20_000_000
"""Elements of a feature table above which one fold and a coarser grid choose the penalty."""


def is_linear(model: Any) -> bool:
    """Whether the head is one affine map of its features."""
    return isinstance(model.head, LinearHead)


@dataclass(frozen=True)
class Table:
    """Features with their gold arrays, as one batch.

    :param features: (units, width); a unit is a row, or a token for heads that read tokens.
    :param gold: name → (units, …).
    :param owner: (units,) the example of each.
    """

    features: Tensor
    gold: dict[str, Tensor]
    owner: np.ndarray

    def part(self, chosen: np.ndarray) -> Table:
        """Return the units chosen by a mask."""
        keep = torch.from_numpy(chosen)
        return Table(self.features[keep], {name: value[keep] for name, value in self.gold.items()}, self.owner[chosen])


def fit_linear(session: TrainingSession, options: HeadOptions) -> Fit:
    """Fit the head's affine map and leave it in the model.

    :raises TrainingError: when the features hold no information or the loss is not finite.
    """
    head: LinearHead = session.model.head
    head.label_smoothing = options.label_smoothing
    table = _table(session, session.train)
    mean = table.features.mean(0)  # (width,)
    deviation = table.features.std(0).clamp(min=1e-6)
    table = Table((table.features - mean) / deviation, table.gold, table.owner)
    fit = Fit()
    penalty = options.penalty
    if penalty is None:
        penalty = _choose_penalty(head, table, options, session.run.seed, fit)
    loss = _minimise(head, table, penalty, options.iterations)
    with torch.no_grad():  # w·(x − μ)/σ + b  =  (w/σ)·x + (b − (w/σ)·μ)
        head.linear.weight /= deviation
        head.linear.bias -= head.linear.weight @ mean
    fit.metrics.update(loss=loss, penalty=penalty)
    if session.dev is not None and session.dev.rows:
        fit.metrics.update({f"dev_{name}": value for name, value in _score(session, session.dev).items()})
    return fit


def _table(session: TrainingSession, rows: LabelledRows) -> Table:
    """Return the stored features and gold arrays of labelled rows."""
    features = session.features(rows.rows)
    known = {port.name for port in session.model.inputs}
    names = [name for name in rows.rows[0] if name not in known]
    reads_tokens = session.model.head.reads == "tokens"
    stack = np.concatenate if reads_tokens else np.stack
    gold = {name: torch.from_numpy(stack([row[name] for row in rows.rows])) for name in names}
    counts = [len(row["input_ids"]) if reads_tokens else 1 for row in rows.rows]
    return Table(features, gold, np.repeat(rows.owner, counts))


def _batch(head: LinearHead, table: Table) -> tuple[Tensor, dict[str, Tensor]]:
    """Return a table as the batch that the head reads: tokens as one long row."""
    if head.reads == "tokens":
        return table.features[None], {name: value[None] for name, value in table.gold.items()}
    return table.features, table.gold


def _loss(head: LinearHead, table: Table) -> Tensor:
    """Return the mean loss."""
    features, gold = _batch(head, table)
    total, count = head.loss(head(features, gold), gold)
    mean: Tensor = total / count.clamp(min=1)
    return mean


def _minimise(head: LinearHead, table: Table, penalty: float, iterations: int) -> float:
    """Minimise mean loss + penalty/2 · ‖w‖² over the affine map; return the mean loss."""
    weight, bias = head.linear.weight, head.linear.bias
    solver = torch.optim.LBFGS(
        [weight, bias], max_iter=iterations, tolerance_grad=1e-6, tolerance_change=1e-9, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        solver.zero_grad()
        objective = _loss(head, table) + penalty / 2 * (weight * weight).sum()
        objective.backward()
        return objective

    solver.step(closure)
    with torch.no_grad():
        loss = float(_loss(head, table))
    if not np.isfinite(loss) or not torch.isfinite(weight).all():
        raise TrainingError(
            f"the loss is {loss} at penalty {penalty}.",
            do="look for constant or infinite features, or raise the penalty.",
        )
    solver.zero_grad()
    return loss


def _choose_penalty(head: LinearHead, table: Table, options: HeadOptions, seed: int, fit: Fit) -> float:
    """Return the penalty with the least held-out loss over folds of whole examples.

    Tables above `LARGE` elements try every other penalty on one fold: there the choice matters least.
    """
    examples = np.unique(table.owner)
    is_large = table.features.numel() > LARGE
    penalties = PENALTIES[::2] if is_large else PENALTIES
    folds = min(options.folds, len(examples))
    if folds < 2:
        return PENALTIES[0]
    fold = np.random.default_rng(seed).permutation(len(examples)) % folds
    of_unit = fold[np.searchsorted(examples, table.owner)]
    losses = np.zeros(len(penalties))
    for held in range(1 if is_large else folds):
        losses += _path(head, table.part(of_unit != held), table.part(of_unit == held), penalties, options.iterations)
    for penalty, loss in zip(penalties, losses, strict=True):
        fit.history.append({"penalty": penalty, "held_out_loss": float(loss) / (1 if is_large else folds)})
    _start(head)
    return penalties[int(losses.argmin())]


def _path(head: LinearHead, train: Table, held: Table, penalties: Sequence[float], iterations: int) -> np.ndarray:
    """Return the held-out loss at each penalty, going from strong to weak from where the last one ended."""
    _start(head)
    losses = []
    for penalty in penalties:
        _minimise(head, train, penalty, iterations)
        with torch.no_grad():
            losses.append(float(_loss(head, held)))
    return np.asarray(losses)


def _start(head: LinearHead) -> None:
    """Begin at zero: the loss is convex, and the result must not depend on what was drawn."""
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.bias.zero_()


def _score(session: TrainingSession, rows: LabelledRows) -> dict[str, float]:
    """Return the task's metrics on held-out rows, from their stored features."""
    features = session.features(rows.rows)
    head = session.model.head
    with torch.no_grad():
        if head.reads == "tokens":
            counts = [len(row["input_ids"]) for row in rows.rows]
            outputs = [
                {name: value[0].numpy() for name, value in head(part[None], {}).items()}
                for part in features.split(counts)
            ]
        else:
            whole = {name: value.numpy() for name, value in head(features, {}).items()}
            outputs = [{name: value[i] for name, value in whole.items()} for i in range(len(rows.rows))]
    return dict(rows.score(outputs)) if rows.score else {}

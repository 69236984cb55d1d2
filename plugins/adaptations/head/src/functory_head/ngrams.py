"""The mathematics: a map of n-grams beside the map of features, each fitted by itself, and how much each of them counts.

Both are regressions of their own (the features' as `layers` fits it); what is said on held-out folds decides their weights in the
sum (stacking: Wolpert 1992), two numbers in all. A single regression on both at once was tried: its two penalties are one choice
more on the same folds, and the few features drown in the many n-grams, or these in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from functory_head.layers import bundles, choose, folds_of, table_of
from functory_head.tables import Table
from functory_head.telling import Stage
from functory_sdk import NGRAMS, BackboneSpec, Counted, Fit, NotSupported, Row, TrainingSession, Vocabulary
from functory_sdk.torch import LinearHead, Network, Reading, Shape, linear, sparse
from functory_sdk.torch.linear import Block

if TYPE_CHECKING:
    from functory_head.lexical import LexicalOptions

MOST_WEIGHTS = 1_500_000
"""n-grams times outputs: with the places of their hashes at most 8 MB of φ."""
MOST_BUCKETS = 1 << 19
ROOM = 4
"""Hashes for each n-gram that is known: of those that are not, one in so many is taken for one that is."""
FEATURES_ALONE = 1.0, 0.0
"""By what to multiply the scores of both maps where the features' alone count."""
BRIEF, WHOLE = 40, 100
"""L-BFGS iterations of the n-grams' map, on folds and on all rows: what comes later changes no answer."""


class Beside(Reading):
    """What a head reads, and beside it what the n-grams of a row say: a number for each of its outputs.

    :param of: what is read of the hidden states, one vector a row.
    :param buckets: how many hashes are told apart.
    :param known: how many n-grams have weights.
    :param outputs: of the head's map.
    """

    name = "beside"
    is_stored = False
    kept = ("slots",)
    slots: Tensor

    def __init__(self, of: Reading, buckets: int, known: int, outputs: int) -> None:
        super().__init__()
        self.of, self.texts, self.outputs = of, of.texts, outputs
        self.arrays = (*of.arrays, *(port.name for port in NGRAMS))
        self.register_buffer("slots", (torch.arange(buckets) % known + 1).to(torch.int32))  # 0 is for what is not known
        self.weight = nn.Parameter(torch.zeros(known + 1, outputs))

    def width(self, spec: BackboneSpec) -> int:
        """Return what the hidden states are read as, and the outputs."""
        return self.of.width(spec) + self.outputs

    def forward(self, network: Network, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        return self.completed(self.of(network, hidden, batch), batch)

    @property
    def below(self) -> Reading:
        return self.of

    def completed(self, read: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        return torch.cat([read, self.said(batch)], -1)

    def said(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what the n-grams of each row say, (batch, outputs)."""
        places = self.slots[batch["ngrams"] % len(self.slots)].long()  # (batch, ngrams)
        return (F.embedding(places, self.weight) * batch["ngram_weights"][..., None]).sum(1)


def read_ngrams(head: object, buckets: int, known: int) -> None:
    """Let a head read n-grams beside what it reads.

    :raises NotSupported: by a head that is not one map of one vector a row.
    """
    if not isinstance(head, LinearHead) or head.reading.unit != "row" or not head.reading.is_stored:
        raise NotSupported(f"{type(head).__name__} has no map of a row's features.", do="choose another adaptation.")
    head.read_as(Beside(head.reading, buckets, known, head.linear.out_features))


@dataclass(frozen=True)
class Grams:
    """The n-grams of rows, by their hashes in so many buckets.

    :param rows: of each the buckets and the weights.
    :param known: those that have weights.
    :param buckets: how many there are.
    """

    rows: Sequence[Counted]
    known: Vocabulary
    buckets: int

    @classmethod
    def of(cls, rows: Sequence[Row], outputs: int) -> Grams:
        """Return those of rows; the commonest of them are known."""
        codes = np.concatenate([row["ngrams"] for row in rows]) if rows else np.zeros(0, dtype=np.int64)
        buckets = 1 << min(MOST_BUCKETS.bit_length() - 1, max(6, (ROOM * len(np.unique(codes))).bit_length()))
        if not len(codes):  # no row has any: one is known, which says nothing
            none = Vocabulary(np.zeros(1, dtype=np.uint64), np.ones(1, dtype=np.float32))
            return cls([_nothing() for _ in rows], none, buckets)
        found = [((row["ngrams"] % buckets).astype(np.uint64), row["ngram_weights"]) for row in rows]
        return cls(found, Vocabulary.of(found, max(1, min(buckets, MOST_WEIGHTS // outputs) - 1)), buckets)

    def table(self, rows: np.ndarray) -> sparse.Table:
        """Return some rows as a table."""
        return sparse.Table.of([self.rows[row] for row in rows], self.known)


@dataclass(frozen=True)
class Lines:
    """What a map of n-grams is fitted to: few rows by coordinates in the space that they span, many as they are.

    :param grams: the n-grams.
    :param turned: of all rows, where they are few.
    """

    grams: Grams
    turned: sparse.Turned | None

    @classmethod
    def of(cls, grams: Grams) -> Lines:
        count = len(grams.rows)
        return cls(grams, sparse.Turned.of(grams.table(np.arange(count))) if 0 < count <= sparse.FEW else None)

    def some(self, rows: np.ndarray) -> sparse.Table | Tensor:
        """Return some rows, to be multiplied with weights."""
        return self.grams.table(rows) if self.turned is None else self.turned.features[torch.from_numpy(rows)]

    def back(self, weight: Tensor) -> Tensor:
        """Return the weights of the known n-grams, (known, outputs)."""
        return weight if self.turned is None else self.turned.back(weight)


def _nothing() -> Counted:
    return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.float32)


def fit_beside(session: TrainingSession, options: LexicalOptions) -> tuple[Fit, int, int]:
    """Fit both maps, and how much each counts, and leave them in the model.

    :return: how it went, the buckets and the known n-grams that φ has now.
    :raises TrainingError: when the loss is not finite.
    """
    head, run, rows = session.model.head, session.run, session.train.rows
    head.read_as(head.reading.of)
    bundle = bundles(session.train)
    folds = folds_of(np.bincount(bundle), head.reading.width(head.spec), options.folds, run.seed)
    block = folds.of_example[bundle]  # (rows,)
    table = table_of(session, [np.ones(1, dtype=bool)] * len(rows), block)
    grams = Grams.of([rows[row] for row in np.argsort(block, kind="stable")], head.linear.out_features)
    shape, fit = Shape.of(options, head, [table.gold]), Fit()
    mean, deviation = linear.standardise(table.features)
    if options.standardise is False:
        deviation = linear.alike(table.features, deviation)
    penalty = options.penalty
    if penalty is None:
        chosen = choose(head, table, folds, options, deviation, shape, fit, run)
        deviation, penalty = chosen.deviation, chosen.penalty
    fitting = _Fitting(head, table, Lines.of(grams), shape, penalty, options)
    stage = Stage(run, "n-grams", len(folds.trials) + 1)
    held = [fitting.held_out(blocks, one, stage) for blocks, one in folds.trials]
    features, ngrams = _shares(head, held, shape)
    loss = fitting.of_features([table.whole], 1e-9)
    linear.fold(head, mean, deviation)
    weight, bias = fitting.of_ngrams(table.whole, np.arange(len(rows)), WHOLE)
    weight = fitting.lines.back(weight)
    stage.step()
    _put(head, grams, features, weight, bias, ngrams)
    fit.metrics.update(loss=loss, penalty=penalty, features=features, ngrams=ngrams)
    if scores := session.scores():
        fit.metrics.update(scores)
        stage.measured(**scores)
    return fit, grams.buckets, len(grams.known.code)


@dataclass(frozen=True)
class _Fitting:
    """What both maps are fitted to."""

    head: LinearHead
    table: Table
    lines: Lines
    shape: Shape
    penalty: float
    options: LexicalOptions

    def of_features(self, blocks: Sequence[Block], tolerance: float) -> float:
        """Fit the head's own map, from zero; return the mean loss."""
        linear.start(self.head)
        iterations = self.options.iterations
        return linear.minimise(self.head, blocks, self.penalty, iterations, tolerance=tolerance, shape=self.shape)

    def of_ngrams(self, block: Block, rows: np.ndarray, iterations: int) -> tuple[Tensor, Tensor]:
        """Return the weights of what `lines` has for each row, and the constants, (outputs,)."""
        head, shape = self.head, self.shape

        def loss(scores: Tensor) -> Tensor:
            total, units = linear.loss_of(head, Block(scores, block.gold), shape)
            return total / units.clamp(min=1e-6)

        penalty = 1 / (self.options.strength * max(1, len(block.features)))
        outputs = head.linear.out_features
        with _of_scores(head):
            return sparse.minimise(self.lines.some(rows), loss, outputs, penalty, iterations)

    def held_out(self, blocks: Sequence[int], held: int, stage: Stage) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Return what each map says of a block when it is fitted to others, (units, outputs) both, and the block's gold."""
        rows = np.concatenate([np.arange(self.table.cuts[one].start, self.table.cuts[one].stop) for one in blocks])
        self.of_features(self.table.some(blocks), 1e-5)
        block = self.table.blocks[held]
        with torch.no_grad():
            own = self.head.linear(block.features)
        weight, bias = self.of_ngrams(self.table.of(blocks), rows, BRIEF)
        stage.step()
        cut = self.table.cuts[held]
        return own, self.lines.some(np.arange(cut.start, cut.stop)) @ weight + bias, block.gold


def _shares(
    head: LinearHead, held: Sequence[tuple[Tensor, Tensor, dict[str, Tensor]]], shape: Shape
) -> tuple[float, float]:
    """Return by what to multiply the scores of both maps so that held-out blocks are predicted best; neither is negative.

    Where both would be, as where no label of a held-out block is among the others, the folds say nothing: features alone count.
    """
    if not held:
        return FEATURES_ALONE
    best = _multiplied(head, held, shape, (1.0, 1.0))
    if min(best) >= 0:
        return best
    alone = _multiplied(head, held, shape, FEATURES_ALONE if best[1] < 0 else (0.0, 1.0))
    return alone if min(alone) >= 0 else FEATURES_ALONE


def _multiplied(
    head: LinearHead, held: Sequence[tuple[Tensor, Tensor, dict[str, Tensor]]], shape: Shape, start: tuple[float, float]
) -> tuple[float, float]:
    """Return the best factors, of those that do not begin at 0."""
    factors = torch.tensor(start, requires_grad=True)
    rows = sum(len(own) for own, _, _ in held)
    free = (factors != 0).float().detach()
    solver = torch.optim.LBFGS([factors], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        one, other = (factors * free).unbind()
        found = [linear.loss_of(head, Block(one * own + other * ngrams, gold), shape) for own, ngrams, gold in held]
        losses, units = zip(*found, strict=True)
        mean: Tensor = torch.stack(losses).sum() / torch.stack(units).sum().clamp(min=1e-6)
        objective = mean + ((factors - 1) ** 2 * free).sum() / (2 * rows)  # where all is right, no factor is too large
        objective.backward()  # type: ignore[no-untyped-call]
        return objective

    with _of_scores(head):
        solver.step(closure)  # type: ignore[no-untyped-call]
    features, ngrams = (factors * free).tolist()
    return features, ngrams


@contextmanager
def _of_scores(head: LinearHead) -> Iterator[None]:
    """Let a head be given its map's scores, and not what it maps."""
    kept = head.linear
    head.linear = nn.Identity()  # type: ignore[assignment]
    try:
        yield
    finally:
        head.linear = kept


def _put(head: LinearHead, grams: Grams, features: float, weight: Tensor, bias: Tensor, ngrams: float) -> None:
    """Put both maps into a head that was fitted to the features."""
    own, count = head.linear, len(grams.known.code)
    read_ngrams(head, grams.buckets, count)
    reading: Beside = head.reading  # type: ignore[assignment]
    with torch.no_grad():
        reading.slots.zero_()
        reading.slots[torch.from_numpy(grams.known.code.astype(np.int64))] = torch.arange(1, count + 1, dtype=torch.int32)
        reading.weight[0] = 0
        reading.weight[1:] = ngrams * weight * torch.from_numpy(grams.known.rarity)[:, None]
        head.linear.weight.copy_(torch.cat([features * own.weight, torch.eye(own.out_features)], 1))
        if head.linear.bias is not None:
            head.linear.bias.copy_(features * own.bias + ngrams * bias)

"""A regression on what few of many things each row has: n-grams, say."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from functory.contracts.rows import Array
from functory.reading.ngrams import Counted, Vocabulary

FEW = 3000
"""Rows that are turned: of more, a regression on their columns is the cheaper."""
CHUNK = 64
"""Rows whose columns are written out at once."""
TINY = 1e-4
"""What is added to the length of each row, in parts of it: rows may be equal."""


@dataclass(frozen=True)
class Table:
    """A sparse matrix beside its transpose: the product with dense weights, and its gradient, go row by row.

    :param rows: (rows, columns), compressed by rows.
    :param turned: (columns, rows), likewise.
    """

    rows: Tensor
    turned: Tensor

    @classmethod
    def of(cls, found: Sequence[Counted], known: Vocabulary) -> Table:
        """Return the table of counted n-grams, each weighed by how rare it is."""
        place, is_known = known.places(np.concatenate([code for code, _ in found]))
        weight = np.concatenate([weight for _, weight in found]) * known.rarity[place]
        row = np.repeat(np.arange(len(found)), [len(code) for code, _ in found])[is_known]
        place, weight = place[is_known], weight[is_known]
        order = np.argsort(place, kind="stable")
        shape = len(found), len(known.code)
        return cls(_compressed(row, place, weight, shape), _compressed(place[order], row[order], weight[order], shape[::-1]))

    def __matmul__(self, weights: Tensor) -> Tensor:
        """Return (rows, outputs) from weights (columns, outputs)."""
        product: Tensor = _Product.apply(weights, self.rows, self.turned)  # type: ignore[no-untyped-call]
        return product


def regression(
    found: Sequence[Counted], known: Vocabulary, golds: Array, width: int, penalty: float, iterations: int = 100
) -> Callable[[Sequence[Counted]], Array]:
    """Return what gives the scores of rows, (rows, width), once it is fitted to the golds of some.

    :param golds: (rows,) the number of the right label, or (rows, width) a 0 or 1 for each.
    :param iterations: of L-BFGS, at most.
    """
    gold = torch.from_numpy(golds)
    kept = gold >= 0 if gold.ndim == 1 else gold.sum(-1) >= 0  # an example that has none of the labels teaches nothing

    def loss(scores: Tensor) -> Tensor:
        entropy = F.cross_entropy if gold.ndim == 1 else F.binary_cross_entropy_with_logits
        return entropy(scores[kept], gold[kept])

    table = Table.of(found, known)
    turned = Turned.of(table) if len(found) <= FEW else None
    weight, bias = minimise(table if turned is None else turned.features, loss, width, penalty, iterations)
    columns = weight if turned is None else turned.back(weight)
    return lambda rows: (Table.of(rows, known).rows @ columns + bias).numpy()


@dataclass(frozen=True)
class Turned:
    """The rows of a table by coordinates in the space that they span: few rows of many columns are as many numbers each as
    there are rows.

    A penalised regression on them is the one on the columns, since what lies outside that space tells no row from another.

    :param table: the rows.
    :param features: (rows, rows) lower triangular: their inner products are the rows'.
    """

    table: Table
    features: Tensor

    @classmethod
    def of(cls, table: Table) -> Turned:
        """Return the rows of a table, by the Cholesky factor of their inner products."""
        count, width = table.rows.shape
        products = torch.empty(count, count)
        ends, columns, values = table.rows.crow_indices(), table.rows.col_indices(), table.rows.values()
        for first in range(0, count, CHUNK):
            last = min(first + CHUNK, count)
            start, stop = int(ends[first]), int(ends[last])
            some = torch.zeros(width, last - first)
            of = torch.repeat_interleave(torch.arange(last - first), ends[first + 1 : last + 1] - ends[first:last])
            some.index_put_((columns[start:stop], of), values[start:stop], accumulate=True)
            products[:, first:last] = table.rows @ some
        size = products.diagonal().mean().clamp(min=1e-6)
        return cls(table, torch.linalg.cholesky(products + TINY * size * torch.eye(count)))

    def back(self, weights: Tensor) -> Tensor:
        """Return the weights of the columns, (columns, outputs), from those of the coordinates, (rows, outputs)."""
        solved: Tensor = torch.linalg.solve_triangular(self.features.T, weights, upper=True)
        return self.table.turned @ solved


def minimise(
    table: Table | Tensor, loss: Callable[[Tensor], Tensor], width: int, penalty: float, iterations: int = 100
) -> tuple[Tensor, Tensor]:
    """Minimise loss + penalty/2 · ‖w‖² from zero; return the weights, (columns, width), and the constants, (width,).

    Full-batch L-BFGS (Liu and Nocedal 1989).

    :param loss: the mean loss of the rows, by their scores (rows, width).
    """
    columns = (table if isinstance(table, Tensor) else table.rows).shape[1]
    weight = torch.zeros(columns, width, requires_grad=True)
    bias = torch.zeros(width, requires_grad=True)
    solver = torch.optim.LBFGS(
        [weight, bias], max_iter=iterations, history_size=10, tolerance_grad=1e-5, tolerance_change=1e-7,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> Tensor:
        solver.zero_grad()
        objective = loss(table @ weight + bias) + penalty / 2 * (weight * weight).sum()
        objective.backward()  # type: ignore[no-untyped-call]
        return objective

    with torch.enable_grad():
        solver.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


class _Product(torch.autograd.Function):
    """The product of a sparse matrix and dense weights, with a gradient for the weights."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, rows: Tensor, turned: Tensor) -> Tensor:
        ctx.turned = turned
        return rows @ weights

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return ctx.turned @ gradients[0].contiguous(), None, None


def _compressed(row: Any, column: Any, value: Any, shape: tuple[int, ...]) -> Tensor:  # Any: numpy's arrays
    """Return a sparse matrix from what it holds, in the order of its rows."""
    ends = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=shape[0]))])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse", UserWarning)  # torch says once that it calls this a beta
        return torch.sparse_csr_tensor(
            torch.from_numpy(ends), torch.from_numpy(column), torch.from_numpy(value), shape, check_invariants=False
        )

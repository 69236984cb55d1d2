"""A vote of the nearest training rows in place of a map (Cover and Hart 1967), or of each label's mean: nothing is learned."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, one_hot

from functory_sdk import Fit, NotSupported, TrainingSession
from functory_sdk.torch import Head, LinearHead, Prototypes, belonging, linear

SHARPNESS = 10.0
"""What the cosines are multiplied by before they become weights: of eight neighbours the nearest few decide."""
DOUBT = 1e-3
"""The probability that all labels share, whoever the neighbours are."""
LEAST = 16
"""Rows that a head has room for before it is fitted."""


class Neighbours(nn.Module):
    """Log-probabilities of the labels: what the nearest of the remembered rows are, the nearer the weightier.

    :param width: of the features.
    :param outputs: the labels.
    :param rows: how many are remembered.
    :param count: how many vote.
    """

    kept = ("memory", "votes", "mean", "deviation")
    memory: Tensor
    votes: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int, outputs: int, rows: int, count: int) -> None:
        super().__init__()
        self.out_features, self.count = outputs, min(count, rows)
        self.register_buffer("memory", torch.zeros(rows, width))  # of length 1 each
        self.register_buffer("votes", torch.full((rows, outputs), 1 / outputs))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def forward(self, features: Tensor) -> Tensor:
        """(batch, width) → (batch, outputs)"""
        near = normalize((features - self.mean) / self.deviation, dim=-1) @ self.memory.T  # (batch, rows)
        cosines, places = near.topk(self.count)
        weights = (SHARPNESS * cosines).softmax(-1)  # (batch, count)
        shares = (weights[..., None] * self.votes[places]).sum(-2)
        return (shares * (1 - DOUBT) + DOUBT / self.out_features).log()


def remember(head: Head, rows: int, count: int) -> None:
    """Let a head of one map of a row's features ask the nearest rows in its place.

    :param rows: how many are remembered; 0 before it is fitted.
    :raises NotSupported: by another head.
    """
    if not isinstance(head, LinearHead) or head.reading.unit != "row" or not head.reading.is_stored or head.together != "row":
        raise NotSupported(f"{type(head).__name__} has no map of a row's features.", do="set solver = 'lbfgs' or 'epochs'.")
    made = Neighbours(head.reading.width(head.spec), head.linear.out_features, rows or LEAST, count)
    head.linear = made  # type: ignore[assignment]  # it maps features to outputs as a linear map does


def fit_neighbours(session: TrainingSession, count: int) -> Fit:
    """Remember the training rows in the model.

    :raises NotSupported: where their gold is not one label a row.
    """
    model, rows = session.model, session.train.rows
    named = [port for port in model.gold if port.dtype == "int64" and not port.axes]
    if len(named) != 1 or len(model.gold) != 1:
        raise NotSupported(
            "neighbours vote for one label a row, and the task's gold is another.", do="set solver = 'lbfgs' or 'epochs'."
        )
    features = session.features(rows)
    mean, deviation = linear.standardise(features)
    remember(model.head, len(rows), count)
    made = model.head.linear
    with torch.no_grad():
        made.memory.copy_(normalize(features, dim=-1))
        made.votes.copy_(one_hot(torch.from_numpy(np.stack([row[named[0].name] for row in rows])), made.out_features))
        made.mean.copy_(mean)
        made.deviation.copy_(deviation)
    return Fit(metrics={"remembered": float(len(rows))})


def fit_prototypes(session: TrainingSession) -> Fit:
    """Put each label's prototype where its rows are in the mean (Snell et al. 2017, section 2.2, by cosines).

    :raises NotSupported: where the rows' gold is of no labels.
    """
    model, rows = session.model, session.train.rows
    made: Prototypes = model.head.linear
    if len(model.gold) != 1:
        raise NotSupported("prototypes stand for labels, and the task's gold is another.", do="set solver = 'lbfgs'.")
    gold = torch.from_numpy(np.stack([row[model.gold[0].name] for row in rows]))
    made.put(session.features(rows), belonging(gold, made.out_features))
    return Fit(metrics={"prototypes": float(made.out_features)})

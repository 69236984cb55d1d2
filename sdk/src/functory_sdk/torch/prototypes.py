"""One vector for each label in place of a map's rows: a text is what the nearest of them stands for (Snell et al. 2017).

Apart from the maps that are fitted, since a prototype is counted and not learned: the mean of a label's texts, or the vector of
what says what the label means.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize, one_hot

from functory.errors import NotSupported
from functory_sdk.torch.heads import Head, LinearHead

SHARPNESS = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0)
"""What the cosines may be multiplied by before they become log-odds: whichever says best what its own rows are."""
OWN = 0.5
"""How much a prototype weighs as it was given, where texts of which nobody said what they are move it."""
ROUNDS = 10


class Prototypes(nn.Module):
    """The cosines of a row's features with each label's prototype, made sharper.

    :param width: of the features.
    :param outputs: the labels.
    """

    kept = ("centres", "mean", "lacking", "sharpness")
    centres: Tensor
    mean: Tensor
    lacking: Tensor
    sharpness: Tensor

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.out_features = outputs
        self.register_buffer("centres", torch.zeros(outputs, width))  # of length 1 each
        self.register_buffer("mean", torch.zeros(width))  # what all texts have in common, and tells nothing
        self.register_buffer("lacking", torch.zeros(outputs))  # 2 for a label that nothing stands for, lest it be the nearest
        self.register_buffer("sharpness", torch.tensor(SHARPNESS[-1]))

    def forward(self, features: Tensor) -> Tensor:
        """(batch, width) → (batch, outputs)"""
        return self.sharpness * (normalize(features - self.mean, dim=-1) @ self.centres.T - self.lacking)

    @torch.no_grad()
    def put(self, features: Tensor, belongs: Tensor) -> None:
        """Put each prototype where the rows are that belong to it.

        :param features: (rows, width).
        :param belongs: (rows, outputs), how much each row belongs to each.
        """
        self.mean.copy_(features.mean(0))
        units = normalize(features - self.mean, dim=-1)
        self.centres.copy_(normalize(belongs.T @ units, dim=-1))
        self.lacking.copy_(2.0 * (belongs.sum(0) == 0))
        losses = [_loss(sharpness * units @ self.centres.T, belongs) for sharpness in SHARPNESS]
        self.sharpness.fill_(SHARPNESS[losses.index(min(losses))])

    @torch.no_grad()
    def move(self, features: Tensor) -> None:
        """Move each prototype towards the rows that seem to belong to it, and what all have in common to what these have: soft
        spherical k-means, in which each keeps half of what it was (Dhillon and Modha 2001).

        :param features: (rows, width), of rows of which nobody said what they are.
        """
        self.mean.copy_(features.mean(0))
        units, own = normalize(features - self.mean, dim=-1), self.centres.clone()
        for _ in range(ROUNDS):
            shares = (self.sharpness * (units @ self.centres.T - self.lacking)).softmax(-1)  # (rows, outputs)
            found = normalize(shares.T @ units, dim=-1)
            self.centres.copy_(normalize(OWN * own + (1 - OWN) * found, dim=-1))


def _loss(scores: Tensor, belongs: Tensor) -> float:
    """Return the mean loss of scores, of one label a row where each row has one, else of each by itself."""
    if (belongs.sum(1) == 1).all():
        return float(cross_entropy(scores, belongs))
    return float(binary_cross_entropy_with_logits(scores, belongs))


def ask_prototypes(head: Head) -> Prototypes:
    """Let a head of one map of a row's features ask prototypes in its place; return them, not yet put anywhere.

    :raises NotSupported: by another head.
    """
    if not isinstance(head, LinearHead) or head.reading.unit != "row" or not head.reading.is_stored or head.together != "row":
        raise NotSupported(
            f"{type(head).__name__} has no map of a row's features whose place prototypes could take.",
            do="choose an adaptation that learns by gradients: head, lora.",
        )
    made = Prototypes(head.reading.width(head.spec), head.linear.out_features)
    head.linear = made  # type: ignore[assignment]  # it maps features to outputs as a linear map does
    return made


def belonging(gold: Tensor, outputs: int) -> Tensor:
    """Return how much each row belongs to each label by its gold, (rows, outputs).

    :param gold: (rows,) numbers of labels, or (rows, outputs) of 0 and 1.
    :raises NotSupported: for golds of another kind.
    """
    if gold.ndim == 1 and not gold.is_floating_point():
        known = gold >= 0
        return one_hot(gold.clamp(min=0), outputs).float() * known[:, None]
    if gold.ndim != 2 or gold.shape[1] != outputs or outputs < 2:
        raise NotSupported(
            "prototypes stand for one label a row, or several, and the task's gold is another.",
            do="set mode = 'single' or 'multi'; or choose an adaptation that learns by gradients.",
        )
    return gold

"""How the losses of units become what a step minimises: labels smoothed, the sure ones let go, classes weighed.

Apart from the heads, so that each of these is written once: a head says its units' losses, and what they are losses of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from functory.contracts.adaptation import TrainingOptions
from functory.errors import NotSupported, OptionError
from functory_sdk.torch.heads import Head

Batch = Mapping[str, Tensor]


@dataclass(frozen=True)
class Shape:
    """What is made of a head's losses.

    :param smoothing: the part of a loss that is the one of all answers alike (Szegedy et al. 2016).
    :param focal: γ of the focal loss (1 − p)^γ · loss, p being the probability of what is right (Lin et al. 2017).
    :param weights: of each class, (classes,); None where all units weigh as the head says.
    """

    smoothing: float = 0.0
    focal: float = 0.0
    weights: Tensor | None = None

    @classmethod
    def of(cls, options: TrainingOptions, head: Head, golds: Iterable[Batch]) -> Shape:
        """Return what the options say, for a head.

        :param golds: the gold arrays of all that is taught, as batches: what balanced weights are counted on.
        :raises NotSupported: where the head's losses are not of that kind.
        :raises OptionError: where a weight is given for what is no class.
        """
        name = type(head).__name__
        if options.label_smoothing and type(head).evenly is Head.evenly:
            raise NotSupported(f"{name} has no label smoothing.", do="leave label_smoothing at 0.")
        if options.focal and not head.is_surprise:
            raise NotSupported(f"the losses of {name} are no log-probabilities: it has no focal loss.", do="leave focal at 0.")
        weights = None
        if options.class_weights == "balanced":
            weights = _balanced(head, golds)
        elif options.class_weights:
            weights = _given(head, options.class_weights)
        return cls(options.label_smoothing, options.focal, weights)

    def summed(self, head: Head, outputs: Batch, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the weighted sum of the units' losses, and of their weights: over batches, both add up."""
        losses, weights = head.losses(outputs, batch)
        shaped = losses
        if self.smoothing:
            shaped = (1 - self.smoothing) * losses + self.smoothing * head.evenly(outputs, batch)
        if self.focal:
            shaped = shaped * (-torch.expm1(-losses)).clamp(min=1e-6) ** self.focal
        if self.weights is not None:
            weights = weights * self.weights.to(weights.device)[head.classes(batch)]
        return (shaped * weights).sum(), weights.sum()


PLAIN = Shape()
"""Losses as the head gives them."""


def _balanced(head: Head, golds: Iterable[Batch]) -> Tensor:
    """Return the weights with which all classes that occur weigh as much, and units 1 in the mean, (classes,)."""
    counts = torch.zeros(max(1, len(head.names)))
    for batch in golds:
        found = torch.bincount(head.classes(batch).cpu(), minlength=len(counts))
        counts = torch.nn.functional.pad(counts, (0, len(found) - len(counts))) + found
    return torch.where(counts > 0, counts.sum() / ((counts > 0).sum() * counts.clamp(min=1)), 1.0)


def _given(head: Head, weights: Mapping[str, float]) -> Tensor:
    """Return the weights that a table gives, (classes,).

    :raises OptionError: where it names what is no class.
    """
    if type(head).classes is Head.classes:
        head.classes({})
    names = list(head.names)
    unknown = [name for name in weights if name not in names or not name]
    if unknown:
        known = ", ".join(dict.fromkeys(filter(None, names))) or "none that has a name"
        raise OptionError(f"class_weights names {unknown[0]!r}, which is no class.", do=f"the classes are: {known}.")
    return torch.tensor([float(weights.get(name, 1.0)) for name in names])

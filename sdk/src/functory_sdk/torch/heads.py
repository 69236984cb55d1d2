"""Heads: what turns a backbone's hidden states into a task's named outputs, and its loss.

A head is built from the backbone's facts and the task's state; a task's ``head.py`` subclasses one of these.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec

Reads = Literal["pooled", "tokens", "logits"]


class Head(nn.Module, ABC):
    """Named outputs and a loss, on what it reads of the last hidden states.

    ``reads`` says what `forward` is given: ``pooled`` (batch, width), ``tokens`` (batch, tokens, width) or ``logits``
    (batch, tokens, vocabulary).

    :param spec: the backbone's facts.
    :param state: the task's State.
    """

    reads: ClassVar[Reads] = "pooled"

    def __init__(self, spec: BackboneSpec, state: Any) -> None:
        super().__init__()
        self.spec = spec
        self.dropout = nn.Dropout(0.0)
        self.label_smoothing = 0.0

    @abstractmethod
    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the outputs that the formulation's ports name."""

    def loss(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the sum of the losses and how many units (rows, tokens) it sums, so that batches of any size add up.

        :param batch: with the gold arrays.
        """
        raise TypeError(f"{type(self).__name__} learns nothing")


class LinearHead(Head):
    """One affine map of the features: dropout, then `linear`.

    A standardisation of the features can be folded into `linear`, and a convex loss on it has one optimum.

    :param outputs: the map's output width.
    """

    def __init__(self, spec: BackboneSpec, state: Any, outputs: int) -> None:
        super().__init__(spec, state)
        self.linear = nn.Linear(spec.width, outputs)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def scores(self, features: Tensor) -> Tensor:
        """Return (…, outputs) from features (…, width)."""
        scores: Tensor = self.linear(self.dropout(features))
        return scores


class LogitsHead(Head):
    """A head on the network's own token scores; without parameters unless a subclass adds some."""

    reads: ClassVar[Reads] = "logits"

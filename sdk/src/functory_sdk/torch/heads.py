"""Heads: what turns a backbone's hidden states into a task's named outputs, and its losses.

A head is built from the backbone's facts and the task's state; a task's ``head.py`` subclasses one of these.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec
from functory.errors import NotSupported
from functory_sdk.torch.readings import Likelihood, Logits, Pooled, Reading, Vectors

Together = Literal["row", "group", "batch"]


class Head(nn.Module, ABC):
    """Named outputs and losses, on what it reads of the last hidden states.

    ``together`` says what a loss must see at once: a ``row`` alone; the rows of a ``group``, such as the options of a question;
    or all rows of a step, its ``batch``, as in-batch negatives do. Outputs are each row's own in any case.

    :param spec: the backbone's facts.
    :param state: the task's State.
    :param reading: what `forward` is given of the last hidden states; one vector a row, as the backbone pools, when None.
    """

    reading: Reading
    together: ClassVar[Together] = "row"
    is_surprise: ClassVar[bool] = False
    """Each loss is minus the log-probability of what is right, which the focal loss weighs by."""
    names: Sequence[str] = ()
    """What `classes` counts: each class's label; empty for a class that a user cannot name."""

    def __init__(self, spec: BackboneSpec, state: Any, reading: Reading | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.reading = Pooled() if reading is None else reading
        self.dropout = nn.Dropout(0.0)

    @abstractmethod
    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the outputs that the formulation's ports name."""

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return a loss and a weight for each unit, (units,) both: a row, a token, a group. Their weighted mean is minimised.

        :param batch: with the gold arrays; ``group`` (rows,) says which group of this batch each row belongs to, from 0.
        :raises NotSupported: by heads that learn nothing.
        """
        raise NotSupported(
            f"{type(self).__name__} has no losses, and learns nothing.",
            do="write its `losses`, or build without training data.",
        )

    def contrast(self, features: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return a loss and a weight for each of some units, (units,) both, of what the head reads and before it is fitted: small
        where what belongs together is near, and the rest apart (`functory_sdk.torch.contrast`). Unlike `losses` they see all
        rows of a step.

        :param features: what `reading` gives of the rows.
        :raises NotSupported: by heads that do not say what belongs together.
        """
        raise NotSupported(
            f"{type(self).__name__} does not say which of its rows belong together.",
            do="choose another adaptation, such as head or lora.",
        )

    def evenly(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
        """Return each unit's loss if all answers were as right as one another, (units,): what label smoothing mixes in.

        :raises NotSupported: by heads that have no such loss.
        """
        raise NotSupported(f"{type(self).__name__} has no label smoothing.", do="leave label_smoothing at 0.")

    def classes(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return which class the gold of each unit is, (units,) int64, by the gold arrays alone: what class weights count.

        :raises NotSupported: by heads whose golds are of no classes.
        """
        raise NotSupported(f"{type(self).__name__} has no classes.", do="leave class_weights out.")


class LinearHead(Head):
    """One affine map of the features: dropout, then `linear`; an adaptation may put a hidden layer before them.

    A standardisation of the features can be folded into the first map, and a convex loss on one map has one optimum.

    ``prior`` is what a head is before it has seen anything, where that is more than nothing: the weights that a penalty draws
    `linear` to, (outputs, width) of features as they are. A head that sets it begins there too.

    :param outputs: the map's output width.
    :param has_bias: whether the map adds a constant. Where only differences of rows count, no gradient would reach it.
    """

    prior: Tensor | None = None

    def __init__(
        self, spec: BackboneSpec, state: Any, outputs: int, reading: Reading | None = None, *, has_bias: bool = True
    ) -> None:
        super().__init__(spec, state, reading)
        self.hidden: nn.Module = nn.Identity()
        self.linear = _drawn(self.reading.width(spec), outputs, has_bias=has_bias)

    def read_as(self, reading: Reading) -> None:
        """Read otherwise, for an adaptation that crowns the head: its first map is drawn anew where the width is another."""
        width = reading.width(self.spec)
        if width != self.reading.width(self.spec):
            self.hidden, self.linear = nn.Identity(), self._drawn_again(width)
        self.reading = reading.train(self.training)

    def add_hidden(self, units: int) -> None:
        """Put a layer of GELUs (Hendrycks and Gimpel 2016) between the features and `linear`, which is drawn anew.

        For an adaptation that trains it: its map, ``hidden.0``, is φ as `linear` is.
        """
        self.hidden = nn.Sequential(nn.Linear(self.reading.width(self.spec), units), nn.GELU()).train(self.training)
        self.linear = self._drawn_again(units)

    def _drawn_again(self, width: int) -> nn.Linear:
        return _drawn(width, self.linear.out_features, has_bias=self.linear.bias is not None)

    @property
    def maps(self) -> tuple[nn.Linear, ...]:
        """The affine maps in their order: `linear` last."""
        return (*(part for part in self.hidden.modules() if isinstance(part, nn.Linear)), self.linear)

    def scores(self, features: Tensor) -> Tensor:
        """Return (…, outputs) from features (…, width)."""
        scores: Tensor = self.linear(self.dropout(self.hidden(features)))
        return scores


class LogitsHead(Head):
    """A head on the network's own token scores; without parameters unless a subclass adds some."""

    def __init__(self, spec: BackboneSpec, state: Any) -> None:
        super().__init__(spec, state, Logits())


class CosineHead(Head):
    """The cosine of the vectors of a row's two texts, each read by itself; without parameters."""

    def __init__(self, spec: BackboneSpec, state: Any) -> None:
        super().__init__(spec, state, Vectors(2))

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return ``score``, (batch,)."""
        return {"score": nn.functional.cosine_similarity(features[:, 0], features[:, 1], dim=-1)}


class LikelihoodHead(Head):
    """The log-probability of a row's scored tokens, as their mean; without parameters of its own.

    The formulation's rows hold ``scored`` (tokens,), 1 where a token counts: see `Likelihood`.
    """

    def __init__(self, spec: BackboneSpec, state: Any) -> None:
        super().__init__(spec, state, Likelihood())

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return ``log_probability``, (batch,)."""
        return {"log_probability": features.sum(1) / _scored(batch).clamp(min=1)}

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return minus the mean of each row's log-probabilities, and how many tokens it is the mean of, (batch,) both."""
        return -outputs["log_probability"], _scored(batch).to(outputs["log_probability"].dtype)


def _drawn(width: int, outputs: int, *, has_bias: bool) -> nn.Linear:
    """Return an affine map with small weights."""
    linear = nn.Linear(width, outputs, bias=has_bias)
    nn.init.normal_(linear.weight, std=0.02)
    if has_bias:
        nn.init.zeros_(linear.bias)
    return linear


def _scored(batch: Mapping[str, Tensor]) -> Tensor:
    """Return how many tokens of each row count; the first has nothing before it and never does."""
    return batch["scored"][:, 1:].sum(1)

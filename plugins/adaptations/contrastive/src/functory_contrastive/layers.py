"""Low-rank updates beside the backbone's maps, the stage that fits them, and the head's fit (torch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from torch import Tensor

from functory_contrastive.drawing import drawn, has_pairs, kinds_of
from functory_sdk import Fit, NotSupported, Port, Taught, TrainingOptions, TrainingSession, pad
from functory_sdk.torch import Head, LinearHead, Model, Network, Shape, linear

if TYPE_CHECKING:
    from functory_contrastive.adaptation import ContrastiveOptions

STAGE = "together"


class Gathering(Head):
    """What a head reads, before the head: its losses bring together what that head says belongs together."""

    together: ClassVar[Literal["row", "group", "batch"]] = "batch"

    def __init__(self, head: Head) -> None:
        super().__init__(head.spec, None, head.reading)
        self._of = (head,)  # in a tuple, so that its parameters are not this stage's

    def forward(self, features: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"features": features}

    def losses(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        return self._of[0].contrast(outputs["features"], batch)


def inject(network: Network, options: ContrastiveOptions) -> None:
    """Put low-rank updates (Hu et al. 2021) beside every map of the layers; they start at zero and alone want gradients.

    :raises NotSupported: when there are fewer layers than asked for.
    """
    from peft import LoraConfig, inject_adapter_in_model

    maps = list(network.maps(options.top(network.spec)))
    config = LoraConfig(r=options.rank, lora_alpha=options.alpha, target_modules=maps, bias="none")  # type: ignore[arg-type]
    inject_adapter_in_model(config, network)


def check(head: Head) -> None:
    """Refuse a head that does not say what belongs together.

    :raises NotSupported: naming it.
    """
    if type(head).contrast is Head.contrast:
        raise NotSupported(
            f"{type(head).__name__} does not say which of its rows belong together, as heads do that label texts.",
            do="choose another adaptation: lora, or head.",
        )


def bring_together(session: TrainingSession, options: ContrastiveOptions) -> Fit:
    """Fit the updates until rows that belong together are near each other, by the engine's loop in a stage of its own."""
    model = session.model
    taught, chosen = _taught(session, options)
    if taught is None:
        return Fit(notes=["no two examples are of a label: nothing says what belongs together, and the head alone is fitted"])
    width = model.head.reading.width(model.network.spec)
    stage = Model(
        model.network, Gathering(model.head), model.inputs, (Port("features", "float32", (width,)),), model.cut, model.gold
    )
    return session.stage(STAGE, stage, taught).loop(chosen)


def _taught(session: TrainingSession, options: ContrastiveOptions) -> tuple[Taught | None, TrainingOptions]:
    """Return what the stage is taught, and how its loop goes: groups that are given stay, and rows come in steps that are drawn.

    :return: None where no two rows belong together.
    """
    train, model = session.train, session.model
    chosen = options.model_copy(update={
        "head_first": False, "mixup": 0.0, "focal": 0.0, "label_smoothing": 0.0, "class_weights": None,
    })  # fmt: skip
    if len(set(train.group)) < len(train.rows):
        return train, chosen
    kinds = kinds_of(train.rows, [port.name for port in model.gold])
    if not has_pairs(kinds):
        return None, chosen
    taught = drawn(train, kinds, options.batch_rows, options.epochs, options.most_steps, session.run.seed)
    one_group = len(taught.rows) // (taught.group[-1] + 1)  # rows of which the loop makes a step of one group
    return taught, chosen.model_copy(update={"epochs": 1, "batch_rows": one_group})


def fit_head(session: TrainingSession, options: ContrastiveOptions) -> dict[str, float]:
    """Fit the head to what it reads now, where it is one map of a row's features; return its loss, and dev's metrics.

    A head that knows something before it has seen an example, as a ranking's knows that the cosine counts, is left there.
    Each row teaches: what was brought together on the same rows predicts held-out ones too well to choose a penalty by.
    """
    model, head = session.model, session.model.head
    if not isinstance(head, LinearHead) or head.prior is not None or head.reading.unit != "row":
        return {}
    if not linear.is_of_units(head, model.gold):
        return {}
    features = session.features(session.train.rows)  # (rows, width)
    mean, deviation = _centred(features)
    gold = {name: torch.from_numpy(array) for name, array in pad(session.train.rows, model.gold).items()}
    if head.together == "group":
        gold["group"] = torch.tensor(session.train.group)
    penalty = 0.3 / len(features) if options.penalty is None else options.penalty
    linear.start(head)
    loss = linear.minimise(head, [linear.Block(features, gold)], penalty, shape=Shape.of(options, head, [gold]))
    linear.fold(head, mean, deviation)
    return {"loss": loss, "penalty": penalty, **session.scores()}


def _centred(features: Tensor) -> tuple[Tensor, Tensor]:
    """Bring features to mean 0 and to a length whose square is 1 in the mean, in place; return their mean and that length,
    (width,) both.
    """
    mean = features.mean(0)
    features.sub_(mean)
    length = features.square().sum(1).mean().sqrt().clamp(min=1e-6)
    features.div_(length)
    return mean, length.expand_as(mean)

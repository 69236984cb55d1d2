"""What stands on the hidden states of a classifier that was fine-tuned with transformers, as its family names it.

Apart from the networks (`functory_sdk.torch`): here are only names and facts, which options and manifests hold.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Literal

from pydantic import Field

from functory.contracts.component import Options
from functory.contracts.family import ANSWERS, Unit
from functory.errors import ArtefactCorrupt, NotSupported
from functory_sdk.families import family_of

MAP, NORM, OUT = "network.pooler.map", "network.pooler.norm", "head.linear"
"""Where a model of ours holds what is read: the map, the norm, and the last map, which is the task's head."""


class Readout(Options):
    """How hidden states become what the last map of a classifier reads: pooled, mapped, activated, normed."""

    pooling: Literal["first", "mean", "last", "each"] = Field(
        default="first", description="The token that is read, or the mean of all; each: every token by itself."
    )
    has_map: bool = Field(default=False, description="An affine map comes before the last one.")
    has_bias: bool = Field(default=True, description="That map adds a bias.")
    activation: str = Field(default="", description="What follows that map, as transformers names it: tanh, gelu …")
    epsilon: float = Field(default=0.0, ge=0, description="Of the norm after the activation; 0 where there is none.")
    has_norm_bias: bool = Field(default=False, description="That norm adds a bias.")


def readout_of(
    family: str, unit: Unit, config: Mapping[str, Any], tensors: Container[str]
) -> tuple[Readout, dict[str, str]]:
    """Return how a classifier reads hidden states, and where its tensors lie: our name → the checkpoint's.

    A bias of the last map that the checkpoint does not have is left out; it is zero.

    :param config: config.json.
    :param tensors: the names that the checkpoint has.
    :raises NotSupported: for a family that is not known here, or whose classifiers are not, or one that pools in another way.
    :raises ArtefactCorrupt: where a tensor is missing, or the norm's epsilon is no number.
    """
    known = family_of(family, "the classifier")
    named = known.classifiers.get(unit, ANSWERS if unit == "span" and known.architecture == "encoder" else None)
    if named is None:
        raise NotSupported(
            f"classifiers of {unit}s of the family {family!r} are not known here.",
            do="models of this family train by adaptation = 'head', 'lora' or 'full'.",
        )
    places = {f"{OUT}.weight": f"{named.out}.weight"}
    if f"{named.out}.bias" in tensors:
        places[f"{OUT}.bias"] = f"{named.out}.bias"
    for ours, theirs in ((MAP, named.map), (NORM, named.norm)):
        if theirs:
            places[f"{ours}.weight"] = f"{theirs}.weight"
            if f"{theirs}.bias" in tensors:
                places[f"{ours}.bias"] = f"{theirs}.bias"
    lacking = [name for name in places.values() if name not in tensors]
    if lacking:
        raise ArtefactCorrupt(
            f"the classifier's {lacking[0]!r} is missing.", do="take a checkpoint that was saved with its classifier."
        )
    pooling = config.get("classifier_pooling", "cls") if named.pooling == "first" else "cls"
    if pooling not in ("cls", "mean"):
        raise NotSupported(
            f"the classifier pools by {pooling!r} (classifier_pooling), which is not known here.",
            do="take one that reads the first token ('cls') or the mean.",
        )
    epsilon = config.get("norm_eps") or 1e-5
    if named.norm and (isinstance(epsilon, bool) or not isinstance(epsilon, (int, float)) or not 0 < epsilon < 1):
        raise ArtefactCorrupt(
            f"config.json says norm_eps = {epsilon!r}, no small number.", do="take the config.json that came with the weights."
        )
    activation = named.activation
    if activation.startswith(":"):
        activation = str(config.get(activation[1:]) or "gelu")
    return Readout(
        pooling="mean" if pooling == "mean" else named.pooling,
        has_map=bool(named.map),
        has_bias=f"{MAP}.bias" in places,
        activation=activation,
        epsilon=float(epsilon) if named.norm else 0.0,
        has_norm_bias=f"{NORM}.bias" in places,
    ), places

"""Takes a model apart into a network that can be cut, as its family says."""

from __future__ import annotations

from typing import Any

from functory.contracts.backbone import BackboneSpec
from functory.contracts.family import Family
from functory.errors import NotSupported
from functory_sdk.families import family_of
from functory_sdk.torch.network import Network, Origin


def network_from(model: Any, spec: BackboneSpec) -> Network:
    """Return a model as a network that can be cut.

    :param model: of an installed family: transformers' own, decoders with their token scores (``…ForCausalLM``) or without
        (``LlamaModel``); or what the family makes.
    :raises NotSupported: for another family, or a model that computes something else.
    """
    family = family_of(spec.family, spec.reference)
    config: Any = getattr(model, "config", None)  # Any: transformers has no types
    if hasattr(config, "to_dict"):
        check_odd(family, config.to_dict(), repr(spec.reference))
        config._attn_implementation = family.attention
    network: Network = family.network(spec, model)
    if hasattr(config, "to_dict"):
        network.origin = _origin(network, model)
    elif family.known_as:
        network.origin = Origin(family.known_as, family.base, True, _blocks(network, model))
    return network


def check_odd(family: Family, config: dict[str, Any], reference: str, where: str = "") -> None:
    """Refuse what a configuration turns on and the family's network does not compute.

    :param reference: who turns it on, for the error.

    :raises NotSupported: naming it.
    """
    odd = family.odd(config)
    if odd:
        raise NotSupported(
            f"{reference} sets {odd} = {config[odd]!r}, which a {family.name} here does not compute.",
            where=where,
            do="choose a model of its family without it.",
        )


def _origin(network: Network, model: Any) -> Origin:
    """Return how a model of transformers names the network's layers."""
    return Origin(
        model=type(model).__name__,
        base=model.base_model_prefix,
        is_base=model.base_model is model,
        blocks=_blocks(network, model.base_model),
    )


def _blocks(network: Network, model: Any) -> dict[str, str]:
    """Return the path of each layer in the network → that in the model: they are the same modules, found again by identity."""
    ours = {id(module): path for path, module in network.named_modules()}
    theirs = {id(module): path for path, module in model.named_modules()}
    return {ours[id(block)]: theirs[id(block)] for block in network.blocks}

"""Updates beside maps, as PEFT puts them there: a map that is kept as it was, and low-rank ones whose product is added to it.

Apart from the adaptations that fit such updates, of which there are several.
"""

from __future__ import annotations

from typing import Any

from torch import nn


def fold_updates(network: nn.Module) -> None:
    """Put updates into the maps that they stand beside, W + BA·s, so that a pass is one product where it was three.

    For a structural copy: a map gets weights of its own, and what it was is left as it is. An update beside what is no plain
    map, such as one of packed numbers, stays there, and so does what is no low-rank update.
    """
    for path, module in list(network.named_modules()):
        if _is_foldable(module):
            owner, _, name = path.rpartition(".")
            setattr(network.get_submodule(owner), name, _folded(module))


def _is_foldable(module: nn.Module) -> bool:
    """Whether a module is a plain map with low-rank updates beside it, of which each adds to the map's weights alone."""
    if not (hasattr(module, "get_base_layer") and hasattr(module, "get_delta_weight")):
        return False
    beside: Any = module  # whose methods a module does not declare
    ups, scaled = getattr(beside, "lora_B", {}), getattr(beside, "lora_magnitude_vector", {})  # DoRA scales what is added up
    plain = all(name in ups and name not in scaled and ups[name].bias is None for name in beside.active_adapters)
    return plain and type(beside.get_base_layer()) is nn.Linear


def _folded(module: Any) -> nn.Linear:  # Any: PEFT's layers, whose methods a module does not declare
    """Return the map that computes what a map and its updates compute together, without dropout."""
    base: nn.Linear = module.get_base_layer()
    made = nn.Linear(base.in_features, base.out_features, base.bias is not None, device="meta")
    whole = base.weight.detach() + sum(module.get_delta_weight(name).detach() for name in module.active_adapters)
    made.weight = nn.Parameter(whole, requires_grad=False)  # (out, in)
    made.bias = base.bias  # (out,)
    return made.eval()

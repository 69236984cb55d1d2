"""Where the updates go, and PEFT's injection (torch)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functory_lora.adaptation import LoRAOptions
from functory_sdk import NotSupported
from functory_sdk.torch import Network

if TYPE_CHECKING:
    from functory_lora.adapter import AdapterOptions

ATTENTION = ("attention", "attn")
"""What the path of a map inside a layer holds, in every family, where it belongs to attention."""


def inject(network: Network, options: LoRAOptions) -> None:
    """Put updates beside the chosen maps of a structural copy; they start at zero and alone want gradients."""
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,  # PEFT only ever divides it by the rank
        lora_dropout=options.lora_dropout,
        target_modules=chosen(network, options),
        bias="none",
    )
    inject_adapter_in_model(config, network)


def inject_as(network: Network, options: AdapterOptions) -> None:
    """Put updates where an imported adapter has them, of the ranks and weights that it has; and its head's pooler."""
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        target_modules=list(options.modules),
        rank_pattern={re.escape(name): rank for name, rank in options.ranks.items()},
        alpha_pattern={re.escape(name): alpha for name, alpha in options.alphas.items()},
        bias="none",
    )
    inject_adapter_in_model(config, network)
    if options.readout is not None:
        network.read_as(options.readout)


def chosen(network: Network, options: LoRAOptions) -> list[str]:
    """Return the full names of the maps that get an update.

    :raises NotSupported: when there are fewer layers than asked for, or no map is chosen.
    """
    maps = network.maps(options.layers)
    found = [path for path, inner in maps.items() if _is_chosen(inner, options.targets)]
    if not found:
        raise NotSupported(
            f"no map of {network.spec.reference} is named by targets = {options.targets!r}.",
            do=f"take attention, all-linear, or some of: {', '.join(sorted({*maps.values()}))}.",
        )
    return found


def _is_chosen(path: str, targets: str | tuple[str, ...]) -> bool:
    if targets == "all-linear":
        return True
    if targets == "attention":
        return any(word in path.lower() for word in ATTENTION)
    names = (targets,) if isinstance(targets, str) else targets
    return any(path == name or path.endswith(f".{name}") for name in names)

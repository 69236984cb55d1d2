"""In what a training's passes multiply: where that is left to the machine, what is used, and how a pass is entered.

Products of narrow numbers are rounded, and a tenth of a percent off; weights, their gradients, norms and the head are not. On
torch alone, since accelerate's state is the whole process's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch

from functory_sdk import NotSupported, TrainingOptions, has_amx
from functory_sdk.torch import Model

WIDE = 256
"""The narrowest map that learns whose products are worth rounding. Beside frozen maps, as LoRA has them, a step took as long, and
1,000 rows of sst2 came out two points lower; what writes was not measured, and stays as it is."""


def settled(options: TrainingOptions, where: torch.device, model: Model) -> TrainingOptions:
    """Return options whose precision is what is used.

    :raises NotSupported: by a device that has no such precision.
    """
    if options.precision == "auto":
        pays = where.type == "cpu" and has_amx() and model.network.spec.architecture == "encoder" and _learns_maps(model)
        return options.model_copy(update={"precision": "bf16" if pays else "fp32"})
    if options.precision == "bf16" and where.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise NotSupported(f"{where} has no {options.precision}.", do="set precision = 'fp32'.")
    return options


def entered(options: TrainingOptions, where: torch.device) -> Callable[[], AbstractContextManager[Any]]:
    """Return what a pass is entered with.

    :param options: as they are settled.
    """
    return nullcontext if options.precision == "fp32" else partial(torch.autocast, where.type, torch.bfloat16)


def _learns_maps(model: Model) -> bool:
    """Whether the layers' own maps learn, and not something small beside them."""
    return any(one.requires_grad and one.ndim == 2 and min(one.shape) >= WIDE for one in model.network.parameters())

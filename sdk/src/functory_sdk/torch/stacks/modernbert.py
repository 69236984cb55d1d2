"""ModernBERT, as steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec
from functory_sdk.torch.attending import attends
from functory_sdk.torch.network import Context, Network, State, padding_mask, positions_of, window_mask
from functory_sdk.torch.stacks.rotary import FULL, SLIDING, angles_of
from functory_sdk.torch.unpadding import Unpadded


class ModernBertStack(Network):
    """ModernBERT (Warner et al. 2024): rotary positions, layers that see a window between those that see all.

    :param model: a transformers ModernBertModel.
    """

    def __init__(self, spec: BackboneSpec, model: Any) -> None:  # Any: transformers has no types
        super().__init__(spec)
        self.model: Any = model
        self._kinds = tuple(layer.attention_type for layer in model.layers)
        self._window = int(model.config.sliding_window)
        self.unpads = attends(model.layers)

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return tuple(self.model.layers)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        mask = batch["attention_mask"]
        unpadded = Unpadded.of(mask) if self.unpads else None
        seen = {FULL: padding_mask(mask)}
        if SLIDING in self._kinds:
            seen[SLIDING] = window_mask(mask, self._window)
        places = positions_of(mask) if unpadded is None else unpadded.places()
        context: Context = {"ids": batch["input_ids"], "unpadded": unpadded} | angles_of(self.model, places, self._kinds)
        return context | {
            kind: one if unpadded is None or one is None else unpadded.seen(one) for kind, one in seen.items()
        }

    def step(self, index: int, state: State, context: Context) -> State:
        if index == 0:
            return {"hidden": self.model.embeddings(input_ids=context["ids"])}
        if index == self.points - 1:
            return {"hidden": self.model.final_norm(state["hidden"])}
        kind = self._kinds[index - 1]
        angles = (context[f"cos {kind}"], context[f"sin {kind}"])
        layer = self.model.layers[index - 1]
        return {"hidden": layer(state["hidden"], attention_mask=context[kind], position_embeddings=angles)}

"""DeBERTa v2 and v3, as steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec
from functory_sdk.torch.network import Context, Network, State


class DebertaStack(Network):
    """DeBERTa v2 and v3 (He et al. 2021): attention to contents and to relative positions, which all layers share.

    :param model: a transformers DebertaV2Model.
    """

    def __init__(self, spec: BackboneSpec, model: Any) -> None:  # Any: transformers has no types
        super().__init__(spec)
        self.embeddings: Any = model.embeddings
        self.encoder: Any = model.encoder

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return tuple(self.encoder.layer)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        ids, mask = batch["input_ids"], batch["attention_mask"]
        return {
            "ids": ids,
            "types": batch.get("token_type_ids"),
            "real": mask,
            "mask": self.encoder.get_attention_mask(mask),  # (batch, 1, tokens, tokens)
            "apart": self.encoder.get_rel_pos(ids[..., None]),  # (1, tokens, tokens), how far tokens are from each other
            "places": self.encoder.get_rel_embedding(),  # (2 · buckets, width)
        }

    def step(self, index: int, state: State, context: Context) -> State:
        if index == 0:
            return {"hidden": self.embeddings(context["ids"], token_type_ids=context["types"], mask=context["real"])}
        if index == self.points - 1:
            return state
        hidden, _ = self.encoder.layer[index - 1](
            state["hidden"], context["mask"], relative_pos=context["apart"], rel_embeddings=context["places"]
        )
        if index == 1 and self.encoder.conv is not None:  # v2 alone: neighbours are mixed once
            hidden = self.encoder.conv(state["hidden"], hidden, context["real"])
        return {"hidden": hidden}

"""BART and its kin, as steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from functory.contracts.backbone import BackboneSpec
from functory_sdk.torch.network import Context, Network, State, causal_mask, padding_mask, positions_of, resumed


class BartStack(Network):
    """BART (Lewis et al. 2020), Marian, mBART and M2M-100: two stacks, positions added to the embeddings.

    Points 0 … encoder_points make ``memory`` (batch, tokens, width) from the source; the rest make ``hidden``
    (batch, target, width) from the target, looking at the memory.

    :param model: a transformers model of one of them, with its token scores.
    """

    has_branches = True
    bias: Tensor | None
    """Added to the token scores, (1, vocabulary); None where a model has none."""

    def __init__(self, spec: BackboneSpec, model: Any) -> None:  # Any: transformers has no types
        super().__init__(spec)
        self.encoder: Any = model.model.encoder
        self.decoder: Any = model.model.decoder
        self.scores: nn.Module = model.lm_head
        self.register_buffer("bias", getattr(model, "final_logits_bias", None))

    @property
    def encoder_points(self) -> int:
        return len(self.encoder.layers) + 2

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return (*self.encoder.layers, *self.decoder.layers)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        mask = batch["attention_mask"]
        context: Context = {"ids": batch["input_ids"], "mask": padding_mask(mask), "positions": positions_of(mask)}
        target = batch.get("decoder_input_ids")
        if target is not None:
            # What a target is padded with comes after its tokens, which never look ahead: no mask is needed for it.
            real, places = torch.ones_like(target), batch.get("positions")
            context |= {"target": target, "target positions": positions_of(real) if places is None else places}
            context["causal"] = causal_mask(real, None, places, batch.get("ends"))
        return context

    def resume(self, batch: Mapping[str, Tensor], kept: Any) -> Context:
        target, mask = batch["decoder_input_ids"], batch["decoder_attention_mask"]
        (positions, ends), new = resumed(target, mask, batch), target.shape[1]
        return {
            "ids": None, "mask": padding_mask(batch["attention_mask"]), "kept": kept, "target": target,
            "target positions": positions[:, -new:], "causal": causal_mask(mask, None, positions, ends, new),
        }  # fmt: skip

    def step(self, index: int, state: State, context: Context) -> State:
        first = self.encoder_points
        if index == 0:
            return {"memory": _embedded(self.encoder, context["ids"], context["positions"])}
        if index < first - 1:
            return {"memory": self.encoder.layers[index - 1](state["memory"], context["mask"])}
        if index == first - 1:
            return {"memory": _last(self.encoder, state["memory"])}
        if index == first:
            return {"memory": state["memory"], "hidden": _embedded(self.decoder, context["target"], context["target positions"])}
        if index == self.points - 1:
            return {"memory": state["memory"], "hidden": _last(self.decoder, state["hidden"])}
        hidden: Tensor = self.decoder.layers[index - first - 1](
            state["hidden"], context["causal"], state["memory"],
            encoder_attention_mask=context["mask"], past_key_values=context.get("kept"),
        )  # fmt: skip
        return {"memory": state["memory"], "hidden": hidden}

    def logits(self, hidden: Tensor) -> Tensor:
        scores: Tensor = self.scores(hidden)
        return scores if self.bias is None else scores + self.bias


def _embedded(stack: Any, ids: Tensor, positions: Tensor) -> Tensor:
    """Return tokens and their places as hidden states, (batch, tokens, width)."""
    hidden: Tensor = stack.embed_tokens(ids) * getattr(stack, "embed_scale", 1.0)
    hidden = hidden + _placed(stack.embed_positions, positions)
    norm = getattr(stack, "layernorm_embedding", None)
    return functional.dropout(hidden if norm is None else norm(hidden), stack.dropout, stack.training)


def _placed(table: Any, positions: Tensor) -> Tensor:
    """Return what stands for places in a text, (1 or batch, tokens, width): a row of a table for each.

    M2M-100 counts from after the padding id, and its table, which nobody trains, holds padding at that; BART counts from 2.
    """
    if hasattr(table, "weights"):
        return functional.embedding(positions + table.padding_idx + 1, table.weights)
    return functional.embedding(positions + getattr(table, "offset", 0), table.weight)


def _last(stack: Any, hidden: Tensor) -> Tensor:
    """Return hidden states after the norm at a stack's end, where it has one (mBART, M2M-100)."""
    norm = getattr(stack, "layer_norm", None)
    return hidden if norm is None else norm(hidden)

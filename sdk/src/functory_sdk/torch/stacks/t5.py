"""T5, as steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec
from functory_sdk.torch.network import Context, Network, State, causal_mask, padding_mask, resumed


class T5Stack(Network):
    """T5 (Raffel et al. 2020): two stacks, relative positions that all layers of a stack share.

    Points 0 … encoder_points make ``memory`` (batch, tokens, width) from the source; the rest make ``hidden``
    (batch, target, width) from the target, looking at the memory.

    :param model: a transformers T5ForConditionalGeneration.
    """

    has_branches = True

    def __init__(self, spec: BackboneSpec, model: Any) -> None:  # Any: transformers has no types
        super().__init__(spec)
        self.encoder: Any = model.encoder
        self.decoder: Any = model.decoder
        self.scores: nn.Module = model.lm_head
        self._scale = spec.width**-0.5 if model.config.scale_decoder_outputs else 1.0

    @property
    def encoder_points(self) -> int:
        return len(self.encoder.block) + 2

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return (*self.encoder.block, *self.decoder.block)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        context: Context = {"ids": batch["input_ids"], "mask": padding_mask(batch["attention_mask"])}
        context["bias"] = _bias(self.encoder, batch["input_ids"])
        target = batch.get("decoder_input_ids")
        if target is not None:
            # What a target is padded with comes after its tokens, which never look ahead: no mask is needed for it.
            branching = batch.get("positions"), batch.get("ends")
            context |= {"target": target, "causal": causal_mask(torch.ones_like(target), None, *branching)}
            context["target bias"] = _bias(self.decoder, target, branching[0])
        return context

    def resume(self, batch: Mapping[str, Tensor], kept: Any) -> Context:
        target, mask = batch["decoder_input_ids"], batch["decoder_attention_mask"]
        (positions, ends), new = resumed(target, mask, batch), target.shape[1]
        return {
            "ids": None, "bias": None, "mask": padding_mask(batch["attention_mask"]), "kept": kept, "target": target,
            "causal": causal_mask(mask, None, positions, ends, new), "target bias": _bias(self.decoder, mask, positions, new),
        }  # fmt: skip

    def step(self, index: int, state: State, context: Context) -> State:
        if index < self.encoder_points:
            hidden = _t5_step(self.encoder, index, state.get("memory"), context["ids"], context["mask"], context["bias"])
            return {"memory": hidden}
        memory = state["memory"]
        hidden = _t5_step(
            self.decoder, index - self.encoder_points, state.get("hidden"),
            context["target"], context["causal"], context["target bias"], memory, context["mask"], context.get("kept"),
        )  # fmt: skip
        return {"memory": memory, "hidden": hidden}

    def logits(self, hidden: Tensor) -> Tensor:
        scores: Tensor = self.scores(hidden * self._scale)
        return scores


def _t5_step(
    stack: Any, index: int, hidden: Tensor | None, ids: Tensor | None, mask: Tensor | None, bias: Tensor | None,
    memory: Tensor | None = None, memory_mask: Tensor | None = None, kept: Any = None,
) -> Tensor:  # fmt: skip
    """Run one step of one of T5's stacks: embeddings, a layer, or the last norm."""
    if index == 0:
        embedded: Tensor = stack.dropout(stack.embed_tokens(ids))
        return embedded
    if index == len(stack.block) + 1:
        normed: Tensor = stack.dropout(stack.final_layer_norm(hidden))
        return normed
    result: Tensor = stack.block[index - 1](
        hidden, mask, bias, memory, memory_mask, past_key_values=kept
    )[0]
    return result


def _bias(stack: Any, ids: Tensor, positions: Tensor | None = None, new: int | None = None) -> Tensor:
    """Return the bias of a T5 stack's attention by distance, (1, heads, tokens, tokens); where positions are given
    (batch, heads, new, tokens).

    :param new: how many of the last tokens look; all of them when None.
    """
    size, attention = ids.shape[1], stack.block[0].layer[0].SelfAttention
    if positions is None:
        bias: Tensor = attention.compute_bias(size, size, device=ids.device)
        return bias
    looking = positions if new is None else positions[:, -new:]
    apart = looking[:, :, None] - positions[:, None]  # (batch, new, tokens): how far the seen one lies before
    by_distance: Tensor = attention.compute_bias(size, 1, device=ids.device)[0, :, :, 0]  # (heads, tokens)
    return by_distance[:, apart.clamp(0, size - 1)].transpose(0, 1)

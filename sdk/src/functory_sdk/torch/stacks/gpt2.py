"""GPT-2, as steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec
from functory_sdk.torch.network import Context, Network, State, causal_mask, positions_of, resumed


class GPT2Stack(Network):
    """GPT-2 (Radford et al. 2019): learned positions, causal attention, a norm at the end.

    Its maps become `nn.Linear`, which every adaptation knows; transformers keeps them transposed.

    :param model: a transformers GPT2Model.
    :param scores: the map from hidden states to token scores; None where the checkpoint has none.
    """

    has_branches = True

    def __init__(self, spec: BackboneSpec, model: Any, scores: nn.Module | None) -> None:  # Any: transformers has no types
        super().__init__(spec)
        self.model: Any = model
        self.scores = scores
        for block in model.h:
            _straighten(block)

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return tuple(self.model.h)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        mask = batch["attention_mask"]
        seen = causal_mask(mask, None, batch.get("positions"), batch.get("ends"))
        return {"ids": batch["input_ids"], "positions": batch.get("positions", positions_of(mask)), "mask": seen}

    def resume(self, batch: Mapping[str, Tensor], kept: Any) -> Context:
        ids, mask = batch["input_ids"], batch["attention_mask"]
        (positions, ends), new = resumed(ids, mask, batch), ids.shape[1]
        seen = causal_mask(mask, None, positions, ends, new)
        return {"ids": ids, "positions": positions[:, -new:], "mask": seen, "kept": kept}

    def step(self, index: int, state: State, context: Context) -> State:
        if index == 0:
            return {"hidden": self.model.drop(self.model.wte(context["ids"]) + self.model.wpe(context["positions"]))}
        if index == self.points - 1:
            return {"hidden": self.model.ln_f(state["hidden"])}
        return {"hidden": self.model.h[index - 1](state["hidden"], context.get("kept"), context["mask"])}

    def logits(self, hidden: Tensor) -> Tensor:
        if self.scores is None:
            return super().logits(hidden)
        scores: Tensor = self.scores(hidden)
        return scores


def _straighten(block: nn.Module) -> None:
    """Put a linear map in the place of each of transformers' transposed ones, with the same numbers."""
    from transformers.pytorch_utils import Conv1D

    for path, module in list(block.named_modules()):
        if not isinstance(module, Conv1D):
            continue
        weight: Tensor = module.weight  # (in, out)
        with torch.device("meta"):
            straight = nn.Linear(*weight.shape)
        straight.weight = nn.Parameter(weight.detach().T.contiguous(), requires_grad=weight.requires_grad)
        straight.bias = module.bias
        owner, _, name = path.rpartition(".")
        setattr(block.get_submodule(owner), name, straight.train(module.training))

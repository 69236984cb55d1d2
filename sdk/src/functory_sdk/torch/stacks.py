"""The architectures, as steps: each class says what the embeddings, one layer and the last norm are.

The layers are transformers' own modules; nothing here is a second implementation of them. A further
architecture is one class and one line of `STACKS`, or a backbone plugin's own Network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from functory.contracts.backbone import BackboneSpec
from functory.errors import NotSupported
from functory_sdk.torch.generation import DecoderGeneration, Generation
from functory_sdk.torch.network import Context, Network, State, causal_mask, padding_mask


class BertStack(Network):
    """BERT, RoBERTa and XLM-R (Devlin et al. 2019; Liu et al. 2019): the norm comes last in each layer, none at the end."""

    def __init__(self, spec: BackboneSpec, model: Any) -> None:  # Any: a transformers BertModel or RobertaModel
        super().__init__(spec)
        self.embeddings: nn.Module = model.embeddings
        self.layers: nn.ModuleList = model.encoder.layer

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        return {
            "mask": padding_mask(batch["attention_mask"]),
            "ids": batch["input_ids"],
            "types": batch.get("token_type_ids"),
        }

    def step(self, index: int, state: State, context: Context) -> State:
        if index == 0:
            ids, types = context["ids"], context["types"]
            return {"hidden": self.embeddings(input_ids=ids, token_type_ids=types)}
        if index == self.points - 1:
            return state
        return {"hidden": self.layers[index - 1](state["hidden"], context["mask"])}


class LlamaStack(Network):
    """Llama and its kin (Touvron et al. 2023): rotary positions, causal attention, a norm at the end.

    :param model: the transformers model without its token scores.
    :param scores: the map from hidden states to token scores.
    """

    def __init__(self, spec: BackboneSpec, model: Any, scores: nn.Module) -> None:  # Any: a transformers LlamaModel
        super().__init__(spec)
        self.model: nn.Module = model
        self.scores = scores

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        mask = batch["attention_mask"]
        positions = torch.arange(mask.shape[1], device=mask.device)[None]
        hidden = next(self.model.parameters())[:1]
        cos, sin = self.model.rotary_emb(hidden, position_ids=positions)
        return {"mask": causal_mask(mask), "ids": batch["input_ids"], "positions": positions, "cos": cos, "sin": sin}

    def step(self, index: int, state: State, context: Context) -> State:
        if index == 0:
            return {"hidden": self.model.embed_tokens(context["ids"])}
        if index == self.points - 1:
            return {"hidden": self.model.norm(state["hidden"])}
        layer = self.model.layers[index - 1]
        angles = (context["cos"], context["sin"])
        return {"hidden": layer(state["hidden"], attention_mask=context["mask"], position_embeddings=angles)}

    def logits(self, hidden: Tensor) -> Tensor:
        scores: Tensor = self.scores(hidden)
        return scores

    def generation(self, ids: Tensor, mask: Tensor) -> Generation:
        return DecoderGeneration(self.model, self.scores, ids, mask)


def _bert(spec: BackboneSpec, model: Any) -> Network:
    return BertStack(spec, getattr(model, model.base_model_prefix, model))


def _llama(spec: BackboneSpec, model: Any) -> Network:
    return LlamaStack(spec, model.model, model.lm_head)


STACKS = {"bert": _bert, "roberta": _bert, "xlm-roberta": _bert, "llama": _llama}
"""transformers' model type → how to take its model apart."""


def network_from(model: Any, spec: BackboneSpec) -> Network:
    """Return a transformers model as a network that can be cut.

    :param model: a model of a family in `STACKS`; decoders with their token scores (``…ForCausalLM``).
    :raises NotSupported: for another family.
    """
    model.config._attn_implementation = "sdpa"
    if spec.family not in STACKS:
        raise NotSupported(
            f"{spec.reference!r} is of the family {spec.family!r}, which is not known here.",
            do=f"the families are {', '.join(sorted(STACKS))}; a backbone plugin can bring its own Network.",
        )
    return STACKS[spec.family](spec, model)

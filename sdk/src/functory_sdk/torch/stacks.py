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
from functory_sdk.families import unknown_family
from functory_sdk.torch.network import Context, Network, Origin, State, causal_mask, padding_mask, window_mask
from functory_sdk.torch.writing import DecoderWriter, SourceWriter, Writer

FULL, SLIDING = "full_attention", "sliding_attention"
"""transformers' names of the kinds of a layer: every token is seen, or a window of them."""


class BertStack(Network):
    """BERT and its kin (Devlin et al. 2019; Liu et al. 2019): the norm comes last in each layer, none at the end.

    :param embeddings: ids, and token types where the family has them → hidden states.
    :param layers: each maps hidden states and a mask to hidden states.
    :param project: between the two, where their widths differ (ELECTRA, Clark et al. 2020).
    """

    def __init__(
        self, spec: BackboneSpec, embeddings: nn.Module, layers: nn.ModuleList, project: nn.Module | None = None
    ) -> None:
        super().__init__(spec)
        self.embeddings = embeddings
        self.layers = layers
        self.project = project

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return tuple(self.layers)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        return {
            "mask": padding_mask(batch["attention_mask"]),
            "ids": batch["input_ids"],
            "types": batch.get("token_type_ids"),
        }

    def step(self, index: int, state: State, context: Context) -> State:
        if index == 0:
            types = {"token_type_ids": context["types"]} if context["types"] is not None else {}
            hidden = self.embeddings(input_ids=context["ids"], **types)
            return {"hidden": hidden if self.project is None else self.project(hidden)}
        if index == self.points - 1:
            return state
        return {"hidden": self.layers[index - 1](state["hidden"], context["mask"])}


class ModernBertStack(Network):
    """ModernBERT (Warner et al. 2024): rotary positions, layers that see a window between those that see all.

    :param model: a transformers ModernBertModel.
    """

    def __init__(self, spec: BackboneSpec, model: Any) -> None:  # Any: transformers has no types
        super().__init__(spec)
        self.model: Any = model
        self._kinds = tuple(layer.attention_type for layer in model.layers)
        self._window = int(model.config.sliding_window)

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return tuple(self.model.layers)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        mask = batch["attention_mask"]
        context: Context = {"ids": batch["input_ids"], FULL: padding_mask(mask)}
        if SLIDING in self._kinds:
            context[SLIDING] = window_mask(mask, self._window)
        return context | _angles(self.model, mask, self._kinds)

    def step(self, index: int, state: State, context: Context) -> State:
        if index == 0:
            return {"hidden": self.model.embeddings(input_ids=context["ids"])}
        if index == self.points - 1:
            return {"hidden": self.model.final_norm(state["hidden"])}
        kind = self._kinds[index - 1]
        angles = (context[f"cos {kind}"], context[f"sin {kind}"])
        layer = self.model.layers[index - 1]
        return {"hidden": layer(state["hidden"], attention_mask=context[kind], position_embeddings=angles)}


class LlamaStack(Network):
    """Llama and its kin (Touvron et al. 2023): rotary positions, causal attention, a norm at the end.

    :param model: the transformers model without its token scores.
    :param scores: the map from hidden states to token scores; None where the checkpoint has none.
    """

    def __init__(self, spec: BackboneSpec, model: Any, scores: nn.Module | None) -> None:  # Any: a transformers LlamaModel
        super().__init__(spec)
        self.model: Any = model
        self.scores = scores
        self._window = getattr(model.config, "sliding_window", None)
        default = FULL if self._window is None else SLIDING  # Mistral has one kind and no list of them
        self._kinds = tuple(getattr(model.config, "layer_types", None) or [default] * spec.layers)

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return tuple(self.model.layers)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        mask = batch["attention_mask"]
        windows = {FULL: None, SLIDING: self._window}
        masks: Context = {kind: causal_mask(mask, windows[kind]) for kind in dict.fromkeys(self._kinds)}
        positions = torch.arange(mask.shape[1], device=mask.device)[None]
        return {"ids": batch["input_ids"], "positions": positions} | masks | _angles(self.model, mask, self._kinds)

    def step(self, index: int, state: State, context: Context) -> State:
        if index == 0:
            return {"hidden": self.model.embed_tokens(context["ids"])}
        if index == self.points - 1:
            return {"hidden": self.model.norm(state["hidden"])}
        kind = self._kinds[index - 1]
        hidden = self.model.layers[index - 1](
            state["hidden"],
            attention_mask=context[kind],
            position_ids=context["positions"],
            position_embeddings=(context[f"cos {kind}"], context[f"sin {kind}"]),
        )
        return {"hidden": hidden}

    def logits(self, hidden: Tensor) -> Tensor:
        if self.scores is None:
            return super().logits(hidden)
        scores: Tensor = self.scores(hidden)
        return scores

    def writer(self, ids: Tensor, mask: Tensor, written: Tensor | None = None) -> Writer:
        if self.scores is None:
            return super().writer(ids, mask, written)
        return DecoderWriter(self.model, self.scores, ids, mask, written)


class T5Stack(Network):
    """T5 (Raffel et al. 2020): two stacks, relative positions that all layers of a stack share.

    Points 0 … encoder_points make ``memory`` (batch, tokens, width) from the source; the rest make ``hidden``
    (batch, target, width) from the target, looking at the memory.

    :param model: a transformers T5ForConditionalGeneration.
    """

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
            context |= {"target": target, "causal": causal_mask(torch.ones_like(target))}
            context["target bias"] = _bias(self.decoder, target)
        return context

    def step(self, index: int, state: State, context: Context) -> State:
        if index < self.encoder_points:
            hidden = _t5_step(self.encoder, index, state.get("memory"), context["ids"], context["mask"], context["bias"])
            return {"memory": hidden}
        memory = state["memory"]
        hidden = _t5_step(
            self.decoder, index - self.encoder_points, state.get("hidden"),
            context["target"], context["causal"], context["target bias"], memory, context["mask"],
        )  # fmt: skip
        return {"memory": memory, "hidden": hidden}

    def logits(self, hidden: Tensor) -> Tensor:
        scores: Tensor = self.scores(hidden * self._scale)
        return scores

    def writer(self, ids: Tensor, mask: Tensor, written: Tensor | None = None) -> Writer:
        batch = {"input_ids": ids, "attention_mask": mask}
        memory = self.run(0, self.encoder_points, {}, self.prepare(batch))["memory"]
        start = torch.full_like(ids[:, :1], self.spec.start_id or 0)
        target = start if written is None else torch.cat([start, written], dim=1)
        return SourceWriter(self.decoder, self.logits, memory, mask, target)


def _t5_step(
    stack: Any, index: int, hidden: Tensor | None, ids: Tensor | None, mask: Tensor | None, bias: Tensor | None,
    memory: Tensor | None = None, memory_mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Run one step of one of T5's stacks: embeddings, a layer, or the last norm."""
    if index == 0:
        embedded: Tensor = stack.dropout(stack.embed_tokens(ids))
        return embedded
    if index == len(stack.block) + 1:
        normed: Tensor = stack.dropout(stack.final_layer_norm(hidden))
        return normed
    result: Tensor = stack.block[index - 1](hidden, mask, bias, memory, memory_mask)[0]
    return result


def _bias(stack: Any, ids: Tensor) -> Tensor:
    """Return the bias of a T5 stack's attention by distance, (1, heads, tokens, tokens)."""
    size = ids.shape[1]
    bias: Tensor = stack.block[0].layer[0].SelfAttention.compute_bias(size, size, device=ids.device)
    return bias


def _angles(model: Any, mask: Tensor, kinds: tuple[str, ...]) -> Context:
    """Return the rotary angles of each kind of layer (Su et al. 2021)."""
    positions = torch.arange(mask.shape[1], device=mask.device)[None]
    like = next(model.parameters())[:1]  # says device and precision
    angles: Context = {}
    for kind in dict.fromkeys(kinds):
        by_kind = (kind,) if hasattr(model.rotary_emb, "layer_types") else ()
        angles[f"cos {kind}"], angles[f"sin {kind}"] = model.rotary_emb(like, positions, *by_kind)
    return angles


def _bert(spec: BackboneSpec, model: Any) -> Network:
    return BertStack(spec, model.embeddings, model.encoder.layer, getattr(model, "embeddings_project", None))


def _distilbert(spec: BackboneSpec, model: Any) -> Network:
    return BertStack(spec, model.embeddings, model.transformer.layer)


def _llama(spec: BackboneSpec, model: Any) -> Network:
    for trait in ("final_logit_softcapping", "use_bidirectional_attention"):
        if getattr(model.config, trait, None):
            raise NotSupported(
                f"{spec.reference!r} sets {trait}, which is not known here.", do="choose a model of its family without it."
            )
    return LlamaStack(spec, model.base_model, getattr(model, "lm_head", None))


STACKS = {
    "bert": _bert, "roberta": _bert, "xlm-roberta": _bert, "camembert": _bert, "electra": _bert, "distilbert": _distilbert,
    "modernbert": ModernBertStack,
    "llama": _llama, "mistral": _llama, "qwen2": _llama, "qwen3": _llama, "gemma": _llama, "gemma3_text": _llama,
    "t5": T5Stack,
}  # fmt: skip
"""transformers' model type → how to take its model apart."""


def network_from(model: Any, spec: BackboneSpec) -> Network:
    """Return a transformers model as a network that can be cut.

    :param model: a model of a family in `STACKS`; decoders with their token scores (``…ForCausalLM``),
        or without (``LlamaModel``).
    :raises NotSupported: for another family.
    """
    model.config._attn_implementation = "sdpa"
    if spec.family not in STACKS:
        raise unknown_family(spec.reference, spec.family)
    network: Network = STACKS[spec.family](spec, model)
    network.origin = _origin(network, model)
    return network


def _origin(network: Network, model: Any) -> Origin:
    """Return how the model names the network's layers: they are the same modules, found again by identity."""
    ours = {id(module): path for path, module in network.named_modules()}
    theirs = {id(module): path for path, module in model.base_model.named_modules()}
    return Origin(
        model=type(model).__name__,
        library=type(model).__module__,
        base=model.base_model_prefix,
        is_base=model.base_model is model,
        blocks={ours[id(block)]: theirs[id(block)] for block in network.blocks},
    )

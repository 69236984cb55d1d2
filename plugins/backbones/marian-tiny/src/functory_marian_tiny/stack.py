"""The network that can be cut: the same layers as steps, with what was read of the source and remembered of the text kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from functory_marian_tiny.layers import DecoderLayer, Marian
from functory_sdk import BackboneSpec
from functory_sdk.torch import Network
from functory_sdk.torch.network import Context, State, padding_mask, positions_in, positions_of


class MarianStack(Network):
    """A tiny Marian as steps: the encoder makes ``memory``, the decoder ``hidden`` from the target, looking at it.

    What is written does not branch: a running sum has one past.
    """

    def __init__(self, spec: BackboneSpec, model: Marian) -> None:
        super().__init__(spec)
        self.model = model

    @property
    def encoder_points(self) -> int:
        return len(self.model.encoder.layers) + 2

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        return (*self.model.encoder.layers, *self.model.decoder.layers)

    def prepare(self, batch: Mapping[str, Tensor]) -> Context:
        mask = batch["attention_mask"]
        context: Context = {"ids": batch["input_ids"], "mask": padding_mask(mask), "positions": positions_of(mask)}
        target = batch.get("decoder_input_ids")
        if target is not None:
            context |= {"target": target, "target positions": positions_of(target)}
        return context

    def resume(self, batch: Mapping[str, Tensor], kept: Any) -> Context:
        target, mask = batch["decoder_input_ids"], batch["decoder_attention_mask"]
        places = positions_in(mask)[:, -target.shape[1] :]
        return {"mask": padding_mask(batch["attention_mask"]), "kept": kept, "target": target, "target positions": places}

    def step(self, index: int, state: State, context: Context) -> State:
        first, model = self.encoder_points, self.model
        if index == 0:
            return {"memory": model.embed(context["ids"], context["positions"], is_written=False)}
        if index < first - 1:
            source = state["memory"]
            return {"memory": model.encoder.layers[index - 1](source, source, context["mask"])}
        if index == first:
            return state | {"hidden": model.embed(context["target"], context["target positions"], is_written=True)}
        if index in (first - 1, self.points - 1):
            return state
        place = index - first - 1
        layer: Any = model.decoder.layers[place]
        hidden = _written(layer, place, state["hidden"], state["memory"], context)
        return {"memory": state["memory"], "hidden": hidden}

    def logits(self, hidden: Tensor) -> Tensor:
        return nn.functional.linear(hidden, self.model.embeddings.weight, self.model.bias)


def _written(layer: DecoderLayer, place: int, hidden: Tensor, source: Tensor, context: Context) -> Tensor:
    """Run one layer of the decoder; what is kept of it: the memory after each token, keys and values of the source."""
    kept = context.get("kept")
    if kept is None:
        read: Tensor = layer(layer.remember(hidden, None)[0], source, context["mask"])
        return read
    texts, sources = kept.self_attention_cache, kept.cross_attention_cache
    has_begun = len(texts.layers) > place and texts.layers[place].get_seq_length() > 0
    hidden, memory = layer.remember(hidden, texts.layers[place].keys[:, 0, -1] if has_begun else None)
    texts.update(memory[:, None], memory[:, None, :, :0], place)
    if not kept.is_updated.get(place):
        sources.update(*layer.attention.read(source), place)
        kept.is_updated[place] = True
    one = sources.layers[place]
    looked: Tensor = layer(hidden, source, context["mask"], (one.keys, one.values))
    return looked

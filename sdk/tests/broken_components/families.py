"""Families that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from functory_sdk import BackboneSpec, Family


class Sound(Family):
    """BERT under another name."""

    def network(self, spec: BackboneSpec, model: Any) -> Any:
        return self.stack()(spec, model.embeddings, model.encoder.layer)

    def stack(self) -> Any:
        from functory_sdk.torch.stacks.bert import BertStack

        return BertStack

    def model(self, config: Mapping[str, Any]) -> Any:
        from transformers import BertConfig, BertModel

        given = {name: value for name, value in config.items() if name != "model_type"}
        return BertModel(BertConfig(**given), add_pooling_layer=False)


class Miscounted(Sound):
    """Takes the width of a layer's inside for the network's."""

    keys: ClassVar[Mapping[str, tuple[str, ...]]] = {**Family.keys, "width": ("intermediate_size",)}


class Scaling(Sound):
    """Scales the embeddings, which the model does not."""

    def stack(self) -> Any:
        class Stack(super().stack()):  # type: ignore[misc]
            def step(self, index: int, state: Any, context: Any) -> Any:
                found = super().step(index, state, context)
                return {"hidden": found["hidden"] * 2} if index == 0 else found

        return Stack


class Remembering(Sound):
    """Keeps something from one step to the next."""

    def stack(self) -> Any:
        class Stack(super().stack()):  # type: ignore[misc]
            def run(self, start: int, stop: int, state: Any, context: Any) -> Any:
                found = super().run(start, stop, state, context)
                return {name: value + 0.1 for name, value in found.items()} if start else found

        return Stack


class Maskless(Sound):
    """Lets tokens see padding."""

    def stack(self) -> Any:
        class Stack(super().stack()):  # type: ignore[misc]
            def prepare(self, batch: Any) -> Any:
                return {**super().prepare(batch), "mask": None, "unpadded": None}

        return Stack


class Endless(Family):
    """Llama, whose ways to go on from one beginning see one another."""

    architecture = "decoder"

    def network(self, spec: BackboneSpec, model: Any) -> Any:
        from functory_sdk.torch.stacks.llama import LlamaStack

        class Stack(LlamaStack):
            def prepare(self, batch: Any) -> Any:
                return super().prepare({name: array for name, array in batch.items() if name != "ends"})

        return Stack(spec, model.base_model, model.lm_head)

    def model(self, config: Mapping[str, Any]) -> Any:
        from transformers import LlamaConfig, LlamaForCausalLM

        return LlamaForCausalLM(LlamaConfig(**{name: value for name, value in config.items() if name != "model_type"}))

"""Where the weights lie, the tokenizer, the facts: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from functory_sdk import BackboneSpec, PackedBackbone, PackedOptions, PackedWeights, read_json
from functory_sdk.signs import chat_template
from functory_smollm2.convert import WEIGHTS

if TYPE_CHECKING:
    from functory_sdk.torch import Network

END_OF_TEXT = 0
"""``<|endoftext|>``: what the base model learned to end with, before it learned to converse."""


class SmolLM2(PackedBackbone[PackedOptions]):
    """SmolLM2-135M-Instruct: a Llama of 30 layers, 576 wide, that writes English and follows instructions."""

    paper: ClassVar[str] = "Ben Allal et al. 2025, SmolLM2 (arXiv 2502.02737)"
    examples: ClassVar[tuple[str, ...]] = ("functory build --task text-generation --backbone smollm2",)
    weights: ClassVar[PackedWeights] = WEIGHTS
    family: ClassVar[str] = "llama"

    def read_spec(self) -> BackboneSpec:
        facts = self.read_facts()
        end = read_json(self.folder, "config.json").get("eos_token_id")
        return BackboneSpec(
            **facts,
            architecture="decoder",
            end_ids=(*(one for one in (end if isinstance(end, list) else [end]) if isinstance(one, int)), END_OF_TEXT),
            has_logits=True,
            pooling="last",
            chat_template=chat_template(self.folder, read_json(self.folder, "tokenizer_config.json")),
            languages=("en",),
            licence="Apache-2.0",
        )

    def load_network(self) -> Network:
        from functory_smollm2.model import load_network

        return load_network(self.folder, self.spec)

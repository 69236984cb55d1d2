"""Where the weights lie, the tokenizer, the facts: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from functory_sdk import BackboneSpec, PackedBackbone, PackedOptions, PackedWeights, read_json
from functory_sdk.facts import Facts
from functory_sdk.signs import chat_template
from functory_smollm2.convert import WEIGHTS

if TYPE_CHECKING:
    from functory_sdk.torch import Network

class SmolLM2(PackedBackbone[PackedOptions]):
    """SmolLM2-135M-Instruct: a Llama of 30 layers, 576 wide, that writes English and follows instructions."""

    paper: ClassVar[str] = "Ben Allal et al. 2025, SmolLM2 (arXiv 2502.02737)"
    examples: ClassVar[tuple[str, ...]] = ("functory build --task text-generation --backbone smollm2",)
    weights: ClassVar[PackedWeights] = WEIGHTS
    family: ClassVar[str] = "llama"

    def read_spec(self) -> BackboneSpec:
        facts = self.read_facts()
        return BackboneSpec(
            **facts,
            architecture="decoder",
            end_ids=Facts(self.folder).end_ids,
            has_logits=True,
            pooling="last",
            chat_template=chat_template(self.folder, read_json(self.folder, "tokenizer_config.json")),
            languages=self.declared().languages,
            licence="Apache-2.0",
        )

    def load_network(self) -> Network:
        from functory_smollm2.model import load_network

        return load_network(self.folder, self.spec)

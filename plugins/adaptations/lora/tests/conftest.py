"""What the tests of the exchange share: the transformers models that the tiny backbones take apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from functory_sdk import load


@pytest.fixture
def transformers_model() -> Callable[[str], Any]:
    """Return a tiny backbone's transformers model, with its weights."""
    from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

    def model(backbone: str) -> Any:
        opened = load("backbones", backbone).configure()
        network, spec = opened.load_network(), opened.spec
        common = {
            "vocab_size": spec.vocabulary, "hidden_size": spec.width, "num_hidden_layers": spec.layers,
            "num_attention_heads": 4, "intermediate_size": 2 * spec.width, "max_position_embeddings": spec.context,
        }  # fmt: skip
        if backbone == "tiny-encoder":
            bert = BertModel(BertConfig(**common), add_pooling_layer=False).eval()
            bert.embeddings.load_state_dict(network.embeddings.state_dict())
            bert.encoder.layer.load_state_dict(network.layers.state_dict())
            return bert
        llama = LlamaForCausalLM(LlamaConfig(**common, num_key_value_heads=2, tie_word_embeddings=False)).eval()
        llama.model.load_state_dict(network.model.state_dict())
        llama.lm_head.load_state_dict(network.scores.state_dict())
        return llama

    return model

"""GPT-2: a decoder with learned positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.family import Classifier, Family

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class GPT2(Family):
    """GPT-2: positions that are learned, one map for query, key and value."""

    paper: ClassVar[str] = "Radford et al. 2019, Language Models are Unsupervised Multitask Learners"
    architecture = "decoder"
    base = "transformer"
    keys = {
        "width": ("n_embd", "hidden_size"),
        "layers": ("n_layer", "num_hidden_layers"),
        "vocabulary": ("vocab_size",),
        "context": ("n_positions", "max_position_embeddings"),
    }
    is_tied = True
    classifiers = {"text": Classifier("last", "score"), "token": Classifier("each", "classifier")}
    uncomputed: ClassVar[Sequence[str]] = ("add_cross_attention",)

    def network(self, spec: BackboneSpec, model: Any) -> Network:  # Any: a transformers GPT2LMHeadModel, or GPT2Model
        from functory_sdk.torch.stacks.gpt2 import GPT2Stack

        return GPT2Stack(spec, model.base_model, getattr(model, "lm_head", None))

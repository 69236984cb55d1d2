"""T5: an encoder and a decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.family import Family

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class T5(Family):
    """T5: relative positions that all layers of a stack share."""

    paper: ClassVar[str] = "Raffel et al. 2020, T5 (arXiv 1910.10683)"
    architecture = "encoder-decoder"
    is_endless = True
    keys = {
        "width": ("d_model",),
        "layers": ("num_layers",),
        "decoder_layers": ("num_decoder_layers", "num_layers"),
        "vocabulary": ("vocab_size",),
        "context": ("n_positions",),
    }

    def network(self, spec: BackboneSpec, model: Any) -> Network:  # Any: a transformers T5ForConditionalGeneration
        from functory_sdk.torch.stacks.t5 import T5Stack

        return T5Stack(spec, model)

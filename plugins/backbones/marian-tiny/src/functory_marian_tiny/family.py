"""What config.json tells of a Marian whose decoder keeps a running sum in place of attention: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from functory_sdk import BackboneSpec, Family

if TYPE_CHECKING:
    from functory_sdk.torch import Network


class MarianSsru(Family):
    """Marian's students: an encoder of attention, a decoder of simpler simple recurrent units (SSRU)."""

    paper: ClassVar[str] = "Kim et al. 2019, From Research to Production and Back: Ludicrously Fast Neural Machine Translation"
    architecture = "encoder-decoder"
    is_tied = True
    is_endless = True
    keys = {
        "width": ("d_model",),
        "layers": ("encoder_layers",),
        "decoder_layers": ("decoder_layers",),
        "vocabulary": ("vocab_size",),
        "context": ("max_position_embeddings",),
    }

    def network(self, spec: BackboneSpec, model: Any) -> Network:
        from functory_marian_tiny.stack import MarianStack

        return MarianStack(spec, model)

    def model(self, config: Mapping[str, Any]) -> Any:
        from functory_marian_tiny.layers import Marian

        return Marian(
            config["vocab_size"], config["d_model"], config["d_inner"], config["heads"], config["encoder_layers"],
            config["decoder_layers"],
        )  # fmt: skip
